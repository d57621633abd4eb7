package topology

import (
	"strings"
	"time"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// defaultHealthCheck is a TCP connection every five seconds.
func defaultHealthCheck() HealthCheck {
	return HealthCheck{Kind: "tcp", Interval: 5 * time.Second, Timeout: 3 * time.Second, Retries: 3}
}

// readHealthCheck reads the health_check block.
func (s *service) readHealthCheck() {
	raw := s.raw.HealthCheck
	if raw == nil {
		return
	}
	h := defaultHealthCheck()
	h.Range = raw.Range
	s.readCheckKind(raw, &h)
	if d, ok := s.Duration(raw.Interval, 100*time.Millisecond, time.Hour); ok {
		h.Interval = d
	}
	if d, ok := s.Duration(raw.Timeout, 100*time.Millisecond, time.Hour); ok {
		h.Timeout = d
	}
	h.Retries = s.IntegerOr(raw.Retries, 0, 100, h.Retries)
	s.HealthCheck = &h
}

func (s *service) readCheckKind(raw *rawHealthCheck, h *HealthCheck) {
	kinds := 0
	if raw.TCP != nil {
		kinds++
	}
	if raw.HTTP != nil {
		kinds++
		h.Kind, h.Path, h.Status = "http", "/", 200
		if path, ok := s.Text(raw.HTTP.Path); ok {
			h.Path = path
			if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \"'\\{}#!") {
				s.Refuse(raw.HTTP.Path.Expr.Range(), "Not a path", "path is %s. Write the path of a URL, starting with / and without blanks and quotes.", lang.Quote(path))
			}
		}
		h.Status = s.IntegerOr(raw.HTTP.Status, 100, 599, h.Status)
	}
	if raw.Misc != nil {
		kinds++
		h.Kind = "misc"
		s.Require(raw.Misc.Command, "command", raw.Misc.Range, "A misc check needs the command to run.")
		if command, ok := s.Text(raw.Misc.Command); ok {
			h.Command = command
			if strings.TrimSpace(command) == "" {
				s.Refuse(raw.Misc.Command.Expr.Range(), "No command", "command is empty.")
			}
		}
	}
	if kinds > 1 {
		s.Refuse(raw.Range, "Several health checks", "A service has one check: tcp, http or misc.")
	}
}
