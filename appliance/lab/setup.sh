#!/bin/bash
# Makes this machine ready for `npm start` (lab), `npm test` (test) or `npm run dev` (dev): installs what is missing, says
# which and why, and is done at once when nothing is.
set -euo pipefail

mode=${1:?usage: setup.sh lab|test|dev}
checkout=$(cd "$(dirname "$0")/../.." && pwd)
cd "$checkout"
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

main() {
  # The checkout itself is the lock, so nothing is left behind; another run waits here.
  exec 9<"$checkout"
  flock --nonblock 9 || { say 'another run is setting up this checkout; waiting for it' && flock 9; }

  if [ "$mode" != dev ]; then
    check_machine
    install_packages
    try_namespaces
  fi
  install_modules
  check_node
  build_ui
}

check_machine() {
  [ "$(id -u)" = 0 ] ||
    stop 'The lab makes network namespaces, which needs root: run it as root (work on the UI alone does not: npm run dev).'
  unshare --net --mount mount -t tmpfs tmpfs /mnt 2>/dev/null ||
    stop 'This machine does not allow network namespaces: use a real or virtual machine, or a container that was started with --privileged.'
}

# command | Debian package | what the venue needs it for
programs() {
  cat <<'END'
/usr/sbin/nft|nftables|enforces every allowance in the kernel
ip|iproute2|makes the network namespaces, and shapes speeds (tc)
conntrack|conntrack|ends the connections of a session that is over
dnsmasq|dnsmasq-base|DHCP and DNS of the customers
redis-server|redis-server|carries jobs from server to worker
wg-quick|wireguard-tools|sets up Connect profiles, and imports them on devices of the lab
wireguard-go|wireguard-go|WireGuard where the kernel has none
udhcpc|udhcpc|the DHCP client of the lab's phones
iperf3|iperf3|measures speeds in the lab
ethtool|ethtool|makes the lab's wires carry packets of real size
ping|iputils-ping|tries the lab's wires
curl|curl|what the lab's phones browse with
sysctl|procps|applies the box's kernel settings to the lab
setpriv|util-linux|takes privileges away from the box's processes
END
  if [ "$mode" = test ]; then echo 'chromium|chromium|a real browser for the tests of portal and admin'; fi
  [ -e node_modules/sqlite3/build/Release/node_sqlite3.node ] && return
  cat <<'END'
python3|python3|builds the SQLite module, should there be no ready-made one
make|make|builds the SQLite module, should there be no ready-made one
g++|g++|builds the SQLite module, should there be no ready-made one
/etc/ssl/certs/ca-certificates.crt|ca-certificates|lets npm trust the registry
END
}

install_packages() {
  local missing=() command package why
  while IFS='|' read -r command package why; do
    { command -v "$command" || [ -f "$command" ]; } >/dev/null && continue
    [ ${#missing[@]} -gt 0 ] || say 'These Debian packages are missing and will be installed:'
    say "  $package: $why"
    missing+=("$package")
  done < <(programs)
  [ ${#missing[@]} -gt 0 ] || return 0

  command -v apt-get >/dev/null || stop 'This machine has no apt-get: install the packages above in its own way, and try again.'
  forbid_services
  export DEBIAN_FRONTEND=noninteractive
  quietly apt-get update
  quietly apt-get install --yes --no-install-recommends "${missing[@]}"
  # Debian would start it at the next boot; the venue runs its own, and nobody asked for another.
  case " ${missing[*]} " in *' redis-server '*) systemctl disable redis-server.service >/dev/null 2>&1 || true ;; esac
}

# The first namespace after a boot makes the place where all of them lie, and two labs at once must not both do so.
try_namespaces() {
  mountpoint --quiet /run/netns && return
  ip netns add kswifi-setup && ip netns delete kswifi-setup || stop 'Network namespaces do not work on this machine.'
}

# Packages ask this program before they start a service; 101 means no.
forbid_services() {
  local policy=/usr/sbin/policy-rc.d
  [ -e "$policy" ] && return
  trap "rm -f $policy" EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
}

install_modules() {
  local stamp=node_modules/.kswifi-stamp wanted
  wanted=$(sha256sum package-lock.json)
  if [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return; fi
  # Installed by hand from the same lock file: that will do.
  if [ node_modules/.package-lock.json -nt package-lock.json ] && [ ! -e "$stamp" ]; then
    echo "$wanted" >"$stamp"
    return
  fi
  say 'Node modules are missing or older than package-lock.json: npm ci'
  local headers
  headers=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
  # Headers that came with node save fetching them, should the SQLite module have to be built.
  if [ -e "$headers/include/node/node_api.h" ]; then export npm_config_nodedir=$headers; fi
  quietly npm ci --no-audit --no-fund --loglevel=error
  echo "$wanted" >"$stamp"
}

# npm puts node_modules/.bin first on PATH: this is the node that everything runs on, here and in the box.
check_node() {
  local version
  version=$(node_modules/.bin/node --version 2>/dev/null || echo none)
  case "$version" in v24.* | v2[5-9].*) return ;; esac
  stop "Node 24 is expected at node_modules/.bin/node, but there is $version. It comes by npm for 64-bit PCs and ARM;
delete node_modules and try again, and see that npm does not leave out optional packages (npm config get omit)."
}

build_ui() {
  [ -e web/vite.config.ts ] || return 0
  local stamp=node_modules/.kswifi-ui-stamp wanted
  wanted=$(find web package-lock.json -path web/dist -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
  if [ -e web/dist ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then return; fi
  say 'Building the UI'
  quietly npm run build --silent
  echo "$wanted" >"$stamp"
}

# Shows what a command said only when it failed.
quietly() {
  local said
  said=$(mktemp)
  if "$@" >"$said" 2>&1 9<&-; then
    rm -f "$said"
    return
  fi
  tail -n 40 "$said" >&2
  rm -f "$said"
  stop "This did not work: $*"
}

say() {
  echo "$*"
}

stop() {
  echo "$*" >&2
  exit 1
}

main
