#!/bin/sh
# Makes wg0, the device of the tunnels; address, key and peers are the worker's. Becomes a process that lives as long as it
# is to be kept: wireguard-go is the device, and the kernel's own needs nobody, but a unit that ended would not be active.
set -eu
export LC_ALL=C

# One that is there already stays as it is, with its peers and their sessions.
if ip -d link show wg0 2>/dev/null | grep -qw wireguard || said=$(ip link add wg0 type wireguard 2>&1); then
  echo "wg0: the kernel's WireGuard"
  exec sleep infinity
fi
echo "wg0: this kernel has no WireGuard, wireguard-go takes its place ($said)"
# By this variable too, because the flag alone would still bring a page about kernel modules into the log.
export WG_PROCESS_FOREGROUND=1
exec wireguard-go --foreground wg0
