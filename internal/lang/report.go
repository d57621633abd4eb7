package lang

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// A Report collects what is wrong. Each diagnostic is kept once: a block with
// for_each is read once a key, and a mistake in it is still one mistake.
type Report struct {
	diags hcl.Diagnostics
	seen  map[string]bool
	said  map[rule]bool
	// Errors counts what was refused, repeated or not, and what could not be read
	// because of an earlier refusal. An element during which it grew is broken, and
	// no check looks at it again: one mistake, one diagnostic.
	Errors int
	closed bool // evaluation has ended: what follows from that is not shown
}

// A rule, by its summary, at the place that breaks it.
type rule struct {
	summary string
	at      hcl.Range
}

// unreadable is the Extra of a diagnostic about something that is unknown
// because of an earlier refusal. It counts, and is not shown.
type unreadable struct{}

func newReport() *Report { return &Report{seen: map[string]bool{}, said: map[rule]bool{}} }

// Refuse reports an error at a place in a file: what is wrong in a few words,
// then why, and what to do instead.
func (r *Report) Refuse(at hcl.Range, summary, detail string, args ...any) {
	r.Add(hcl.Diagnostics{{
		Severity: hcl.DiagError,
		Summary:  summary,
		Detail:   fmt.Sprintf(detail, args...),
		Subject:  at.Ptr(),
	}})
}

// Complain refuses what breaks a rule between elements, once a place: a group
// breaks it with every one of its members, and it is still one mistake.
func (r *Report) Complain(at hcl.Range, summary, detail string, args ...any) {
	key := rule{summary, at}
	if r.said[key] {
		r.Errors++
		return
	}
	r.said[key] = true
	r.Refuse(at, summary, detail, args...)
}

// Warn reports what may be meant and deserves a second look.
func (r *Report) Warn(at hcl.Range, summary, detail string, args ...any) {
	r.Add(hcl.Diagnostics{{
		Severity: hcl.DiagWarning,
		Summary:  summary,
		Detail:   fmt.Sprintf(detail, args...),
		Subject:  at.Ptr(),
	}})
}

// RefuseInput reports an error in what came from outside the files.
func (r *Report) RefuseInput(summary, detail string, args ...any) {
	r.Add(hcl.Diagnostics{{Severity: hcl.DiagError, Summary: summary, Detail: fmt.Sprintf(detail, args...)}})
}

// Add reports what HCL found.
func (r *Report) Add(diags hcl.Diagnostics) {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			r.Errors++
		}
		if _, hidden := d.Extra.(unreadable); hidden || r.closed {
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

// close reports why evaluation ends, and drops what is reported afterwards.
func (r *Report) close(diags hcl.Diagnostics) {
	r.Add(diags)
	r.closed = true
}

// Failed reports whether there are errors to show.
func (r *Report) Failed() bool { return r.diags.HasErrors() }

// Sorted returns the diagnostics in the order of the files; those from outside
// come first.
func (r *Report) Sorted() hcl.Diagnostics {
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
