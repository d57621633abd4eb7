package apply

import (
	"slices"
	"strconv"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/plan"
)

// rollbackScript is the program by which a node puts itself back. Its functions are in
// internal/shell/rollback.sh.
func rollbackScript(t *transaction, topology string) string {
	var s shell.Script
	s.Line(shell.Call(shell.BeginRollback, topology), ` "$@"`)
	t.texts(&s)
	for _, a := range slices.Backward(t.actions) {
		if len(a.Undo) == 0 {
			continue
		}
		s.Line("if ", shell.Call(shell.Begun, strconv.Itoa(a.ID)), "; then")
		for _, c := range undo(a) {
			limit := "$lvsctl_limit "
			if c.To != "" || c.Calls != "" {
				limit = "" // a redirection or function of the shell cannot run under timeout
			}
			s.Line("  { ", limit, c, `; } >>"$lvsctl_log" 2>&1 || lvsctl_failed="$lvsctl_failed `, a.ID, `"`)
		}
		s.Line("fi")
	}
	for _, c := range s.Closers() {
		s.Line(c, ` >>"$lvsctl_log" 2>&1`)
	}
	s.Line(shell.Call(shell.EndRollback, live.RecordPath(topology), live.RecordDir))
	return s.String()
}

// undo returns an action's inverse commands. A server that was to be removed may still be
// there with weight 0. Then it gets its weight again in place of being added.
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

// arm adds the lines that begin the transaction on the node. If arming fails, the script
// ends before it has changed anything.
func (t *transaction) arm(s *shell.Script, topology string, seconds int) {
	s.Line(shell.Call(shell.Transaction, t.id, strconv.Itoa(seconds)))
	s.Must(shell.Arm, rollbackScript(t, topology), t.record)
}

// resume adds the line by which a later script continues the transaction.
func (t *transaction) resume(s *shell.Script, seconds int) {
	s.Line(shell.Call(shell.Transaction, t.id, strconv.Itoa(seconds)))
}
