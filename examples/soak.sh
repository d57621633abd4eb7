#!/usr/bin/env bash
# Applies to one lab again and again, and counts the applies that fail and those that hang:
#
#   make build && examples/soak.sh [APPLIES]     (default 500; about 4 s each)
#
# An emulated kernel can hang for ever (see internal/lab/watch.go). Each apply changes both
# weights and every tenth the scheduler, so that the kernel loads modules, patches its code
# and probes gateways on all hosts. Every hundredth is preceded by a destroy.
set -euo pipefail
cd "$(dirname "$0")/.."
lvsctl=$PWD/bin/lvsctl
applies=${1:-500}
# A slow apply is no hang: the machine counts as hung when an apply takes this long.
limit=${LIMIT:-600}

work=$(mktemp -d)
trap 'cd /; (cd "$work" && "$lvsctl" lab down soak) >/dev/null 2>&1; rm -rf "$work"' EXIT
mkdir "$work/soak"
cd "$work"
cat >soak/main.hcl <<'HCL'
variable "weight" { type = number }
variable "scheduler" { type = string }

director "lvs" {
  interface "eth0" { address = "10.1.0.2/24" }
}

router "router" {
  interface "eth0" { address = "10.1.0.1/24" }
  interface "eth1" { address = "10.9.0.1/24" }
}

real_server "web" {
  for_each = { 1 = "10.1.0.11", 2 = "10.1.0.12" }
  interface "eth0" { address = "${each.value}/24" }
}

client "client" {
  interface "eth0" { address = "10.9.0.9/24" }
}

virtual_server "web" {
  vip          = "10.1.0.100"
  port         = 80
  mode         = "dr"
  scheduler    = var.scheduler
  real_servers = { web-1 = var.weight, web-2 = var.weight }
}
HCL
export LVSCTL_VAR_weight=1 LVSCTL_VAR_scheduler=wrr
"$lvsctl" lab up soak >/dev/null

schedulers=(wrr rr wlc lc sh dh sed nq lblc lblcr)
failed=0 hung=0 slowest=0 begin=$SECONDS
for ((n = 1; n <= applies; n++)); do
  export LVSCTL_VAR_weight=$((n % 9 + 1)) LVSCTL_VAR_scheduler=${schedulers[n / 10 % ${#schedulers[@]}]}
  if ((n % 100 == 0)); then
    timeout "$limit" "$lvsctl" destroy --lab --auto-approve soak >last 2>&1 || { echo "destroy before apply $n fails:"; cat last; }
  fi
  at=$SECONDS status=0
  timeout "$limit" "$lvsctl" apply --lab --auto-approve soak >last 2>&1 || status=$?
  took=$((SECONDS - at))
  ((took <= slowest)) || slowest=$took
  case $status in
    0) ;;
    124) hung=$((hung + 1)); echo "apply $n hangs:"; cat last; break ;;
    *) failed=$((failed + 1)); echo "apply $n fails with $status:"; cat last ;;
  esac
  ((n % 50)) || echo "$n applies, $failed failed, $hung hung, $((SECONDS - begin)) s, the slowest $slowest s"
done
((n <= applies)) || n=$applies
echo "$n applies, $failed failed, $hung hung, $((SECONDS - begin)) s, the slowest $slowest s"
((failed + hung == 0))
