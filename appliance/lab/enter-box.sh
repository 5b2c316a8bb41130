#!/bin/bash
# Gives a process the file system of the box, then becomes it. `ip netns exec` has made a private mount namespace already,
# so nothing of this is seen by the host.
#
# enter-box.sh CHECKOUT ETC DATA RUN WIREGUARD UMASK OPEN_FILES WORKING_DIRECTORY PROGRAM ARGUMENT…
#   CHECKOUT  appears as /opt/kswifi; its appliance/overlay/etc lies over /etc
#   ETC       lies over that: what belongs to this lab alone (resolv.conf, passwd)
#   DATA RUN WIREGUARD  appear as /var/lib/kswifi, /run/kswifi and /run/wireguard
set -euo pipefail

# Held open, because any of them may lie below a directory that is covered in a moment (a checkout in /opt, data in /tmp).
exec 3<"$1" 4<"$2" 5<"$3" 6<"$4" 7<"$5"
umask_of_unit=$6 open_files=$7 working_directory=$8
shift 8
umask 022

cover() {
  mount -t tmpfs -o "mode=$2" tmpfs "$1"
}
place() {
  mkdir -p "$2"
  mount --no-canonicalize --bind "/proc/self/fd/$1" "$2"
}

cover /opt 755
place 3 /opt/kswifi
place 4 /opt/etc-of-lab
mount -t overlay -o lowerdir=/opt/etc-of-lab:/opt/kswifi/appliance/overlay/etc:/etc overlay /etc
umount /opt/etc-of-lab
cover /var/lib 755
place 5 /var/lib/kswifi
cover /run 755
place 6 /run/kswifi
place 7 /run/wireguard
cover /tmp 1777
exec 3<&- 4<&- 5<&- 6<&- 7<&-

# Open to all, as udev makes it; a container's may be root's alone. What it does still takes CAP_NET_ADMIN.
mkdir -p /dev/net
cover /dev/net 755
mknod -m 666 /dev/net/tun c 10 200

cd "$working_directory"
umask "$umask_of_unit"
# A container may not raise its limit; the lab then does with what there is.
ulimit -n "$open_files" 2>/dev/null || ulimit -n "$(ulimit -H -n)"
exec "$@"
