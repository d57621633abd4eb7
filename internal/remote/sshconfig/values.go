package sshconfig

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// word reads exactly one word.
func word(words []string, _ string) ([]string, error) {
	switch {
	case len(words) == 0 || words[0] == "":
		return nil, errors.New("it has no value")
	case len(words) > 1:
		return nil, fmt.Errorf("%q stands after its value", words[1])
	}
	return words, nil
}

// one makes a reader of one word.
func one(read func(string) (string, error)) func([]string, string) ([]string, error) {
	return func(words []string, rest string) ([]string, error) {
		words, err := word(words, rest)
		if err != nil {
			return nil, err
		}
		value, err := read(words[0])
		return []string{value}, err
	}
}

// oneOf makes a reader of one of some words, in any case; true and false stand
// for yes and no.
func oneOf(names ...string) func([]string, string) ([]string, error) {
	return one(func(s string) (string, error) {
		low := strings.ToLower(s)
		for _, n := range names {
			if low == n || low == "true" && n == "yes" || low == "false" && n == "no" {
				return n, nil
			}
		}
		return "", fmt.Errorf("%q is none of %s", s, strings.Join(names, ", "))
	})
}

var flag = oneOf("yes", "no")

var number = one(func(s string) (string, error) {
	if n, err := strconv.ParseInt(s, 10, 32); err != nil || n < 0 {
		return "", fmt.Errorf("%q is not a number", s)
	}
	return s, nil
})

var port = one(func(s string) (string, error) {
	n, err := net.LookupPort("tcp", s)
	if err != nil || n == 0 {
		return "", fmt.Errorf("%q is not a port", s)
	}
	return strconv.Itoa(n), nil
})

// duration reads a time, as seconds. none is no value at all: a later line may
// still give one.
func duration(words []string, rest string) ([]string, error) {
	words, err := word(words, rest)
	if err != nil || words[0] == "none" {
		return nil, err
	}
	d, err := parseTime(words[0])
	return []string{strconv.Itoa(int(d.Seconds()))}, err
}

// timePart is one part of a time such as 1h30m; seconds may have a fraction.
var timePart = regexp.MustCompile(`^(?:(\d+)([mMhHdDwW])|(\d*\.?\d+)([sS]?))`)

var timeUnits = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// parseTime reads a time of ssh_config: "90", "1m30s", "1.5". It drops the
// fraction of a second, as ssh does.
func parseTime(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not a time", s)
	if s == "" {
		return 0, bad
	}
	total := time.Duration(0)
	for rest := s; rest != ""; {
		part := timePart.FindStringSubmatch(rest)
		if part == nil {
			return 0, bad
		}
		rest = rest[len(part[0]):]
		count, unit := part[1], strings.ToLower(part[2])
		if count == "" {
			if count, unit = part[3], "s"; part[4] == "" && rest != "" {
				return 0, bad // only the last part may leave out its unit
			}
		}
		n, err := strconv.ParseFloat(count, 64)
		if err != nil || n*timeUnits[unit].Seconds() > 1<<31-1 {
			return 0, bad
		}
		total += time.Duration(n * float64(timeUnits[unit]))
	}
	if total.Seconds() > 1<<31-1 {
		return 0, bad
	}
	return total.Truncate(time.Second), nil
}

// list reads any number of words: a comment may be all that follows.
func list(words []string, _ string) ([]string, error) {
	for _, w := range words {
		if w == "" {
			return nil, errors.New("it has an empty value")
		}
	}
	return words, nil
}

// noneAlone reads a list in which none stands alone.
func noneAlone(words []string, rest string) ([]string, error) {
	words, err := list(words, rest)
	for _, w := range words {
		if err == nil && len(words) > 1 && strings.EqualFold(w, "none") {
			err = errors.New("none stands beside other values")
		}
	}
	return words, err
}

// revoked reads names of files, at least one, or none.
func revoked(words []string, rest string) ([]string, error) {
	words, err := noneAlone(words, rest)
	if err == nil && len(words) == 0 {
		err = errors.New("it has no value")
	}
	return words, err
}

var domain = regexp.MustCompile(`^[A-Za-z0-9](\.?[A-Za-z0-9_-])*\.?$`)

// domains reads names of domains, or none.
func domains(words []string, rest string) ([]string, error) {
	words, err := noneAlone(words, rest)
	for _, w := range words {
		if err == nil && !domain.MatchString(w) {
			err = fmt.Errorf("%q is no domain", w)
		}
	}
	return words, err
}

// permitted reads rules of the form SOURCES:TARGETS, * or none.
func permitted(words []string, rest string) ([]string, error) {
	words, err := noneAlone(words, rest)
	for _, w := range words {
		_, targets, _ := strings.Cut(w, ":")
		if err == nil && targets == "" && w != "*" && !strings.EqualFold(w, "none") {
			err = fmt.Errorf("%q is none of SOURCES:TARGETS, * and none", w)
		}
	}
	return words, err
}

// command reads the rest of the line as it is: it is meant for a shell.
func command(_ []string, rest string) ([]string, error) {
	rest = strings.TrimLeft(rest, blanks+"=")
	if rest == "" {
		return nil, errors.New("it has no value")
	}
	return []string{rest}, nil
}

// jump reads a list of jump hosts; a comment may follow it.
func jump(_ []string, rest string) ([]string, error) {
	rest = strings.TrimLeft(rest, blanks+"=")
	if strings.EqualFold(rest, "none") {
		return []string{"none"}, nil
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest = strings.TrimRight(rest, blanks)
	if _, err := ParseJump(rest); err != nil {
		return nil, err
	}
	return []string{rest}, nil
}

// anything reads what decides nothing.
func anything(words []string, _ string) ([]string, error) { return words, nil }
