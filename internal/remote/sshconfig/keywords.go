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

// keyword is how the value of a keyword is read.
type keyword struct {
	// read turns what follows the keyword into its values: words is the rest of
	// the line split and unquoted, rest is it as written.
	read    func(words []string, rest string) ([]string, error)
	used    bool   // it decides something for lvsctl
	several bool   // each line adds to those before it
	today   string // the keyword that this one is an older spelling of
}

// keywords is every keyword of OpenSSH up to 10.1, with what Debian, Fedora and
// macOS add. Those that decide something for lvsctl stand first.
var keywords = table(
	map[string]keyword{
		"host":  {read: list},
		"match": {read: list}, // read by criteria

		"include":       {read: list, used: true},
		"ignoreunknown": {read: word, used: true},
		"tag":           {read: word, used: true},

		"hostname":         {read: word, used: true},
		"user":             {read: word, used: true},
		"port":             {read: port, used: true},
		"addressfamily":    {read: oneOf("any", "inet", "inet6"), used: true},
		"bindaddress":      {read: word, used: true},
		"bindinterface":    {read: word, used: true},
		"connecttimeout":   {read: duration, used: true},
		"proxyjump":        {read: jump, used: true},
		"proxycommand":     {read: command, used: true},
		"proxyusefdpass":   {read: flag, used: true},
		"refuseconnection": {read: word, used: true},

		"canonicalizehostname":        {read: oneOf("yes", "no", "always"), used: true},
		"canonicaldomains":            {read: noneAlone, used: true},
		"canonicalizemaxdots":         {read: number, used: true},
		"canonicalizefallbacklocal":   {read: flag, used: true},
		"canonicalizepermittedcnames": {read: permitted, used: true},

		"identityfile":             {read: word, used: true, several: true},
		"certificatefile":          {read: word, used: true, several: true},
		"identitiesonly":           {read: flag, used: true},
		"identityagent":            {read: word, used: true},
		"pubkeyauthentication":     {read: oneOf("yes", "no", "unbound", "host-bound"), used: true},
		"preferredauthentications": {read: word, used: true},
		"pubkeyacceptedalgorithms": {read: word, used: true},
		"pkcs11provider":           {read: word, used: true},

		"userknownhostsfile":    {read: noneAlone, used: true},
		"globalknownhostsfile":  {read: noneAlone, used: true},
		"hostkeyalias":          {read: word, used: true},
		"stricthostkeychecking": {read: oneOf("yes", "no", "ask", "off", "accept-new"), used: true},
		"checkhostip":           {read: flag, used: true},
		"knownhostscommand":     {read: command, used: true},
		"revokedhostkeys":       {read: noneAlone, used: true},
		"requiredrsasize":       {read: number, used: true},

		"hostkeyalgorithms":     {read: word, used: true},
		"casignaturealgorithms": {read: word, used: true},
		"kexalgorithms":         {read: word, used: true},
		"ciphers":               {read: word, used: true},
		"macs":                  {read: word, used: true},

		// Older spellings.
		"pubkeyacceptedkeytypes": {today: "pubkeyacceptedalgorithms"},
		"identityfile2":          {today: "identityfile"},
		"dsaauthentication":      {today: "pubkeyauthentication"},
		"smartcarddevice":        {today: "pkcs11provider"},

		// What decides nothing here, but is checked as ssh checks it.
		"connectionattempts":      {read: number},
		"numberofpasswordprompts": {read: number},
		"serveralivecountmax":     {read: number},
		"serveraliveinterval":     {read: duration},
		"forwardx11timeout":       {read: duration},
		"verifyhostkeydns":        {read: oneOf("yes", "no", "ask")},
		"updatehostkeys":          {read: oneOf("yes", "no", "ask")},
		"localcommand":            {read: command},
		"remotecommand":           {read: command},
	},
	all(flag, `batchmode challengeresponseauthentication clearallforwardings compression enableescapecommandline
		enablesshkeysign exitonforwardfailure forkafterauthentication forwardx11 forwardx11trusted gatewayports
		gssapiauthentication gssapidelegatecredentials hashknownhosts hostbasedauthentication
		kbdinteractiveauthentication keepalive nohostauthenticationforlocalhost passwordauthentication
		permitlocalcommand skeyauthentication stdinnull streamlocalbindunlink tcpkeepalive tisauthentication
		visualhostkey`),
	all(anything, `addkeystoagent afstokenpassing channeltimeout cipher compressionlevel controlmaster controlpath
		controlpersist dynamicforward escapechar fallbacktorsh fingerprinthash forwardagent globalknownhostsfile2
		gssapiclientidentity gssapikeyexchange gssapikexalgorithms gssapirenewalforcesrekey gssapiserveridentity
		gssapitrustdns hostbasedacceptedalgorithms hostbasedkeytypes ipqos kbdinteractivedevices
		kerberosauthentication kerberostgtpassing localforward loglevel logverbose obscurekeystroketiming
		permitremoteopen protocol rekeylimit remoteforward requesttty rhostsauthentication rhostsrsaauthentication
		rsaauthentication securitykeyprovider sendenv sessiontype setenv streamlocalbindmask syslogfacility tunnel
		tunneldevice usekeychain useprivilegedport userknownhostsfile2 useroaming usersh versionaddendum
		warnweakcrypto xauthlocation`),
)

func table(parts ...map[string]keyword) map[string]keyword {
	whole := map[string]keyword{}
	for _, p := range parts {
		for name, k := range p {
			whole[name] = k
		}
	}
	return whole
}

// all is several keywords that are read alike and decide nothing for lvsctl.
func all(read func([]string, string) ([]string, error), names string) map[string]keyword {
	some := map[string]keyword{}
	for name := range strings.FieldsSeq(names) {
		some[name] = keyword{read: read}
	}
	return some
}

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

// list reads one word or more.
func list(words []string, _ string) ([]string, error) {
	if len(words) == 0 {
		return nil, errors.New("it has no value")
	}
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
