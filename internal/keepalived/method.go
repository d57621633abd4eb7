package keepalived

import (
	"fmt"
	"strconv"
	"strings"
)

// Method is what follows lb_kind and lvs_method: NAT, DR, TUN, or TUN with another tunnel
// than ipip, from 2.0.20 on (check_parser.c):
//
//	TUN type gue port 6080 csum
//	TUN type gre
//
// [Service.Method] and [Server.Method] are its words.
type Method struct {
	Kind     string
	Type     string // of a tunnel: "gue" or "gre"; "" for ipip
	Port     uint16 // of gue
	Checksum string // "inner" or "remote"; "" for none
}

var checksumWords = map[string]string{"nocsum": "", "csum": "inner", "remcsum": "remote"}

// String is the method's words. Those of keepalived's defaults are left out.
func (m Method) String() string {
	text := m.Kind
	if m.Type != "" {
		text += " type " + m.Type
	}
	if m.Port != 0 {
		text += " port " + strconv.Itoa(int(m.Port))
	}
	for word, checksum := range checksumWords {
		if checksum != "" && checksum == m.Checksum {
			text += " " + word
		}
	}
	return text
}

// ReadMethod reads the words after lb_kind.
func ReadMethod(words []string) (Method, error) {
	if len(words) == 0 {
		return Method{}, nil
	}
	m := Method{Kind: words[0]}
	for rest := words[1:]; len(rest) > 0; rest = rest[1:] {
		checksum, known := checksumWords[rest[0]]
		switch {
		case known:
			m.Checksum = checksum
			continue
		case len(rest) == 1:
			return m, fmt.Errorf("%q is not known", rest[0])
		case rest[0] == "type":
			m.Type = rest[1]
		case rest[0] == "port":
			port, err := strconv.ParseUint(rest[1], 10, 16)
			if err != nil || port == 0 {
				return m, fmt.Errorf("%q is no port", rest[1])
			}
			m.Port = uint16(port)
		default:
			return m, fmt.Errorf("%q is not known", rest[0])
		}
		rest = rest[1:]
	}
	if m.Type == "ipip" {
		m.Type, m.Checksum = "", "" // it has no checksum, whatever is written
	}
	switch {
	case m.Type != "" && m.Type != "gue" && m.Type != "gre":
		return m, fmt.Errorf("%q is no type of a tunnel", m.Type)
	case (m.Type == "gue") != (m.Port != 0):
		return m, fmt.Errorf("gue needs a port, and no other tunnel has one")
	case m.Kind != "TUN" && m != Method{Kind: m.Kind}:
		return m, fmt.Errorf("only TUN has a tunnel")
	}
	return m, nil
}

// method is [ReadMethod] in the words of [Service.Method]. What it cannot read stays as it
// is: then keepalived refuses the file, or it differs from what is wanted.
func method(b *Block) string {
	if len(b.Words) < 2 {
		return ""
	}
	m, err := ReadMethod(b.Words[1:])
	if err != nil {
		return strings.Join(b.Words[1:], " ")
	}
	return m.String()
}
