#!/bin/sh
# What a phone does with its lease; started by udhcpc with the event as its argument and the options as variables.
# LEASE_FILE and RESOLV_FILE come from the lab.
set -eu

case "$1" in
  deconfig)
    ip -4 addr flush dev "$interface"
    ip link set "$interface" up
    ;;
  bound | renew)
    ip addr replace "$ip/$mask" dev "$interface"
    ip route replace default via "${router%% *}" dev "$interface"
    # In place: this very file is mounted as /etc/resolv.conf in every process of the phone.
    for server in ${dns:-}; do echo "nameserver $server"; done >"$RESOLV_FILE"
    printf '%s\n' "ip=$ip" "prefix=$mask" "router=$router" "dns=${dns:-}" "server=${serverid:-}" "seconds=${lease:-}" \
      "option114=${opt114:-}" >"$LEASE_FILE.new"
    mv "$LEASE_FILE.new" "$LEASE_FILE"
    ;;
esac
