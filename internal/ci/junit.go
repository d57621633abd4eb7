package ci

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/plan"
)

// JUnit is a report with a suite a topology and a case a node. A node with drift has
// failed; one that could not be read is in error, and so is a topology that could not be
// loaded; one that was never applied to is skipped.
func JUnit(doc plan.Document, clean func(string) string) ([]byte, error) {
	parts := map[string][]plan.DocumentPart{}
	for _, n := range doc.Parts() {
		parts[n.Topology] = append(parts[n.Topology], n)
	}
	suites := junit.Testsuites{Name: "lvsctl drift"}
	for i, t := range doc.Topologies {
		s := junit.Testsuite{Name: clean(t.Name), ID: i, Time: "0.000"}
		if t.Error != "" {
			s.Name = clean(t.Path)
			s.AddTestcase(junit.Testcase{Name: clean(t.Path), Classname: clean(t.Path), Error: result("not looked at", firstLine(t.Error), t.Error, clean)})
		} else {
			if len(t.Alarms) > 0 {
				s.AddTestcase(junit.Testcase{Name: "between the nodes", Classname: clean(t.Name), Time: "0.000", Failure: result("alarm", t.Alarms[0], strings.Join(t.Alarms, "\n"), clean)})
			}
			for _, n := range parts[t.Name] {
				s.AddTestcase(testcase(n, clean))
			}
		}
		suites.AddSuite(s)
	}
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	if err := suites.WriteXML(&b); err != nil {
		return nil, fmt.Errorf("cannot write JUnit's XML: %w", err)
	}
	return b.Bytes(), nil
}

func testcase(n plan.DocumentPart, clean func(string) string) junit.Testcase {
	c := junit.Testcase{Name: clean(n.Name), Classname: clean(n.Topology) + "." + n.Role, Time: "0.000"}
	switch {
	case n.Error != "":
		c.Error = result("unreadable", firstLine(n.Error), n.Error, clean)
	case n.Differs():
		c.Failure = result("drift", sum(n), strings.Join(text(n, clean), "\n"), clean)
	case n.Never:
		c.Skipped = &junit.Result{Message: "the topology was never applied to it"}
	}
	if n.Pending > 0 {
		c.SystemOut = &junit.Output{Data: "Not applied yet: " + plural.Of(n.Pending, "change")}
	}
	return c
}

// result is what a case did not pass by. XML has no place for most control characters,
// and clean leaves none but line breaks.
func result(kind, message, data string, clean func(string) string) *junit.Result {
	var lines []string
	for line := range strings.Lines(data) {
		lines = append(lines, clean(strings.TrimSuffix(line, "\n")))
	}
	return &junit.Result{Type: kind, Message: clean(message), Data: strings.Join(lines, "\n")}
}
