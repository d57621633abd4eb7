package shell

import (
	"embed"
	"strings"
)

// Function is a function of the shell that lvsctl brings to a node. What it takes
// stands in the comment above it, in its file.
type Function string

// The functions that commands and scripts call.
const (
	// Of changes, and so of plans.
	AddAddress         Function = "lvsctl_add_address"
	Announce           Function = "lvsctl_announce"
	Block              Function = "lvsctl_block"
	Drain              Function = "lvsctl_drain"
	File               Function = "lvsctl_file"
	Holds              Function = "lvsctl_holds"
	Install            Function = "lvsctl_install"
	Keepalived         Function = "lvsctl_keepalived"
	KeepalivedAway     Function = "lvsctl_keepalived_away"
	KeepalivedConf     Function = "lvsctl_keepalived_conf"
	MendServer         Function = "lvsctl_mend_server"
	MuteICMP           Function = "lvsctl_mute_icmp"
	PromoteSecondaries Function = "lvsctl_promote_secondaries"
	RefreshRoute       Function = "lvsctl_refresh_route"
	ReplyRoute         Function = "lvsctl_reply_route"
	ReplyRouteEnd      Function = "lvsctl_reply_route_end"
	Systemctl          Function = "lvsctl_systemctl"
	Yield              Function = "lvsctl_yield"

	// Of the scripts that carry changes out.
	Arm           Function = "lvsctl_arm"
	Begin         Function = "lvsctl_begin"
	Begun         Function = "lvsctl_begun"
	BeginRollback Function = "lvsctl_begin_rollback"
	Clear         Function = "lvsctl_clear"
	Disarm        Function = "lvsctl_disarm"
	DrainBegin    Function = "lvsctl_drain_begin"
	Fire          Function = "lvsctl_fire"
	Lock          Function = "lvsctl_lock"
	Mark          Function = "lvsctl_mark"
	Together      Function = "lvsctl_together"
	PlaceRecord   Function = "lvsctl_place_record"
	Probe         Function = "lvsctl_probe"
	ProbeAgain    Function = "lvsctl_probe_again"
	PutOff        Function = "lvsctl_put_off"
	RemoveRecord  Function = "lvsctl_remove_record"
	Report        Function = "lvsctl_report"
	Reopen        Function = "lvsctl_reopen"
	RestoreServer Function = "lvsctl_restore_server"
	Say           Function = "lvsctl_say"
	Settle        Function = "lvsctl_settle"
	StopSync      Function = "lvsctl_stop_sync"
	StageRecord   Function = "lvsctl_stage_record"
	SyncUnits     Function = "lvsctl_sync_units"
	Order         Function = "lvsctl_order"
	Text          Function = "lvsctl_text"
	Transaction   Function = "lvsctl_transaction"
	EndRollback   Function = "lvsctl_end_rollback"
	WriteRecord   Function = "lvsctl_write_record"

	// Of the boot script that a node keeps.
	IsUp Function = "lvsctl_is_up"

	// Of the script that reads a node.
	HasIP          Function = "lvsctl_has_ip"
	ReadBlocks     Function = "lvsctl_read_blocks"
	ReadBoot       Function = "lvsctl_read_boot"
	ReadClock      Function = "lvsctl_read_clock"
	ReadCan        Function = "lvsctl_read_can"
	ReadCounters   Function = "lvsctl_read_counters"
	ReadDaemons    Function = "lvsctl_read_daemons"
	ReadFacts      Function = "lvsctl_read_facts"
	ReadFiles      Function = "lvsctl_read_files"
	ReadFOUs       Function = "lvsctl_read_fous"
	ReadHolders    Function = "lvsctl_read_holders"
	ReadIP         Function = "lvsctl_read_ip"
	ReadKeepalived Function = "lvsctl_read_keepalived"
	ReadListing    Function = "lvsctl_read_listing"
	ReadModules    Function = "lvsctl_read_modules"
	ReadOthers     Function = "lvsctl_read_others"
	ReadOwners     Function = "lvsctl_read_owners"
	ReadPackages   Function = "lvsctl_read_packages"
	ReadRecord     Function = "lvsctl_read_record"
	ReadRecorded   Function = "lvsctl_read_recorded"
	ReadRules      Function = "lvsctl_read_rules"
	ReadSchedulers Function = "lvsctl_read_schedulers"
	ReadSysctls    Function = "lvsctl_read_sysctls"
	ReadTable      Function = "lvsctl_read_table"
	ReadThresholds Function = "lvsctl_read_thresholds"
	ReadTimeouts   Function = "lvsctl_read_timeouts"
	ReadVRRP       Function = "lvsctl_read_vrrp"
	ReadUnits      Function = "lvsctl_read_units"
	Section        Function = "lvsctl_section"

	// Of a drain that waits.
	ReadClients     Function = "lvsctl_read_clients"
	ReadConnections Function = "lvsctl_read_connections"

	// Of every script.
	Environment Function = "lvsctl_environment"
	Frame       Function = "lvsctl_frame"
	FrameHeld   Function = "lvsctl_frame_held"
	FrameNext   Function = "lvsctl_frame_next"

	// What only other functions, or the end of a script, call.
	findRelease   Function = "lvsctl_find_release"
	findRun       Function = "lvsctl_find_run"
	giveBack      Function = "lvsctl_give_back"
	grepSysctls   Function = "lvsctl_grep_sysctls"
	keepAway      Function = "lvsctl_keep_away"
	keepaliveds   Function = "lvsctl_keepaliveds"
	refreshRoutes Function = "lvsctl_refresh_routes"
	runs          Function = "lvsctl_runs"
	syncFiles     Function = "lvsctl_sync"
)

// definition is what is known of a function.
type definition struct {
	file string // where it stands, with others of its subject
	// needs are the functions of other files that its file calls.
	needs []Function
	// closes is what has to be called once at the end of a script that calls it; ""
	// for nothing.
	closes Function
}

// functions is every function.
var functions = map[Function]definition{
	AddAddress:         {file: "address.sh"},
	Announce:           {file: "announce.sh"},
	Block:              {file: "files.sh", needs: []Function{syncFiles}},
	Drain:              {file: "drain.sh", needs: []Function{PutOff}},
	Install:            {file: "install.sh", needs: []Function{findRun, runs}},
	File:               {file: "files.sh", needs: []Function{syncFiles}},
	Holds:              {file: "keepaliveds.sh"},
	Keepalived:         {file: "keepalived.sh", needs: []Function{Together, KeepalivedConf, PromoteSecondaries, PutOff, keepaliveds, runs}},
	KeepalivedAway:     {file: "keepalived.sh", needs: []Function{Together, KeepalivedConf, PromoteSecondaries, PutOff, keepaliveds, runs}},
	KeepalivedConf:     {file: "keepalived_conf.sh", needs: []Function{Say, keepaliveds, syncFiles}},
	MendServer:         {file: "server.sh"},
	Yield:              {file: "yield.sh", needs: []Function{Holds}},
	MuteICMP:           {file: "mute_icmp.sh", needs: []Function{giveBack}, closes: giveBack},
	PromoteSecondaries: {file: "promote.sh", needs: []Function{giveBack}, closes: giveBack},
	RefreshRoute:       {file: "refresh_route.sh", needs: []Function{giveBack, PutOff}, closes: refreshRoutes},
	ReplyRoute:         {file: "reply_route.sh", needs: []Function{findRun}},
	ReplyRouteEnd:      {file: "reply_route.sh", needs: []Function{findRun}},
	Systemctl:          {file: "systemctl.sh", needs: []Function{runs}},

	Arm:           {file: "transaction.sh", needs: []Function{Say, Transaction, keepAway, runs}},
	Begin:         {file: "step.sh", needs: []Function{PutOff, Say}},
	Begun:         {file: "rollback.sh", needs: []Function{giveBack, runs, syncFiles}},
	BeginRollback: {file: "rollback.sh", needs: []Function{giveBack, runs, syncFiles}},
	Clear:         {file: "transaction.sh", needs: []Function{Say, Transaction, keepAway, runs}},
	Disarm:        {file: "transaction.sh", needs: []Function{Say, Transaction, keepAway, runs}},
	DrainBegin:    {file: "drain.sh", needs: []Function{PutOff}},
	Fire:          {file: "transaction.sh", needs: []Function{Say, Transaction, keepAway, runs}},
	Lock:          {file: "lock.sh", needs: []Function{Say, findRun, giveBack, runs}},
	Together:      {file: "joint_reload.sh", needs: []Function{PutOff, Say, Fire, findRun}},
	Mark:          {file: "step.sh", needs: []Function{PutOff, Say}},
	PlaceRecord:   {file: "record.sh", needs: []Function{Say, syncFiles}},
	Probe:         {file: "probe.sh", needs: []Function{Say}},
	ProbeAgain:    {file: "probe.sh", needs: []Function{Say}},
	PutOff:        {file: "deadline.sh", needs: []Function{findRun}},
	RemoveRecord:  {file: "record.sh", needs: []Function{Say, syncFiles}},
	Report:        {file: "report.sh"},
	Reopen:        {file: "transaction.sh", needs: []Function{Say, Transaction, keepAway, runs}},
	RestoreServer: {file: "server.sh"},
	Say:           {file: "report.sh"},
	Settle:        {file: "keepalived_conf.sh", needs: []Function{Say, keepaliveds, syncFiles}},
	StopSync:      {file: "keepaliveds.sh"},
	SyncUnits:     {file: "disk.sh"},
	StageRecord:   {file: "record.sh", needs: []Function{Say, syncFiles}},
	Order:         {file: "joint_reload.sh", needs: []Function{PutOff, Say, Fire, findRun}},
	Text:          {file: "keepalived_conf.sh", needs: []Function{Say, keepaliveds, syncFiles}},
	Transaction:   {file: "deadline.sh", needs: []Function{findRun}},
	EndRollback:   {file: "rollback.sh", needs: []Function{giveBack, runs, syncFiles}},
	WriteRecord:   {file: "record.sh", needs: []Function{Say, syncFiles}},

	IsUp: {file: "boot.sh"},

	HasIP:          {file: "section.sh"},
	ReadBlocks:     {file: "read_files.sh"},
	ReadBoot:       {file: "read_boot.sh"},
	ReadClock:      {file: "read_traffic.sh", needs: []Function{ReadTable}},
	ReadCan:        {file: "read_facts.sh", needs: []Function{findRelease, ReadIP}},
	ReadCounters:   {file: "read_traffic.sh", needs: []Function{ReadTable}},
	ReadDaemons:    {file: "read_ipvs.sh"},
	ReadListing:    {file: "read_traffic.sh", needs: []Function{ReadTable}},
	ReadFacts:      {file: "read_facts.sh", needs: []Function{findRelease, ReadIP}},
	ReadFiles:      {file: "read_files.sh"},
	ReadFOUs:       {file: "read_fous.sh", needs: []Function{ReadModules}},
	ReadHolders:    {file: "read_holders.sh"},
	ReadIP:         {file: "read_ip.sh"},
	ReadKeepalived: {file: "read_keepalived.sh", needs: []Function{keepaliveds, runs}},
	ReadModules:    {file: "read_names.sh", needs: []Function{findRelease}},
	ReadOthers:     {file: "read_record.sh", needs: []Function{grepSysctls}},
	ReadOwners:     {file: "read_owners.sh"},
	ReadPackages:   {file: "read_names.sh", needs: []Function{findRelease}},
	ReadRecord:     {file: "read_record.sh", needs: []Function{grepSysctls}},
	ReadRecorded:   {file: "read_record.sh", needs: []Function{grepSysctls}},
	ReadRules:      {file: "read_rules.sh", needs: []Function{findRelease}},
	ReadSchedulers: {file: "read_facts.sh", needs: []Function{findRelease, ReadIP}},
	ReadSysctls:    {file: "read_sysctls.sh"},
	ReadTable:      {file: "read_ipvs.sh"},
	ReadThresholds: {file: "read_ipvs.sh"},
	ReadTimeouts:   {file: "read_ipvs.sh"},
	ReadVRRP:       {file: "read_vrrp.sh"},
	ReadUnits:      {file: "read_names.sh", needs: []Function{findRelease}},
	Section:        {file: "section.sh"},

	ReadClients:     {file: "read_connections.sh", needs: []Function{ReadTable}},
	ReadConnections: {file: "read_connections.sh", needs: []Function{ReadTable}},

	Environment: {file: "environment.sh"},
	Frame:       {file: "frame.sh"},
	FrameHeld:   {file: "frame.sh"},
	FrameNext:   {file: "frame.sh"},

	findRelease:   {file: "release.sh"},
	findRun:       {file: "run.sh"},
	giveBack:      {file: "borrow.sh", needs: []Function{findRun}},
	grepSysctls:   {file: "read_sysctls.sh"},
	runs:          {file: "process.sh"},
	syncFiles:     {file: "disk.sh"},
	keepAway:      {file: "keep_away.sh", needs: []Function{PutOff, runs}},
	keepaliveds:   {file: "keepaliveds.sh"},
	refreshRoutes: {file: "refresh_route.sh", needs: []Function{giveBack, PutOff}, closes: giveBack},
}

//go:embed *.sh
var files embed.FS

// text is a file as it is sent: without its comments.
func text(file string) string {
	all, err := files.ReadFile(file)
	if err != nil {
		panic(err) // the table names a file that is not there
	}
	var b strings.Builder
	for line := range strings.Lines(string(all)) {
		if bare := strings.TrimSpace(line); bare != "" && !strings.HasPrefix(bare, "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// SaveTable is a program that a node keeps, see save_table.sh, a line each.
func SaveTable() []string { return kept("save_table.sh") }

// IfUp is the end of a program that a node keeps, see if_up.sh, a line each.
func IfUp() []string { return kept("if_up.sh") }

// kept are a file's lines, comments included.
func kept(file string) []string {
	all, err := files.ReadFile(file)
	if err != nil {
		panic(err)
	}
	return strings.Split(strings.TrimSuffix(string(all), "\n"), "\n")
}
