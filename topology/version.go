package topology

import (
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// A version is major, minor and patch.
type version [3]int

// parseVersion reads 1, 1.2, v1.2.3 and 1.2.3-rc1; parts is how many numbers were
// written. What follows a dash or a plus does not count.
func parseVersion(text string) (v version, parts int, ok bool) {
	text, _, _ = strings.Cut(strings.TrimPrefix(text, "v"), "-")
	text, _, _ = strings.Cut(text, "+")
	fields := strings.Split(text, ".")
	if len(fields) > len(v) {
		return v, 0, false
	}
	for i, f := range fields {
		n, err := strconv.ParseUint(f, 10, 31)
		if err != nil {
			return v, 0, false
		}
		v[i] = int(n)
	}
	return v, len(fields), true
}

func (v version) compare(w version) int {
	for i := range v {
		if v[i] != w[i] {
			return v[i] - w[i]
		}
	}
	return 0
}

// satisfies reports whether v meets one constraint, such as ">= 1.2" or "~> 1.4":
// at least that, and only its last written number may grow.
func (v version) satisfies(constraint string) (holds, ok bool) {
	constraint = strings.TrimSpace(constraint)
	number := strings.TrimLeft(constraint, "<>=!~ ")
	op := strings.TrimSpace(strings.TrimSuffix(constraint, number))
	want, parts, ok := parseVersion(number)
	if !ok {
		return false, false
	}
	order := v.compare(want)
	switch op {
	case "", "=":
		return order == 0, true
	case "!=":
		return order != 0, true
	case ">":
		return order > 0, true
	case ">=":
		return order >= 0, true
	case "<":
		return order < 0, true
	case "<=":
		return order <= 0, true
	case "~>":
		for i := range max(parts-1, 1) {
			if v[i] != want[i] {
				return false, true
			}
		}
		return order >= 0, true
	}
	return false, false
}

// requireVersion holds this program's version against required_version.
func (s *scope) requireVersion(a *hcl.Attribute, have string) {
	text, ok := s.text(a)
	if !ok {
		return
	}
	// A build without a version is its developer's business.
	mine, _, known := parseVersion(have)
	for _, constraint := range strings.Split(text, ",") {
		holds, ok := mine.satisfies(constraint)
		switch {
		case !ok:
			s.refuse(a.Expr.Range(), "Not a version constraint", "%s is not like \">= 1.2\", \"~> 1.4\" or \">= 1.2, < 2\".", quote(strings.TrimSpace(constraint)))
		case known && !holds:
			s.refuse(a.Expr.Range(), "Wrong version of lvsctl", "This is lvsctl %s, and the topology asks for %s.", have, quote(text))
			return
		}
	}
}
