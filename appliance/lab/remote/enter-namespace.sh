#!/bin/sh
# Gives a program the /run/wireguard of its own namespace, then becomes it: sockets of wireguard-go have their fixed place
# there, and those of two phones, or of two labs, would be the same. `ip netns exec` has made a private mount namespace already.
#
# enter-namespace.sh DIRECTORY PROGRAM ARGUMENT…
set -eu
mkdir -p /run/wireguard
mount --bind "$1" /run/wireguard
# A container may have none of its own, and wireguard-go is nothing without.
if [ ! -c /dev/net/tun ]; then
  mkdir -p /dev/net
  mount -t tmpfs tmpfs /dev/net
  mknod -m 600 /dev/net/tun c 10 200
fi
shift
exec "$@"
