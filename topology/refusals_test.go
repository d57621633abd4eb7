package topology

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
)

// refusals are topologies that must be refused. want is how each of the diagnostics
// begins; one mistake gives one diagnostic.
var refusals = map[string]struct {
	src  string
	want []string
}{
	"empty vip":              {in("TOP", svc("v", "port=80\nmode=\"nat\"")), []string{"Missing vip"}},
	"no port":                {in("TOP", svc("v", "vip=\"192.0.2.100\"\nmode=\"nat\"")), []string{"Missing port"}},
	"no mode":                {in("TOP", svc("v", "vip=\"192.0.2.100\"\nport=80")), []string{"Missing mode"}},
	"null mode":              {in("TOP", svc("v", "vip=\"192.0.2.100\"\nport=80\nmode=null")), []string{"Missing mode"}},
	"unknown mode":           {in("TOP", svc("v", "vip=\"192.0.2.100\"\nport=80\nmode=\"dsr\"")), []string{"Unknown mode: \"dsr\" is not a mode"}},
	"unknown scheduler":      {in("TOP", svc("v", nat80+`scheduler = "wrrr"`)), []string{"Unknown scheduler"}},
	"unknown protocol":       {in("TOP", svc("v", nat80+`protocol = "tpc"`)), []string{"Unknown protocol: \"tpc\" is not a protocol. It can be \"tcp\", \"udp\" or \"sctp\". Did you mean \"tcp\"?"}},
	"foreign flag":           {in("TOP", svc("v", nat80+"scheduler = \"mh\"\nscheduler_flags = [\"sh-port\"]")), []string{"Flag of another scheduler"}},
	"unknown flag":           {in("TOP", svc("v", nat80+"scheduler = \"sh\"\nscheduler_flags = [\"sh-prot\"]")), []string{"Unknown scheduler flag"}},
	"port too large":         {in("TOP", svc("v", "vip=\"192.0.2.100\"\nport=65536\nmode=\"nat\"")), []string{"Number out of range"}},
	"port with fraction":     {in("TOP", svc("v", "vip=\"192.0.2.100\"\nport=80.5\nmode=\"nat\"")), []string{"Number out of range"}},
	"port huge":              {in("TOP", svc("v", "vip=\"192.0.2.100\"\nport=1e9999999\nmode=\"nat\"")), []string{"Number too large"}},
	"port multiplied":        {in("TOP", svc("v", "vip=\"192.0.2.100\"\nport=pow(10,400)\nmode=\"nat\"")), []string{"Number too large"}},
	"port not a number":      {in("TOP", svc("v", "vip=\"192.0.2.100\"\nport=\"http\"\nmode=\"nat\"")), []string{"Wrong kind of value"}},
	"port 0 not persistent":  {in("TOP", svc("v", "vip=\"192.0.2.100\"\nport=0\nmode=\"nat\"")), []string{"Port 0 without persistence"}},
	"port 0 on own address":  {in("TOP", svc("v", "vip=\"192.0.2.10\"\nport=0\nmode=\"nat\"\npersistence {}")), []string{"Port 0 on a node's own address"}},
	"port differs under dr":  {in("TOP", svc("v", "vip=\"192.0.2.100\"\nport=80\nmode=\"dr\"\nreal_server \"rs-a\" { port = 8080 }")), []string{"Port cannot differ"}},
	"port differs under tun": {in("TOP", svc("v", "vip=\"192.0.2.100\"\nport=80\nmode=\"tun\"\nreal_server \"rs-a\" { port = 8080 }")), []string{"Port cannot differ"}},
	"port differs, own mode": {in("TOP", svc("v", nat80+"real_server \"rs-a\" {\nport = 8080\nmode = \"tun\"\n}")), []string{"Port cannot differ"}},
	"weight too large":       {in("TOP", svc("v", nat80+"real_server \"rs-a\" { weight = 65536 }")), []string{"Number out of range"}},
	"weight negative":        {in("TOP", svc("v", nat80+`real_servers = { "rs-a" = -1 }`)), []string{"Number out of range"}},
	"weight text":            {in("TOP", svc("v", nat80+`real_servers = { "rs-a" = "much" }`)), []string{"Wrong kind of value"}},
	"thresholds crossed":     {in("TOP", svc("v", nat80+"real_server \"rs-a\" {\nupper_threshold = 5\nlower_threshold = 6\n}")), []string{"Thresholds crossed"}},
	"lower alone":            {in("TOP", svc("v", nat80+"real_server \"rs-a\" { lower_threshold = 6 }")), []string{"Thresholds crossed"}},
	"one_packet tcp":         {in("TOP", svc("v", nat80+"one_packet = true")), []string{"one_packet without UDP"}},
	"one_packet nat":         {in("TOP", svc("v", "vip = \"192.0.2.100\"\nport = 53\nprotocol = \"udp\"\nmode = \"nat\"\ndirector = \"lb\"\nreal_servers = [\"rs-a\"]\none_packet = true")), []string{"one_packet with translation"}},
	"sip over tcp":           {in("TOP", svc("v", nat80+"persistence { engine = \"sip\" }")), []string{"Engine for another protocol"}},
	"unknown engine":         {in("TOP", svc("v", nat80+"persistence { engine = \"spi\" }")), []string{"Unknown engine"}},
	"netmask 0":              {in("TOP", svc("v", nat80+"persistence { netmask = \"/0\" }")), []string{"Not a netmask"}},
	"netmask with holes":     {in("TOP", svc("v", nat80+"persistence { netmask = \"255.0.255.0\" }")), []string{"Not a netmask"}},
	"netmask 64 on v4":       {in("TOP", svc("v", nat80+"persistence { netmask = 64 }")), []string{"Not a netmask"}},
	"timeout negative":       {in("TOP", svc("v", nat80+"persistence { timeout = -5 }")), []string{"Duration out of range"}},
	"timeout words":          {in("TOP", svc("v", nat80+"persistence { timeout = \"five\" }")), []string{"Not a duration"}},
	"timeout half":           {in("TOP", svc("v", nat80+"persistence { timeout = \"1500ms\" }")), []string{"Duration out of range"}},
	"mss under nat":          {in("TOP", svc("v", nat80+"mss = 1440")), []string{"mss without a tunnel"}},
	"tunnel under nat":       {in("TOP", svc("v", nat80+"tunnel { type = \"gre\" }")), []string{"tunnel without mode tun: tunnel says what mode \"tun\" wraps packets in, and this service is \"nat\"."}},
	"tunnel of a dr server":  {in("TOP", svc("v", tun80+"real_server \"rs-a\" {\nmode = \"dr\"\ntunnel { type = \"gre\" }\n}")), []string{"tunnel without mode tun: tunnel says what mode \"tun\" wraps packets in, and this real server is \"dr\"."}},
	"tunnel twice":           {in("TOP", svc("v", tun80+"tunnel { type = \"gre\" }\ntunnel { type = \"ipip\" }")), []string{"Duplicate tunnel block"}},
	"tunnel without type":    {in("TOP", svc("v", tun80+"tunnel { port = 6080 }")), []string{"Missing type"}},
	"tunnel of unknown type": {in("TOP", svc("v", tun80+"tunnel { type = \"gee\" }")), []string{"Unknown type: \"gee\" is not a type. It can be \"ipip\", \"gue\" or \"gre\"."}},
	"gue without port":       {in("TOP", svc("v", tun80+"tunnel { type = \"gue\" }")), []string{"Missing port"}},
	"gue port 0":             {in("TOP", svc("v", tun80+"tunnel {\ntype = \"gue\"\nport = 0\n}")), []string{"Number out of range"}},
	"gre with port":          {in("TOP", svc("v", tun80+"tunnel {\ntype = \"gre\"\nport = 6080\n}")), []string{"port without gue: gre is an IP protocol of its own"}},
	"ipip with port":         {in("TOP", svc("v", tun80+"tunnel {\ntype = \"ipip\"\nport = 6080\n}")), []string{"port without gue: ipip is an IP protocol of its own"}},
	"unknown checksum":       {in("TOP", svc("v", tun80+"tunnel {\ntype = \"gue\"\nport = 6080\nchecksum = \"iner\"\n}")), []string{"Unknown checksum: \"iner\" is not a checksum. It can be \"none\", \"inner\" or \"remote\". Did you mean \"inner\"?"}},
	"checksum with ipip":     {in("TOP", svc("v", tun80+"tunnel {\ntype = \"ipip\"\nchecksum = \"none\"\n}")), []string{"checksum with ipip"}},
	"checksum with gre":      {in("TOP", svc("v", tun80+"tunnel {\ntype = \"gre\"\nchecksum = \"inner\"\n}")), []string{"checksum with gre"}},
	"gue port in use": {in("TOP", svc("v", tun80+"tunnel {\ntype = \"gue\"\nport = 53\n}\nreal_servers = [\"rs-a\"]")+
		svc("dns", "vip = \"192.0.2.101\"\nport = 53\nprotocol = \"udp\"\nmode = \"dr\"\ndirector = \"lb\"\nreal_servers = [\"rs-a\"]")), []string{"Port in use: rs-a takes gue packets at UDP port 53 on all of its addresses, and serves dns at that port."}},
	"sorry without keepalived": {in("TOP", svc("v", nat80+`sorry_server = "10.0.0.200:80"`)), []string{"No keepalived here"}},
	"check without keepalived": {in("TOP", svc("v", nat80+"health_check {}")), []string{"No keepalived here"}},
	"fwmark and port":          {in("TOP", svc("v", "fwmark=1\nport=80\nmode=\"nat\"")), []string{"Both fwmark and port"}},
	"fwmark 0":                 {in("TOP", svc("v", "fwmark=0\nmode=\"nat\"")), []string{"Number out of range"}},
	"mark without fwmark":      {in("TOP", svc("v", nat80+"mark { ports = [80] }")), []string{"mark without fwmark"}},
	"mark without vip":         {in("TOP", svc("v", "fwmark=1\nmode=\"nat\"\nmark { ports = [80] }")), []string{"mark without vip"}},
	"mark bad port":            {in("TOP", svc("v", "vip=\"192.0.2.100\"\nfwmark=1\nmode=\"nat\"\nmark { ports = [\"90-80\"] }")), []string{"Not a port"}},
	"mark overlap":             {in("TOP", svc("v", "vip=\"192.0.2.100\"\nfwmark=1\nmode=\"nat\"\nmark { ports = [\"80-90\", 85] }")), []string{"Port marked twice"}},

	"vip leading zero":    {in("TOP", svc("v", "vip=\"192.0.02.100\"\nport=80\nmode=\"nat\"")), []string{"Not a usable address: vip is \"192.0.02.100\": a number in it starts with 0"}},
	"vip multicast":       {in("TOP", svc("v", "vip=\"224.0.0.18\"\nport=80\nmode=\"nat\"")), []string{"Not a usable address"}},
	"vip loopback":        {in("TOP", svc("v", "vip=\"127.0.0.1\"\nport=80\nmode=\"nat\"")), []string{"Not a usable address"}},
	"vip unspecified":     {in("TOP", svc("v", "vip=\"0.0.0.0\"\nport=80\nmode=\"nat\"")), []string{"Not a usable address"}},
	"vip broadcast":       {in("TOP", svc("v", "vip=\"192.0.2.255\"\nport=80\nmode=\"nat\"")), []string{"Not a usable address"}},
	"vip network":         {in("TOP", svc("v", "vip=\"192.0.2.0/24\"\nport=80\nmode=\"nat\"")), []string{"Not a usable address"}},
	"vip mapped":          {in("TOP", svc("v", "vip=\"::ffff:192.0.2.100\"\nport=80\nmode=\"nat\"")), []string{"Not a usable address"}},
	"vip zone":            {in("TOP", svc("v", "vip=\"fe80::1%eth0\"\nport=80\nmode=\"nat\"")), []string{"Not a usable address"}},
	"vip is a rip":        {in("TOP", svc("v", "vip=\"10.0.0.11\"\nport=80\nmode=\"nat\"")), []string{"VIP is a node's own address"}},
	"vip is the client's": {in("TOP", svc("v", "vip=\"192.0.2.99\"\nport=80\nmode=\"nat\"")), []string{"VIP is a node's own address"}},
	"vip is the dip":      {in("TOP", svc("v", "vip=\"10.0.0.1\"\nport=80\nmode=\"nat\"")), []string{"VIP is the DIP"}},
	"service twice":       {in("TOP", web+svc("again", nat80+"real_servers = [\"rs-a\"]")), []string{"Virtual server twice"}},
	"vip in two ways":     {in("TOP", web+svc("again", "vip=\"192.0.2.100/24\"\nport=81\nmode=\"nat\"\nreal_servers = [\"rs-a\"]")), []string{"One VIP in two ways"}},
	"vip device unknown":  {in("TOP", svc("v", nat80+"interface = \"eht0\"")), []string{"Unknown device: lb has no interface \"eht0\". Did you mean \"eth0\"?"}},

	"unknown server":                {in("TOP", svc("v", nat80+`real_servers = ["rs-1", "rss"]`)), []string{"Unknown node: A real server of v is \"rs-1\", and there is no node or group of that name. Did you mean \"rs-a\"?", "Unknown node: A real server of v is \"rss\", and there is no node or group of that name. Did you mean \"rs\"?"}},
	"client as server":              {in("TOP", svc("v", nat80+`real_servers = ["cl"]`)), []string{"Wrong kind of node"}},
	"client as director":            {in("TOP", svc("v", nat80+`director = "cl"`)), []string{"Wrong kind of node"}},
	"unknown director":              {in("TOP", svc("v", nat80+`director = "bl"`)), []string{"Unknown node"}},
	"director, directors":           {in("TOP", svc("v", nat80+"director = \"lb\"\ndirectors = [\"lb\"]")), []string{"Both director and directors"}},
	"directors, none in the group":  {in("TOP", "director \"none\" { for_each = {} }\n"+svc("v", nat80+"directors = [\"none\"]")), []string{"No director"}},
	"unreadable group":              {in("TOP", "real_server \"none\" { for_each = [\"a\"] }\n"+svc("v", nat80+"real_servers = [\"none\", \"none-a\"]")), []string{"for_each of a list"}},
	"unreadable dynamic":            {in("TOP", "variable \"x\" {}\nrouter \"r\" {\naddress = \"h\"\ndynamic \"interface\" {\nfor_each = var.x\nlabels = [interface.key]\ncontent { address = interface.value }\n}\n}"), []string{"Missing value"}},
	"dynamic locals":                {"dynamic \"locals\" {\nfor_each = [1]\ncontent { a = 1 }\n}", []string{"Block cannot be dynamic"}},
	"dynamic unknown":               {"dynamic \"rooter\" {\nfor_each = [1]\ncontent {}\n}", []string{"Unsupported block type"}},
	"directors empty":               {in("TOP", svc("v", nat80+"directors = []")), []string{"No director"}},
	"which director":                {in("TOP", "director \"lb2\" {\ninterface \"eth0\" { address = \"10.0.0.2/24\" }\n}\n"+web), []string{"Which director?"}},
	"server twice, lists":           {in("TOP", svc("v", nat80+`real_servers = ["rs", "rs-a"]`)), []string{"Real server named twice"}},
	"server twice, forms":           {in("TOP", svc("v", nat80+"real_servers = [\"rs-a\"]\nreal_server \"rs-a\" {}")), []string{"Real server named twice"}},
	"other's director":              {in("TOP", "director \"lb2\" {\ninterface \"eth0\" { address = \"10.0.0.2/24\" }\n}\n"+svc("v", nat80+"director = \"lb\"\nreal_servers = [\"lb2\"]")), []string{"Director of another service"}},
	"rip outside, nat":              {in("TOP", "real_server \"far\" {\ninterface \"eth0\" { address = \"10.9.0.1/24\" }\n}\n"+svc("v", nat80+`real_servers = ["far"]`)), []string{"RIP outside the DIP's subnet"}},
	"rip outside, dr":               {in("TOP", "real_server \"far\" {\ninterface \"eth0\" { address = \"192.0.2.55/24\" }\n}\n"+svc("v", "vip=\"192.0.2.100\"\nport=80\nmode=\"dr\"\nreal_servers=[\"far\"]")), []string{"RIP outside the DIP's subnet: far is reached at 192.0.2.55, and the DIP of lb is 10.0.0.1/24. In mode \"dr\" the director hands the packet to the real server's own MAC address, so both are in one subnet. lb is 192.0.2.10 there: set its dip to that."}},
	"director as gateway":           {in("REAL", `gateway = "lb"`, "TOP", svc("v", "vip=\"10.0.0.100\"\nport=80\nmode=\"dr\"\nreal_servers=[\"rs\"]")), []string{"Director as gateway"}},
	"vip as gateway":                {in("REAL", `gateway = "10.0.0.100"`, "TOP", svc("v", "vip=\"10.0.0.100\"\nport=80\nmode=\"dr\"\nreal_servers=[\"rs\"]")), []string{"Director as gateway"}},
	"nat past director":             {in("REAL", `gateway = "10.0.0.254"`, "TOP", web), []string{"Way back misses the director"}},
	"nat and dr":                    {in("TOP", "router \"r\" {\ninterface \"eth0\" { address = \"10.0.0.254/24\" }\n}\n"+web+svc("dns", "vip=\"192.0.2.101\"\nport=53\nmode=\"dr\"\nreal_servers=[\"rs\"]")), []string{"Two default routes wanted: rs-a serves dns, which needs its default route via 10.0.0.254 (dr, the router r), and web, which needs it via 10.0.0.1 (nat, the DIP of lb)."}},
	"two nat directors":             {in("TOP", "director \"lb2\" {\ninterface \"eth0\" { address = \"10.0.0.2/24\" }\n}\n"+svc("v", nat80+"directors = [\"lb\", \"lb2\"]\nreal_servers=[\"rs\"]")), []string{"VIP on several directors", "Two ways back"}},
	"nat by two directors":          {in("TOP", "director \"lb2\" {\ninterface \"eth0\" { address = \"10.0.0.2/24\" }\n}\n"+svc("v", nat80+"director = \"lb\"\nreal_servers=[\"rs\"]")+svc("w", "vip=\"192.0.2.101\"\nport=80\nmode=\"nat\"\ndirector = \"lb2\"\nreal_servers=[\"rs\"]")), []string{"Two default routes wanted"}},
	"nat by two directors, by rule": {in("REAL", `way_back = "rule"`, "TOP", "director \"lb2\" {\ninterface \"eth0\" { address = \"10.0.0.2/24\" }\n}\n"+svc("v", nat80+"director = \"lb\"\nreal_servers=[\"rs\"]")+svc("w", "vip=\"192.0.2.101\"\nport=80\nmode=\"nat\"\ndirector = \"lb2\"\nreal_servers=[\"rs\"]")), []string{"Two ways back: rs-a answers"}},
	"maintenance of a director":     {in("DIRECTOR", `maintenance = true`), []string{"Not for this kind of node: maintenance belongs to a real_server"}},
	"maintenance unclear":           {in("REAL", `maintenance = "soon"`), []string{"Wrong kind of value"}},
	"way back on a director":        {in("DIRECTOR", `way_back = "rule"`), []string{"Not for this kind of node: way_back belongs to a real_server"}},
	"way back by nothing known":     {in("REAL", `way_back = "rules"`), []string{"Unknown way_back"}},
	"two routers":                   {in("TOP", "router \"r\" {\nfor_each = toset([\"1\",\"2\"])\ninterface \"eth0\" { address = \"10.0.0.25${each.key}/24\" }\n}\n"+svc("dns", "vip=\"192.0.2.101\"\nport=53\nmode=\"dr\"\nreal_servers=[\"rs-a\"]")), []string{"Which router?"}},
	"mixed families, nat":           {in("TOP", svc("v", "vip=\"2001:db8::100\"\nport=80\nmode=\"nat\"\nreal_servers=[\"rs\"]")), []string{"No address of this family"}},
	"mixed under sync":              {in("DIRECTOR", "sync {\nrole = \"master\"\ninterface = \"eth0\"\n}", "TOP", svc("v", "vip=\"2001:db8::100\"\nport=80\nmode=\"tun\"\nreal_servers=[\"rs\"]")), []string{"Mixed families under sync"}},

	"node twice":                {in("TOP", "router \"lb\" {\ninterface \"eth0\" { address = \"10.0.0.254/24\" }\n}"), []string{"Name given twice"}},
	"node like group":           {in("TOP", "router \"rs\" {\ninterface \"eth0\" { address = \"10.0.0.254/24\" }\n}"), []string{"Name given twice"}},
	"node like member":          {in("TOP", "router \"rs-a\" {\ninterface \"eth0\" { address = \"10.0.0.254/24\" }\n}"), []string{"Name given twice"}},
	"service name twice":        {in("TOP", web+web), []string{"Name given twice"}},
	"interface twice":           {in("DIRECTOR", `interface "eth0" { address = "10.1.0.1/24" }`), []string{"Interface twice"}},
	"address on two":            {in("TOP", "router \"r\" {\ninterface \"eth0\" { address = \"10.0.0.11/24\" }\n}"), []string{"Address given twice"}},
	"address twice":             {in("DIRECTOR", `interface "eth2" { addresses = ["10.1.0.1/24", "10.1.0.1/24"] }`), []string{"Address twice"}},
	"address no prefix":         {in("DIRECTOR", `interface "eth2" { address = "10.1.0.1" }`), []string{"Not a usable address: address is \"10.1.0.1\": it has no prefix length"}},
	"address network":           {in("DIRECTOR", `interface "eth2" { address = "10.1.0.0/24" }`), []string{"Not a usable address"}},
	"address broadcast":         {in("DIRECTOR", `interface "eth2" { address = "10.1.0.255/24" }`), []string{"Not a usable address"}},
	"address long prefix":       {in("DIRECTOR", `interface "eth2" { address = "10.1.0.1/33" }`), []string{"Not a usable address"}},
	"no address":                {in("TOP", "real_server \"x\" {\ninterface \"eth0\" {}\n}"), []string{"Node without address"}},
	"dip not own":               {in("TOP", "director \"x\" {\ninterface \"eth0\" { address = \"10.0.0.77/24\" }\ndip = \"10.0.0.78\"\n}"), []string{"Not an address of this node"}},
	"dip of a router":           {in("TOP", "router \"x\" {\ninterface \"eth0\" { address = \"10.0.0.77/24\" }\ndip = \"10.0.0.77\"\n}"), []string{"Not for this kind of node: dip belongs to a director, and this is a router."}},
	"gateway off subnet":        {in("DIRECTOR", `gateway = "172.16.0.1"`), []string{"Gateway out of reach"}},
	"gateway itself":            {in("DIRECTOR", `gateway = "lb"`), []string{"Gateway to itself"}},
	"gateway a group":           {in("DIRECTOR", `gateway = "rs"`), []string{"A group where one node is wanted"}},
	"gateway no address":        {in("DIRECTOR", `gateway = "10.0.0.256"`), []string{"Not a usable address"}},
	"gateway unknown":           {in("DIRECTOR", `gateway = "c1"`), []string{"Unknown node"}},
	"two gateways":              {in("DIRECTOR", `gateway = ["10.0.0.254", "192.0.2.1"]`), []string{"Two default routes"}},
	"route nowhere":             {in("DIRECTOR", "route { to = \"10.9.0.0/16\" }"), []string{"Route to nowhere"}},
	"route host bits":           {in("DIRECTOR", "route {\nto = \"10.9.0.1/16\"\nvia = \"10.0.0.254\"\n}"), []string{"Not a subnet"}},
	"route default":             {in("DIRECTOR", "route {\nto = \"0.0.0.0/0\"\nvia = \"10.0.0.254\"\n}"), []string{"Default route"}},
	"route two families":        {in("DIRECTOR", "route {\nto = \"2001:db8::/32\"\nvia = \"10.0.0.254\"\n}"), []string{"Two address families"}},
	"route device":              {in("DIRECTOR", "route {\nto = \"10.9.0.0/16\"\ndev = \"eth9\"\n}"), []string{"Unknown device"}},
	"sysctl nonsense":           {in("DIRECTOR", `sysctl = { "../../etc/passwd" = 1 }`), []string{"Not a kernel parameter"}},
	"sysctl core_pattern":       {in("DIRECTOR", `sysctl = { "kernel.core_pattern" = "|/tmp/x" }`), []string{"Kernel parameter that runs programs: By \"kernel.core_pattern\" the kernel pipes every core dump into a program."}},
	"sysctl modprobe, slashes":  {in("DIRECTOR", `sysctl = { "kernel/modprobe" = "/tmp/x" }`), []string{"Kernel parameter that runs programs"}},
	"sysctl hotplug":            {in("DIRECTOR", `sysctl = { "kernel.hotplug" = "/tmp/x" }`), []string{"Kernel parameter that runs programs"}},
	"sysctl poweroff_cmd":       {in("DIRECTOR", `sysctl = { "kernel.poweroff_cmd" = "/tmp/x" }`), []string{"Kernel parameter that runs programs"}},
	"sysctl usermodehelper":     {in("DIRECTOR", `sysctl = { "kernel.usermodehelper.bset" = "1" }`), []string{"Kernel parameter that runs programs"}},
	"sysctl binfmt_misc":        {in("DIRECTOR", `sysctl = { "fs.binfmt_misc.register" = ":x:M::MZ::/tmp/x:" }`), []string{"Kernel parameter that runs programs"}},
	"sysctl of a VLAN":          {in("DIRECTOR", `sysctl = { "net.ipv4.conf.bond0.100.rp_filter" = 2 }`), []string{"Dot in a device's name: \"net.ipv4.conf.bond0.100.rp_filter\" takes each dot for a separator. As with sysctl(8), the dot of bond0.100 is written as a slash, or the separators are: \"net.ipv4.conf.bond0/100.rp_filter\" or \"net/ipv4/conf/bond0.100/rp_filter\"."}},
	"sysctl of a VLAN, slashes": {in("DIRECTOR", `sysctl = { "net/ipv6/conf/eth0/1/2/forwarding" = 1 }`), []string{"Dot in a device's name"}},
	"sysctl twice":              {in("DIRECTOR", `sysctl = { "net.ipv4.ip_forward" = 1, "net/ipv4/ip_forward" = 0 }`), []string{"Kernel parameter twice"}},
	"sysctl bool":               {in("DIRECTOR", `sysctl = { "net.ipv4.ip_forward" = true }`), []string{"Wrong kind of value"}},
	"rp_filter 3":               {in("DIRECTOR", `interface "eth2" { rp_filter = 3 }`), []string{"Number out of range"}},
	"unknown persist":           {in("DIRECTOR", `persist = "networkmanger"`), []string{"Unknown persist: \"networkmanger\" is not a persist. It can be \"auto\", \"network-scripts\", \"networkmanager\", \"ifupdown\", \"netplan\", \"networkd\" or \"none\". Did you mean \"networkmanager\"?"}},
	"unknown attribute":         {in("DIRECTOR", `gatway = "cl"`), []string{"Unsupported argument: An argument named \"gatway\" is not expected here. Did you mean \"gateway\"?"}},
	"unknown block":             {in("TOP", "reel_server \"x\" {}"), []string{"Unsupported block type: Blocks of type \"reel_server\" are not expected here. Did you mean \"real_server\"?"}},
	"second ssh":                {in("TOP", "ssh {}\nssh {}"), []string{"Second ssh block"}},
	"two machines in one":       {in("TOP", "router \"x\" {\naddress = \"h\"\ninterface \"eth0\" { address = \"10.0.0.77/24\" }\n}\nrouter \"y\" {\naddress = \"h\"\ninterface \"eth0\" { address = \"10.0.0.78/24\" }\n}"), []string{"Two nodes at one address"}},

	"device too long":  {in("DIRECTOR", `interface "enp0s31f6.100000" {}`), []string{"Not a device"}},
	"device a label":   {in("DIRECTOR", `interface "eth0:1" {}`), []string{"Not a device"}},
	"device a flag":    {in("DIRECTOR", `interface "-f" {}`), []string{"Not a device"}},
	"device a path":    {in("DIRECTOR", `interface "../x" {}`), []string{"Not a device"}},
	"device a command": {in("DIRECTOR", `interface "$(reboot)" {}`), []string{"Not a device"}},
	"device alike":     {in("DIRECTOR", "interface \"\u0435th0\" {}"), []string{"Not a device: The interface is \"\\u0435th0\"."}},
	"name with blank":  {in("TOP", "router \"a b\" {}"), []string{"Not a name"}},
	"name a path":      {in("TOP", "router \"../b\" {}"), []string{"Not a name"}},
	"name too long":    {in("TOP", "router \""+strings.Repeat("a", 1<<20)+"\" {}"), []string{"Not a name"}},
	"null in for_each": {in("TOP", "router \"r\" {\nfor_each = toset([\"a\", null])\naddress = each.key\n}"), []string{"Null in for_each"}},
	"null alone":       {in("TOP", "router \"r\" {\nfor_each = toset([tostring(null)])\naddress = each.key\n}"), []string{"Null in for_each"}},
	"set of numbers":   {in("TOP", "router \"r\" {\nfor_each = toset([1, 2])\naddress = each.key\n}"), []string{"Wrong kind of value"}},
	"key not a name":   {in("TOP", "router \"r\" {\nfor_each = toset([\"a b\"])\n}"), []string{"Not a name"}},
	"newline in path":  {in("TOP", "ssh { identity_file = \"a\\nb\" }"), []string{"Control character in text"}},
	"zero in path":     {in("TOP", "ssh { identity_file = \"a\\u0000b\" }"), []string{"Control character in text"}},
	"override in path": {in("TOP", "ssh { identity_file = \"a\\u202eb\" }"), []string{"Control character in text"}},
	"user a flag":      {in("TOP", "ssh { user = \"-oProxyCommand=x\" }"), []string{"Not a user"}},
	"jump a flag":      {in("TOP", "ssh { proxy_jump = \"-oProxyCommand=x\" }"), []string{"Not a jump host"}},
	"address a flag":   {in("TOP", "router \"r\" { address = \"-oProxyCommand=x\" }"), []string{"Not an address"}},
	"host key words":   {in("TOP", "ssh { host_key = \"my key\" }"), []string{"Not a public key"}},
	"text too long":    {in("TOP", "ssh { identity_file = \""+strings.Repeat("a", 1<<20)+"\" }"), []string{"Text too long"}},
	"deep parentheses": {"locals {\n x = " + strings.Repeat("(", 100000) + "1" + strings.Repeat(")", 100000) + "\n}", []string{"Expression too deep"}},
	"long chain":       {"locals {\n x = 1" + strings.Repeat("+1", 500000) + "\n}", []string{"Expression too deep"}},
	"many minuses":     {"locals {\n x = " + strings.Repeat("-", 500000) + "1\n}", []string{"Expression too deep"}},
	"deep templates":   {"locals {\n x = " + strings.Repeat("\"${", 50000) + "1" + strings.Repeat("}\"", 50000) + "\n}", []string{"Expression too deep"}},
	"deep conditions":  {"locals {\n x = " + strings.Repeat("true ? 1 : ", 50000) + "1\n}", []string{"Expression too deep"}},
	"deep directives":  {"locals {\n x = \"" + strings.Repeat("%{if true}", 50000) + strings.Repeat("%{endif}", 50000) + "\"\n}", []string{"Expression too deep"}},
	"long for":         {"locals {\n x = { for k, v in {}: k => 1" + strings.Repeat("\n+1", 50000) + " }\n}", []string{"Expression too deep"}},
	"deep blocks":      {strings.Repeat("a {\n", 50000) + strings.Repeat("}\n", 50000), []string{"Expression too deep"}},

	"vrrp router id":   {in("TOP", "vrrp_instance \"v\" {\ndirectors = [\"lb\"]\ninterface = \"eth0\"\nvirtual_router_id = 256\n}"), []string{"Number out of range"}},
	"vrrp device":      {in("TOP", "vrrp_instance \"v\" {\ndirectors = [\"lb\"]\ninterface = \"eth8\"\nvirtual_router_id = 5\n}"), []string{"Unknown device"}},
	"vrrp password":    {in("TOP", "vrrp_instance \"v\" {\ndirectors = [\"lb\"]\ninterface = \"eth0\"\nvirtual_router_id = 5\nauth_pass = \"far too long\"\n}"), []string{"Not a VRRP password: auth_pass has 1 to 8"}},
	"vrrp priorities":  {in("TOP", "vrrp_instance \"v\" {\ndirectors = [\"lb\"]\ninterface = \"eth0\"\nvirtual_router_id = 5\npriorities = [100, 90]\n}"), []string{"Priorities do not match"}},
	"vrrp incomplete":  {in("TOP", "vrrp_instance \"v\" {\n}"), []string{"Missing directors", "Missing interface", "Missing virtual_router_id"}},
	"vrrp not a group": {in("TOP", "vrrp_instance \"v\" {\ndirectors = [\"rs\"]\ninterface = \"eth0\"\nvirtual_router_id = 5\n}"), []string{"Wrong kind of node"}},
}

func TestRefusals(t *testing.T) {
	for name, test := range refusals {
		t.Run(name, func(t *testing.T) {
			_, diags := loadText(t, test.src, Options{})
			if !diags.HasErrors() {
				t.Error("not refused")
			}
			if d := cmp.Diff(test.want, beginnings(t, diags, test.want)); d != "" {
				t.Errorf("diagnostics (-want +have):\n%s", d)
			}
		})
	}
}

// beginnings shortens each diagnostic to the wanted text that it begins with, if there is
// one.
func beginnings(t *testing.T, diags hcl.Diagnostics, want []string) []string {
	var have []string
	for _, d := range diags {
		// This warning comes from the test's topologies, not from the mistakes in them.
		if d.Summary == "Virtual server without real servers" {
			continue
		}
		if d.Subject == nil {
			t.Errorf("%q has no place in the file", d.Summary)
		}
		line := d.Summary + ": " + d.Detail
		for _, w := range want {
			if strings.HasPrefix(line, w) {
				line = w
				break
			}
		}
		have = append(have, line)
	}
	return have
}
