#!/usr/bin/env bash
# A DR cluster from nothing to answers: lab, plan, apply, requests.
set -euo pipefail
cd "$(dirname "$0")/.."
lvsctl=$PWD/bin/lvsctl
vip=192.168.188.100

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; }
run() { say "$@"; "$@"; }
show() { say "lvsctl $*"; "$lvsctl" "$@"; }

work=$(mktemp -d)
trap 'cd /; (cd "$work" && "$lvsctl" lab down dr) >/dev/null 2>&1; rm -rf "$work"' EXIT
cp -r examples/dr "$work/dr"
cd "$work"

run cat dr/cluster.hcl
show lab up dr
show plan --lab dr
show apply --lab --auto-approve dr
say "lvsctl lab exec dr internet -- curl http://$vip/   (ten times)"
for _ in 1 2 3 4 5 6 7 8 9 10; do echo "curl -s http://$vip/"; done |
  "$lvsctl" lab exec dr internet -- sh
show plan --lab dr
