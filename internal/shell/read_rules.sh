# lvsctl_read_rules MARK prints the rules that bear a mark, a basic regular
# expression, after the tables they are in. Only what exists already is read, because
# asking creates the rest: iptables -V of the nft kind loads nfnetlink, its -S (1.8.2)
# creates tables, and the legacy -S loads iptable_nat. iptables-save without -t prints
# the tables that are there; the nft kind is called only where nf_tables is, the
# legacy kind only where the kernel lists tables of its own. Where there is a tool to
# set rules and none to read them, it says so.
lvsctl_read_rules() {
  for t in iptables ip6tables; do
    if command -v "$t" >/dev/null && ! command -v "$t-save" >/dev/null; then printf 'unreadable %s\n' "$t"; fi
  done
  command -v iptables-save >/dev/null || command -v ip6tables-save >/dev/null || return 0
  nft=''
  lvsctl_find_release
  if [ -e /sys/module/nf_tables ] || grep -q '/nf_tables\.ko' "/lib/modules/$lvsctl_release/modules.builtin" 2>/dev/null; then nft=1; fi
  lvsctl_read_family iptables /proc/net/ip_tables_names "$1" && lvsctl_read_family ip6tables /proc/net/ip6_tables_names "$1"
}

# lvsctl_read_family TOOL NAMES MARK prints those of one family.
lvsctl_read_family() {
  command -v "$1-save" >/dev/null || return 0
  save=''
  if [ -n "$nft" ]; then
    case $("$1" -V) in *nf_tables*) save="$1-save" ;; esac
  fi
  if [ -z "$save" ]; then
    { [ -r "$2" ] && read -r names <"$2"; } || return 0
    save="$1-save"
    if command -v "$1-legacy-save" >/dev/null; then save="$1-legacy-save"; fi
  fi
  text=$("$save") || return 1
  printf '%s\n' "$1"
  printf '%s\n' "$text" | grep -e '^\*' -e "$3" || :
}
