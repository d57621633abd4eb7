# Each step of a change reports when it begins. In a transaction it leaves a mark
# first, by which the rollback knows what to undo, and puts the deadline off.

# lvsctl_mark ID fails, and says why, where it can leave no mark. true, not :, which
# ends sh where its output cannot be opened.
lvsctl_mark() {
  [ -n "${lvsctl_transaction-}" ] || return 0
  if { true >"$lvsctl_transaction/b/$1" && lvsctl_put_off; } 2>&1; then return 0; fi
  lvsctl_say failed "$1" 1
  return 1
}

# lvsctl_begin ID begins a step.
lvsctl_begin() { lvsctl_mark "$1" && lvsctl_say begin "$1"; }
