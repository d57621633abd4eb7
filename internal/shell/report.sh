# lvsctl_report NONCE is called first: lines that begin with the nonce, which nothing
# else on the node can know, are lvsctl's own.
lvsctl_report() { lvsctl_nonce=$1; }

# lvsctl_say WORD... reports.
lvsctl_say() { printf '%s %s\n' "$lvsctl_nonce" "$*"; }
