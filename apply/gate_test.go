package apply_test

import (
	"context"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/lvsctl/lvsctl/internal/remote"
)

// gates insert a statement at one place of the scripts that an apply sends, so that a test
// can break something just there. A place is between two statements. Places are numbered
// through all scripts, in the order in which they are sent.
type gates struct {
	where
	text string // the statement; it must print tripped
	// reached is called when the host is at the place.
	reached func()
	// known is a cache of what statements returns, by script without its nonces. It may
	// be nil.
	known map[string][]int

	mu      sync.Mutex
	on      bool
	seen    int
	used    bool
	tripped bool
}

// where is a place: that with a number or, if before is set, the place before the first
// statement that begins so.
type where struct {
	number int
	before string
}

// nowhere is no place: the gates only count.
var nowhere = where{number: -1}

// changing is a place in the middle of a host's changes: five of six are done.
var changing = where{before: "lvsctl_begin 6 "}

const tripped = "tripped"

// waiting is a statement that waits until there is a file /run/go.
const waiting = "printf '%s\\n' tripped; while [ ! -e /run/go ]; do sleep 0.05; done\n"

// dying is a statement that kills the shell, as the kernel does when memory is short.
const dying = "printf '%s\\n' tripped; sh -c 'kill -9 $PPID'\n"

func (g *gates) wrap(r remote.Runner) remote.Runner { return gated{r, g} }

// open starts the counting: before it, scripts are left as they are.
func (g *gates) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.on = true
}

// places is how many places the scripts had.
func (g *gates) places() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.seen
}

func (g *gates) passed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.tripped
}

type gated struct {
	remote.Runner
	gates *gates
}

func (r gated) Run(ctx context.Context, s remote.Script) (remote.Output, error) {
	return r.Runner.Run(ctx, r.gates.put(s))
}

func (r gated) Hold(ctx context.Context, s remote.Script) (remote.Output, func(), error) {
	return r.Runner.Hold(ctx, r.gates.put(s))
}

func (g *gates) put(s remote.Script) remote.Script {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.on {
		return s
	}
	places := g.statements(s.Body)
	lines := strings.SplitAfter(s.Body, "\n")
	i := g.number - g.seen
	if g.before != "" {
		i = slices.IndexFunc(places, func(at int) bool { return !g.used && strings.HasPrefix(strings.TrimSpace(lines[at]), g.before) })
	}
	g.seen += len(places)
	if i < 0 || i >= len(places) {
		return s
	}
	g.used = true
	s.Body = strings.Join(lines[:places[i]], "") + g.text + strings.Join(lines[places[i]:], "")
	next := s.Line
	s.Line = func(line string) {
		switch {
		case line == tripped:
			g.mu.Lock()
			g.tripped = true
			g.mu.Unlock()
			if g.reached != nil {
				g.reached()
			}
		case next != nil:
			next(line)
		}
	}
	return s
}

var nonces = regexp.MustCompile(`[0-9a-f]{24}`)

// once are the functions that an apply calls once or twice. Places are between their
// statements too. Functions that every step calls have no places.
var once = map[string]bool{
	"lvsctl_lock": true, "lvsctl_clear_old": true, "lvsctl_arm": true, "lvsctl_start_timer": true,
	"lvsctl_stage_record": true, "lvsctl_place_record": true, "lvsctl_disarm": true, "lvsctl_clear": true, "lvsctl_fire": true,
}

// callers are the functions that call those of once, where a script does not.
var callers = map[string]string{"lvsctl_clear_old": "lvsctl_lock", "lvsctl_start_timer": "lvsctl_arm"}

var (
	// idle matches a statement that does nothing on the host: it only sets variables.
	idle = regexp.MustCompile(`^([a-z]+=|\s*umask |\s*lvsctl_(report|transaction|find_run)\b)`)
	// reading matches a statement that only reads.
	reading = regexp.MustCompile(`^lvsctl_section `)
	// define matches the first line of a function, and short a function in one line.
	define = regexp.MustCompile(`^([a-z_]+)\(\) [{(]$`)
	short  = regexp.MustCompile(`^[a-z_]+\(\) [{(].`)
)

// statements returns the numbers of the lines before which a place is: between two
// statements of the script, or of a function of once that the script calls. Between two
// statements is where sh can parse the text so far.
//
// Statements that follow each other and only read have one place together, before the
// first: the host is the same at all of them. That output which ends between two of them
// is never taken for whole is TestTruncatedOutput's.
func (g *gates) statements(body string) []int {
	key := nonces.ReplaceAllString(body, "")
	if list, ok := g.known[key]; ok {
		return list
	}
	called := func(f string) bool {
		if by, ok := callers[f]; ok {
			f = by
		}
		if f == "lvsctl_stage_record" || f == "lvsctl_place_record" {
			if strings.Contains(body, "\nlvsctl_write_record ") {
				return true
			}
		}
		return strings.Contains(body, "\n"+f+" ") || strings.Contains(body, "\n"+f+"\n")
	}
	var list []int
	var prefix strings.Builder
	inside := "" // the function
	reads := false
	for i, line := range strings.SplitAfter(body, "\n") {
		bare := strings.TrimSuffix(line, "\n")
		end := bare == "}" || bare == ")"
		switch m := define.FindStringSubmatch(bare); {
		case m != nil:
			inside = m[1]
		case reads && reading.MatchString(bare):
		case short.MatchString(bare) || idle.MatchString(bare) || inside != "" && (end || !once[inside] || !called(inside)):
		case inside == "" && whole(prefix.String()), inside != "" && whole(prefix.String()+":\n}\n"):
			list = append(list, i)
		}
		if end {
			inside = ""
		}
		reads = reading.MatchString(bare) || reads && !whole(prefix.String()+line)
		prefix.WriteString(line)
	}
	if g.known != nil {
		g.known[key] = list
	}
	return list
}

func whole(text string) bool { return exec.Command("sh", "-n", "-c", text).Run() == nil }
