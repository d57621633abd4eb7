package lab

import (
	"context"
	"fmt"
	"strings"
)

// aptSources returns this machine's own apt sources of the release, one deb line
// each. On a machine with another release there are none, and mmdebstrap uses
// Debian's archive.
func aptSources(ctx context.Context) ([]string, error) {
	if _, err := findTool("apt-get"); err != nil {
		return nil, nil
	}
	targets, err := output(ctx, "/", "apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)",
		"Created-By: Packages", "Origin: Debian", "Component: main")
	if err != nil {
		return nil, err
	}
	return debLines(targets), nil
}

// debLines makes sources of what apt-get indextargets (apt 2.6) prints with the
// format above:
//
//	http://deb.debian.org/debian/ bookworm
//	http://deb.debian.org/debian-security/ bookworm-security
func debLines(targets string) []string {
	var out []string
	whole := false
	for line := range strings.Lines(targets) {
		uri, suite, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || suite != release && suite != release+"-updates" && suite != release+"-security" {
			continue
		}
		whole = whole || suite == release
		out = append(out, fmt.Sprintf("deb %s %s main", uri, suite))
	}
	if !whole {
		return nil
	}
	return out
}

// proxyOptions are the options by which mmdebstrap uses apt's proxies. It finds those
// in the environment by itself.
func proxyOptions(ctx context.Context) []string {
	var out []string
	for _, name := range []string{"Acquire::http::Proxy", "Acquire::https::Proxy"} {
		// A machine without apt has none.
		text, err := output(ctx, "/", "apt-config", "shell", "proxy", name)
		if err != nil {
			continue
		}
		// proxy='http://proxy.example.com:3128'
		value := strings.Trim(strings.TrimPrefix(strings.TrimSpace(text), "proxy="), "'")
		if value != "" {
			out = append(out, fmt.Sprintf("--aptopt=%s \"%s\"", name, value))
		}
	}
	return out
}
