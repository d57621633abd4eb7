package topology

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// A report collects what is wrong. Each diagnostic is kept once: a block with
// for_each is read once a key, and a mistake in it is still one mistake.
type report struct {
	diags hcl.Diagnostics
	seen  map[string]bool
	said  map[rule]bool
	// errors counts what was refused, repeated or not, and what could not be read
	// because of an earlier refusal. An element during which it grew is broken, and
	// no check looks at it again: one mistake, one diagnostic.
	errors int
}

// A rule, by its summary, at the place that breaks it.
type rule struct {
	summary string
	at      hcl.Range
}

// unreadable is the Extra of a diagnostic about something that is unknown
// because of an earlier refusal. It counts, and is not shown.
type unreadable struct{}

func newReport() *report { return &report{seen: map[string]bool{}, said: map[rule]bool{}} }

// refuse reports an error at a place in a file: what is wrong in a few words,
// then why, and what to do instead.
func (r *report) refuse(at hcl.Range, summary, detail string, args ...any) {
	r.add(hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  summary,
		Detail:   fmt.Sprintf(detail, args...),
		Subject:  at.Ptr(),
	}})
}

// complain refuses what breaks a rule between elements, once a place: a group
// breaks it with every one of its members, and it is still one mistake.
func (r *report) complain(at hcl.Range, summary, detail string, args ...any) {
	key := rule{summary, at}
	if r.said[key] {
		r.errors++
		return
	}
	r.said[key] = true
	r.refuse(at, summary, detail, args...)
}

// warn reports what may be meant and deserves a second look.
func (r *report) warn(at hcl.Range, summary, detail string, args ...any) {
	r.add(hcl.Diagnostics{{
		Severity: hcl.DiagWarning,
		Summary:  summary,
		Detail:   fmt.Sprintf(detail, args...),
		Subject:  at.Ptr(),
	}})
}

// refuseInput reports an error in what came from outside the files.
func (r *report) refuseInput(summary, detail string, args ...any) {
	r.add(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...)}})
}

func (r *report) add(diags hcl.Diagnostics) {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			r.errors++
		}
		if _, hidden := d.Extra.(unreadable); hidden {
			continue
		}
		at := ""
		if d.Subject != nil {
			at = d.Subject.String()
		}
		key := at + "\x00" + d.Summary + "\x00" + d.Detail
		if r.seen[key] {
			continue
		}
		r.seen[key] = true
		r.diags = append(r.diags, d)
	}
}

// sorted returns the diagnostics in the order of the files; those from outside
// come first.
func (r *report) sorted() hcl.Diagnostics {
	place := func(d *hcl.Diagnostic) hcl.Range {
		if d.Subject == nil {
			return hcl.Range{}
		}
		return *d.Subject
	}
	slices.SortStableFunc(r.diags, func(a, b *hcl.Diagnostic) int {
		p, q := place(a), place(b)
		return cmp.Or(strings.Compare(p.Filename, q.Filename), cmp.Compare(p.Start.Byte, q.Start.Byte))
	})
	return r.diags
}

// quote shows a value from a file: escaped, so that nothing in it can act on a
// terminal or pass for another letter, and never longer than a line.
func quote(s string) string {
	const most = 64
	if len(s) > most {
		return strconv.QuoteToASCII(strings.ToValidUTF8(s[:most], "")) + "..."
	}
	return strconv.QuoteToASCII(s)
}

// count writes a number with its noun: 1 server, 2 servers.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
