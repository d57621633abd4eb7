package apply

import (
	"slices"
	"strconv"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/plan"
)

// rollbackScript is the program that a node runs to put itself back: see
// internal/shell/rollback.sh.
func rollbackScript(t *transaction, topology string) string {
	var s shell.Script
	s.Line(shell.Call(shell.Claim, topology), ` "$@"`)
	for _, a := range slices.Backward(t.actions) {
		if len(a.Undo) == 0 {
			continue
		}
		s.Line("if ", shell.Call(shell.Begun, strconv.Itoa(a.ID)), "; then")
		for _, c := range undo(a) {
			limit := "$lvsctl_limit "
			if c.To != "" || c.Calls != "" {
				limit = "" // the shell's own: there may be no other
			}
			s.Line("  { ", limit, c, `; } >>"$lvsctl_log" 2>&1 || lvsctl_failed="$lvsctl_failed `, a.ID, `"`)
		}
		s.Line("fi")
	}
	for _, c := range s.Closers() {
		s.Line(c, ` >>"$lvsctl_log" 2>&1`)
	}
	s.Line(shell.Call(shell.Unclaim, live.RecordPath(topology), live.RecordDir))
	return s.String()
}

// undo is an action's inverse. A server that was quiesced may be there still,
// with no weight: then it is not added back but given its weight again.
func undo(a *plan.Action) []shell.Command {
	if len(a.Quiesce) == 0 {
		return a.Undo
	}
	commands := slices.Clone(a.Undo)
	for i, c := range commands {
		if len(c.Args) > 2 && c.Args[0] == "ipvsadm" && c.Args[1] == "-a" {
			commands[i] = shell.Call(shell.RestoreServer, c.Args[2:]...)
		}
	}
	return commands
}

// arm begins a transaction on its node: nothing was changed when it fails.
func (t *transaction) arm(s *shell.Script, topology string, seconds int) {
	s.Line(shell.Call(shell.Transaction, t.id, strconv.Itoa(seconds)))
	s.Must(shell.Arm, rollbackScript(t, topology), t.record)
}

// resume is for a script that comes to a transaction which is under way.
func (t *transaction) resume(s *shell.Script, seconds int) {
	s.Line(shell.Call(shell.Transaction, t.id, strconv.Itoa(seconds)))
}
