package apply

import (
	"context"
	"time"

	"github.com/lvsctl/lvsctl/internal/remote"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/internal/state"
	"github.com/lvsctl/lvsctl/plan"
)

// installLimit is how long the installation of one package may take, including a wait for
// one that an earlier apply began.
const installLimit = 70 * time.Minute

// install installs the packages of a batch before the node is armed: a rollback must not
// kill a package manager, and removes no package. It returns the other actions.
func (r *run) install(ctx context.Context, w *work, actions []*plan.Action) (rest []*plan.Action, err error) {
	var packages []*plan.Action
	for _, a := range actions {
		if a.Kind == state.KindPackage {
			packages = append(packages, a)
		} else {
			rest = append(rest, a)
		}
	}
	if len(packages) == 0 {
		return rest, nil
	}
	nonce := shell.NewMark()
	var s shell.Script
	s.Line(shell.Call(shell.Report, nonce))
	for _, a := range packages {
		step(&s, a)
	}
	p := &progress{nonce: nonce, actions: packages, run: r, work: w}
	_, err = w.Runner.Run(ctx, remote.Script{Body: s.String(), Line: p.line, Limit: time.Duration(len(packages)) * installLimit})
	if err != nil {
		return rest, p.finish(Unknown, err)
	}
	return rest, p.finish(Skipped, p.failure)
}
