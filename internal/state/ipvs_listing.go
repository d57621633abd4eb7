package state

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// listing reads a line of ipvsadm -L, -Ln, with or without --thresholds, and of --timeout
// and --daemon.
func (f *tableReader) listing(words []string, line string) {
	var err error
	switch words[0] {
	case "IP", "Prot":
		f.thresholds = slices.Contains(words, "Uthreshold")
		return
	case "TCP", "UDP", "SCTP", "FWM":
		if err = f.listedService(words); err == nil {
			return
		}
		f.known = false
	case "->":
		if len(words) > 1 && strings.HasPrefix(words[1], "RemoteAddress") {
			return
		}
		if len(words) < 2 {
			err = errors.New("it names no server")
			break
		}
		if !f.known {
			err = errors.New("its service could not be read")
			break
		}
		err = f.listedServer(words)
	case "Timeout":
		err = parseTimeouts(line+"\n", f.State)
	case "master", "backup":
		err = parseDaemons(line+"\n", f.State)
	default:
		err = errors.New("ipvsadm neither takes nor prints such a line")
	}
	if err != nil {
		f.problem(f.about(), err)
	}
}

// about is the service of a listing's line, if it is known.
func (f *tableReader) about() ServiceKey {
	if f.known {
		return f.service
	}
	return ServiceKey{}
}

// listedService reads a service, and what of it is printed as ipvsadm -S has it:
//
//	TCP  10.0.0.1:80 sh (sh-port,sh-fallback) persistent 50 mask 255.255.255.0 pe sip ops
//	FWM  7 IPv6 rr
func (f *tableReader) listedService(words []string) error {
	words = slices.Clone(words)
	if words[0] != "FWM" && len(words) > 1 {
		addr, err := namedHostPort(words[1])
		if err != nil {
			return err
		}
		words[1] = addr.String()
	}
	if len(words) < 3 {
		return errors.New("it has no scheduler")
	}
	k, ok := listedService(words)
	if !ok {
		return fmt.Errorf("%q is no service", strings.Join(words[:2], " "))
	}
	rest := words[2:]
	if k.V6 {
		rest = rest[1:]
	}
	rule := k.args()
	if len(rest) > 0 {
		rule = append(rule, "-s", rest[0])
		rest = rest[1:]
	}
	for len(rest) > 0 {
		option := map[string]string{"persistent": "-p", "mask": "-M", "pe": "--pe"}[rest[0]]
		switch {
		case strings.HasPrefix(rest[0], "("):
			rule = append(rule, "-b", strings.Trim(rest[0], "()"))
			rest = rest[1:]
		case rest[0] == "ops":
			rule = append(rule, "-o")
			rest = rest[1:]
		case option != "" && len(rest) > 1:
			rule = append(rule, option, rest[1])
			rest = rest[2:]
		default:
			return fmt.Errorf("%q is not known", rest[0])
		}
	}
	if _, twice := f.Services[k]; !twice {
		if err := parseService(rule, f.State); err != nil {
			return err
		}
		f.Lines[k] = f.line
	}
	f.service, f.known = k, true
	return nil
}

// listedServer reads a real server, with its weight or with its thresholds:
//
//	-> 10.0.0.2:80      Masq    1      0          0
//	-> 10.0.0.2:80      10      5      0          0
//
// Where the director itself is the real server, ipvsadm prints Local in place of a method.
func (f *tableReader) listedServer(words []string) error {
	addr, err := namedHostPort(words[1])
	if err != nil {
		return err
	}
	key := ServerKey{f.service, addr}
	method, isMethod := "", false
	if len(words) > 3 {
		method, isMethod = map[string]string{"Masq": "-m", "Tunnel": "-i", "Route": "-g", "Local": "-g"}[words[2]]
	}
	switch {
	case isMethod:
		columns := words[3:]
		var tunnel []string
		if _, err := strconv.Atoi(columns[0]); err != nil { // --tun-info
			w, err := listedWrapping(columns[0])
			if err != nil {
				return err
			}
			tunnel, columns = strings.Fields(w.String()), columns[1:]
		}
		if len(columns) == 0 {
			return errors.New("it has no weight")
		}
		before := f.Servers[key]
		if err := parseServer(append(append(f.service.args(), "-r", addr.String(), method, "-w", columns[0]), tunnel...), f.State); err != nil {
			return err
		}
		v := f.Servers[key]
		v.Upper, v.Lower = before.Upper, before.Lower
		f.Servers[key] = v
	case f.thresholds && len(words) >= 4:
		upper, err1 := strconv.Atoi(words[2])
		lower, err2 := strconv.Atoi(words[3])
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		v, ok := f.Servers[key]
		if !ok {
			return errors.New("thresholds of a server whose weight is not in the file: print the table without --thresholds too")
		}
		v.Upper, v.Lower = upper, lower
		f.Servers[key] = v
	default:
		return errors.New("it has no forwarding method and no weight: print the table with -Ln alone")
	}
	return nil
}
