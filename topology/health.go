package topology

import (
	"strings"
	"time"
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
	if d, ok := s.duration(raw.Interval, 100*time.Millisecond, time.Hour); ok {
		h.Interval = d
	}
	if d, ok := s.duration(raw.Timeout, 100*time.Millisecond, time.Hour); ok {
		h.Timeout = d
	}
	h.Retries = s.integerOr(raw.Retries, 0, 100, h.Retries)
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
		if path, ok := s.text(raw.HTTP.Path); ok {
			h.Path = path
			if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \"'\\{}#!") {
				s.refuse(raw.HTTP.Path.Expr.Range(), "Not a path", "path is %s. Write the path of a URL, starting with / and without blanks and quotes.", quote(path))
			}
		}
		h.Status = s.integerOr(raw.HTTP.Status, 100, 599, h.Status)
	}
	if raw.Misc != nil {
		kinds++
		h.Kind = "misc"
		s.require(raw.Misc.Command, "command", raw.Misc.Range, "A misc check needs the command to run.")
		if command, ok := s.text(raw.Misc.Command); ok {
			h.Command = command
			if strings.TrimSpace(command) == "" {
				s.refuse(raw.Misc.Command.Expr.Range(), "No command", "command is empty.")
			}
		}
	}
	if kinds > 1 {
		s.refuse(raw.Range, "Several health checks", "A service has one check: tcp, http or misc.")
	}
}
