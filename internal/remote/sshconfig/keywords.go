package sshconfig

import "strings"

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
		"canonicaldomains":            {read: domains, used: true},
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
		"revokedhostkeys":       {read: revoked, used: true},
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
