package topology

import (
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/lvsctl/lvsctl/internal/lang"
)

// defaultHealthCheck is the check of a service without a health_check block.
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

// readCheckKind reads the block in health_check that names the kind of check.
func (s *service) readCheckKind(raw *rawHealthCheck, h *HealthCheck) {
	var kinds []string
	if raw.TCP != nil {
		kinds = append(kinds, "tcp")
	}
	if raw.HTTP != nil {
		kinds = append(kinds, "http")
		s.readHTTP(raw.HTTP, h)
	}
	if raw.UDP != nil {
		kinds = append(kinds, "udp")
	}
	if raw.Misc != nil {
		kinds = append(kinds, "misc")
		s.readMisc(raw.Misc, h)
	}
	if raw.None != nil {
		kinds = append(kinds, "none")
	}
	if len(kinds) > 1 {
		s.Refuse(raw.Range, "Several health checks", "A service has one check, and this has %s.", strings.Join(kinds, " and "))
	}
	switch {
	case len(kinds) > 0:
		h.Kind = kinds[0]
	case !s.checkable():
		s.sayCheck(raw.Range)
	}
}

func (s *service) readHTTP(raw *rawHTTPCheck, h *HealthCheck) {
	h.Path, h.Status = "/", 200
	if path, ok := s.Text(raw.Path); ok {
		h.Path = path
		if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, " \t\"'\\{}#!$~@") {
			s.Refuse(raw.Path.Expr.Range(), "Not a path", "path is %s. Write the path of a URL, starting with / and without blanks, quotes and any of { } # ! $ ~ @.", lang.Quote(path))
		}
	}
	h.Status = s.IntegerOr(raw.Status, 100, 599, h.Status)
}

// readMisc reads a command. Each of the characters that it refuses means something to
// some version of keepalived, even between quotes.
func (s *service) readMisc(raw *rawMiscCheck, h *HealthCheck) {
	s.Require(raw.Command, "command", raw.Range, "A misc check needs the command to run.")
	command, ok := s.Text(raw.Command)
	if !ok {
		return
	}
	h.Command = command
	at := raw.Command.Expr.Range()
	switch {
	case strings.TrimSpace(command) == "":
		s.Refuse(at, "No command", "command is empty.")
	case !strings.HasPrefix(command, "/"):
		s.Refuse(at, "Not a command", "command is %s. keepalived runs it without a shell: write the whole path of a program, and its arguments.", lang.Quote(command))
	case strings.ContainsAny(command, "\"\\#!{}$~@"):
		s.Refuse(at, "Command that is misread", "command is %s. Versions of keepalived differ about \" \\ # ! { } $ ~ and @ in a command; put it into a script, and name that.", lang.Quote(command))
	}
}

// checkable reports whether the service can have the default check, a TCP connection.
func (s *service) checkable() bool { return s.Protocol == TCP && s.Port != 0 && s.FWMark == 0 }

// sayCheck refuses a service that has no check and cannot have the default one.
func (s *service) sayCheck(at hcl.Range) {
	what := "a " + string(s.Protocol) + " service"
	switch {
	case s.FWMark != 0:
		what = "a fwmark service"
	case s.Protocol == TCP:
		what = "a service of every port"
	}
	s.Complain(at, "Missing health check", "There is no health check that fits %s by itself, and a wrong one would take all its servers out. Write health_check { misc { command = ... } }, udp { } for a UDP port, or none { }.", what)
}

// checkHealth refuses a check that the service's servers cannot answer.
func (c *serviceCheck) checkHealth() {
	h := c.HealthCheck
	if c.VRRPInstance == nil {
		return
	}
	if h == nil {
		c.sayCheck(c.Range)
		return
	}
	refuse := func(why string, args ...any) {
		c.Complain(h.Range, "Health check that does not fit", why, args...)
	}
	switch h.Kind {
	case "tcp", "http":
		if c.FWMark == 0 && c.Protocol != TCP {
			refuse("A %s check opens a TCP connection, and the servers of this service answer %s: it would take all of them out. Write udp { }, misc { } or none { }.", h.Kind, c.Protocol)
			return
		}
	case "udp":
		if c.FWMark == 0 && c.Protocol != UDP {
			refuse("A udp check sends a datagram, and this service is %s. Write tcp { }, misc { } or none { }.", c.Protocol)
			return
		}
	default:
		return
	}
	for _, srv := range c.servers {
		if srv.Port == 0 {
			refuse("A %s check needs a port, and %s serves every port. Write misc { command = ... } or none { }.", h.Kind, srv.node.Name)
			return
		}
	}
}
