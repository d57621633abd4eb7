package adopt

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/topology"
)

// Checks of keepalived.conf: TCP_CHECK, HTTP_GET, SSL_GET, MISC_CHECK, UDP_CHECK and those of
// later versions.

// keepalivedInterval is delay_loop where it is not said (KEEPALIVED_DEFAULT_DELAY,
// check_data.h).
const keepalivedInterval = time.Minute

// checkDefaults are what a virtual_server and a real_server say for all their checks,
// from 2.1 on.
type checkDefaults struct {
	timeout time.Duration // 0: not said
	retries int           // -1: not said
}

// seconds reads 6, 0.1 or 2.5, from a tenth of a second to an hour.
func (r *keepalivedReader) seconds(about any, b *keepalived.Block, without time.Duration) time.Duration {
	f, err := strconv.ParseFloat(b.Word(1), 64)
	if err != nil || f < 0 || f > 1e6 {
		r.misread(about, b, "is left out")
		return without
	}
	d := time.Duration(f*1000+0.5) * time.Millisecond
	if within := min(max(d, 100*time.Millisecond), time.Hour); within != d {
		r.lost(about, at(b), "%s is %s here, and from 0.1s to 1h in a topology: it is %s there.", b.Word(0), d, within)
		return within
	}
	return d
}

// checker reads a check. What a topology has none of becomes one that it has.
func (r *keepalivedReader) checker(s *service, v *server, block *keepalived.Block, defaults checkDefaults) *topology.HealthCheck {
	word := block.Word(0)
	h := &topology.HealthCheck{Kind: "tcp", Timeout: 5 * time.Second, Retries: 1}
	switch word {
	case "HTTP_GET":
		h.Kind, h.Path, h.Status = "http", "/", 200
	case "MISC_CHECK":
		h.Kind, h.Retries, h.Timeout = "misc", 0, s.check.Interval
	case "UDP_CHECK":
		h.Kind = "udp"
	case "TCP_CHECK":
	default:
		if s.protocol == topology.UDP {
			h.Kind = "udp"
		}
		if word == "DNS_CHECK" {
			h.Retries = 3
		}
		r.lost(s, at(block), "%s is left out%s: a topology has no such check, and a %s check is in its place.", word, asked(block), h.Kind)
	}
	if defaults.retries >= 0 {
		h.Retries = defaults.retries
	}
	if defaults.timeout > 0 && h.Kind != "misc" {
		h.Timeout = defaults.timeout
	}
	urls := 0
	for _, b := range block.Inside {
		switch key := b.Word(0); {
		case key == "connect_timeout" || key == "misc_timeout":
			h.Timeout = r.seconds(s, b, h.Timeout)
		case key == "retry":
			h.Retries = r.number(s, b, 0, 100, h.Retries)
		case key == "nb_get_retry" && (word == "HTTP_GET" || word == "SSL_GET"):
			h.Retries = r.number(s, b, 0, 100, h.Retries)
		case key == "nb_get_retry":
			r.lost(s, at(b), "nb_get_retry never was a word of %s, so keepalived passes over it. retries is what keepalived does: %d.", word, h.Retries)
		case key == "delay_before_retry":
			if b.Word(1) != "1" {
				r.lost(s, at(b), "delay_before_retry is %s here: under lvsctl a second passes before a retry.", b.Word(1))
			}
		case key == "connect_port":
			if port, err := strconv.Atoi(b.Word(1)); err != nil || port != int(v.port) {
				r.lost(s, at(b), "connect_port %s is left out: a topology's check goes to the real server's port.", b.Word(1))
			}
		case key == "connect_ip" && b.Word(1) == v.addr.String():
		case key == "url" && word == "HTTP_GET":
			if urls++; urls > 1 {
				r.lost(s, at(b), "url is left out: a topology's http check asks for one path, and here is another one before it.")
				continue
			}
			r.url(s, h, b)
		case key == "misc_path" && word == "MISC_CHECK":
			r.command(s, h, b)
		case replacedCheck(word) && !slices.Contains(timings, key) && reason(key) == reason(""):
			// It went with the check.
		default:
			r.unsaid(s, b)
		}
	}
	if h.Kind == "misc" && h.Command == "" {
		h.Kind = "none"
	}
	return h
}

// replacedCheck reports whether a topology has another check in place of one.
func replacedCheck(word string) bool {
	return !slices.Contains([]string{"TCP_CHECK", "HTTP_GET", "MISC_CHECK", "UDP_CHECK"}, word)
}

// asked are the words of a check that is replaced, and of no other, for a remark.
func asked(block *keepalived.Block) string {
	var words []string
	for _, b := range block.Inside {
		if reason(b.Word(0)) != reason("") || slices.Contains(timings, b.Word(0)) {
			continue
		}
		words = append(words, strings.Join(b.Words, " "))
		for _, c := range b.Inside {
			words = append(words, strings.Join(c.Words, " "))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return " with " + strings.Join(words, ", ")
}

// timings are words of every check.
var timings = []string{"connect_timeout", "misc_timeout", "retry", "nb_get_retry", "delay_before_retry", "connect_port", "connect_ip"}

// url reads what an HTTP_GET asks for.
func (r *keepalivedReader) url(s *service, h *topology.HealthCheck, block *keepalived.Block) {
	for _, b := range block.Inside {
		switch b.Word(0) {
		case "path":
			if path := b.Word(1); strings.HasPrefix(path, "/") && len(b.Words) == 2 && !strings.ContainsAny(path, " \t\"'\\{}#!$~@") {
				h.Path = path
				continue
			}
			r.misread(s, b, "the path is /")
		case "status_code":
			status, err := strconv.Atoi(b.Word(1))
			if err == nil && len(b.Words) == 2 && status >= 100 && status <= 599 {
				h.Status = status
				continue
			}
			first, _, _ := strings.Cut(b.Word(1), "-")
			if status, err = strconv.Atoi(first); err == nil && status >= 100 && status <= 599 {
				h.Status = status
			}
			r.lost(s, at(b), "%q is several: a topology's http check accepts one, and it is %d.", strings.Join(b.Words, " "), h.Status)
		default:
			r.unsaid(s, b)
		}
	}
	if !slices.ContainsFunc(block.Inside, func(b *keepalived.Block) bool { return b.Word(0) == "status_code" }) {
		r.add(Note, s, at(block), "Without status_code keepalived accepts each from 200 to 299, or, before 2.0, any with the right digest. A topology's http check accepts one: 200.")
	}
}

func (r *keepalivedReader) command(s *service, h *topology.HealthCheck, b *keepalived.Block) {
	command := strings.Join(b.Words[1:], " ")
	if !strings.HasPrefix(command, "/") || strings.ContainsAny(command, "\"\\#!{}$~@") {
		r.lost(s, at(b), "%q is left out: a command in a topology is a whole path and arguments without any of \" \\ # ! { } $ ~ @. There is no check in its place.", "misc_path "+command)
		return
	}
	h.Command = command
}
