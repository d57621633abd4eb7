#!/usr/bin/env bash
# The demo's cluster as whole Debian systems: set up, rebooted, asked again.
set -euo pipefail
cd "$(dirname "$0")/.."
lvsctl=$PWD/bin/lvsctl
vip=192.168.188.100

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
show() { say "lvsctl $*"; "$lvsctl" "$@"; }
ask() {
  say "lvsctl lab exec dr internet -- curl http://$vip/   (six times)"
  for _ in 1 2 3 4 5 6; do echo "curl -s -m 10 http://$vip/"; done | "$lvsctl" lab exec dr internet -- sh
}

work=$(mktemp -d)
trap 'cd /; (cd "$work" && "$lvsctl" lab down dr) >/dev/null 2>&1; rm -rf "$work"' EXIT
cp -r examples/dr "$work/dr"
cd "$work"

# A network system for each: what a reboot leaves has to be written for it.
show lab up --systemd=ifupdown,lvs=netplan,web-1=networkd,web-2=networkmanager dr
show apply --lab --auto-approve dr
ask
show lab reboot dr lvs router web-1 web-2
show plan --lab dr
ask
