# A model of Red Hat's network-scripts: the order of things and the commands that
# set addresses and routes, as sysconfig.txt and the scripts ifup-eth, ifup-aliases,
# ifup-routes and ifup-post of initscripts 9.03 (EL6), 9.49 (EL7) and 10.00 (EL8)
# have them. They are no package of Debian's.
#
# RELEASE is 6 or 8, and EL7 is as EL6; LOCAL stands for /sbin/ifup-local.
scripts=/etc/sysconfig/network-scripts

read_by_nobody() {
  case $1 in *~|*.bak|*.orig|*.rpmnew|*.rpmorig|*.rpmsave) return 0 ;; esac
  return 1
}

length() { # PREFIX NETMASK
  if [ -n "$1" ]; then echo "$1"; return; fi
  local n=0 byte
  for byte in ${2//./ }; do
    while [ "$byte" -gt 0 ]; do n=$((n + (byte & 1))) byte=$((byte >> 1)); done
  done
  echo "$n"
}

number() { local IFS=.; set -- $1; echo $((($1 << 24) + ($2 << 16) + ($3 << 8) + $4)); }

same_network() { [ $(($(number "$1") >> (32 - $3))) -eq $(($(number "$2") >> (32 - $3))) ]; }

default_route() {
  if [ "$DEFROUTE" = no ] || { [ -n "$GATEWAYDEV" ] && [ "$GATEWAYDEV" != "$DEVICE" ]; }; then return; fi
  if [ -n "$GATEWAY" ] && [ -n "$first" ] && same_network "$GATEWAY" "${first%/*}" "${first#*/}"; then
    ip route replace default ${METRIC:+metric $METRIC} via "$GATEWAY" ${GATEWAYDEV:+dev $GATEWAYDEV}
  elif [ -n "$first" ] && [ "$GATEWAYDEV" = "$DEVICE" ]; then
    ip route replace default ${METRIC:+metric $METRIC} dev "$DEVICE"
  fi
}

one_alias() { # LABEL ADDRESS PREFIX
  case " $seen " in *" $2 "*) echo "error in $1: already seen ipaddr $2" >&2; return ;; esac
  case " $labels " in *" $1 "*) echo "error in $1: already seen device" >&2; return ;; esac
  seen="$seen $2" labels="$labels $1"
  ip addr add "$2/$3" dev "$DEVICE" label "$1"
}

aliases() {
  local f file
  seen= labels=
  for f in "$scripts/ifcfg-$DEVICE-range"* "$scripts/ifcfg-$DEVICE:"*; do
    if ! [ -e "$f" ] || read_by_nobody "$f"; then continue; fi
    file=$(
      IPADDR= ONPARENT=
      . "$f"
      if [ "$ONPARENT" = no ]; then exit; fi
      n=$(length "$PREFIX" "$NETMASK")
      if [ -n "$IPADDR_START" ]; then
        for i in $(seq "${IPADDR_START##*.}" "${IPADDR_END##*.}"); do
          echo "$DEVICE:$CLONENUM_START ${IPADDR_START%.*}.$i $n"
          CLONENUM_START=$((CLONENUM_START + 1))
        done
      else
        echo "${f#*/ifcfg-} $IPADDR $n"
      fi
    )
    while read -r label address n; do
      if [ -n "$label" ]; then one_alias "$label" "$address" "$n"; fi
    done <<<"$file"
  done
}

one_route() { # -4|-6 ARGUMENTS...
  local family=$1
  shift
  if [ "$RELEASE" = 8 ]; then
    ip "$family" route add "$@" 2>/dev/null || ip "$family" route replace "$@"
  else
    ip "$family" route add "$@"
  fi
}

routes() {
  local f=$scripts/route-$DEVICE line n=0 address netmask gateway
  if grep -q '^[[:space:]]*ADDRESS' "$f" 2>/dev/null; then
    (
      . "$f"
      while address=ADDRESS$n netmask=NETMASK$n gateway=GATEWAY$n; [ -n "${!address}" ]; do
        one_route -4 "${!address}/$(length '' "${!netmask}")" ${!gateway:+via ${!gateway}} dev "$DEVICE"
        n=$((n + 1))
      done
    )
  elif [ -e "$f" ]; then
    while read -r line; do one_route -4 $line; done < <(grep -v -E '^[[:space:]]*(#|$)' "$f")
  fi
  if [ -e "$scripts/route6-$DEVICE" ]; then
    while read -r line; do one_route -6 $line; done < <(grep -v -E '^[[:space:]]*(#|$)' "$scripts/route6-$DEVICE")
  fi
}

ifup() ( # NAME [boot]
  . /etc/sysconfig/network
  . "$scripts/ifcfg-$1"
  : "${DEVICE:=$1}"
  if [ "$2" = boot ] && [ "$ONBOOT" = no ]; then exit; fi
  ip link set dev "$DEVICE" up
  first=
  for n in '' 0 1 2 3; do
    a=IPADDR$n p=PREFIX$n m=NETMASK$n
    if [ -z "${!a}" ]; then continue; fi
    l=$(length "${!p}" "${!m}")
    : "${first:=${!a}/$l}"
    if ! ip addr show dev "$DEVICE" | grep -q -F " ${!a}/$l "; then ip addr add "${!a}/$l" dev "$DEVICE"; fi
  done
  for a in $IPV6ADDR $IPV6ADDR_SECONDARIES; do ip -6 addr add "$a" dev "$DEVICE"; done
  default_route
  aliases
  routes
  if [ -x "$LOCAL" ]; then "$LOCAL" "$DEVICE"; fi
)

start() {
  ifup lo boot
  for f in "$scripts"/ifcfg-*; do
    name=${f##*/ifcfg-}
    case $name in lo|*:*|*-range*) continue ;; esac
    if ! read_by_nobody "$f"; then ifup "$name" boot; fi
  done
}

stop() {
  for d in eth0 eth1 tunl0; do
    ip addr flush dev $d scope global 2>/dev/null
    ip link set dev $d down 2>/dev/null
  done
  ip addr flush dev lo scope global
}
