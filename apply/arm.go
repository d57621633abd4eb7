package apply

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/live"
	"github.com/lvsctl/lvsctl/internal/shell"
	"github.com/lvsctl/lvsctl/plan"
)

// rollbackScript is what a node runs to put itself back: when its time is up
// ("timer") or when it is told to ("now"). Whoever renames the file armed first,
// this script or the confirmation, has the word; the other does nothing. Its new
// name says which process has it.
//
// It undoes, last first, the steps whose mark says that they were begun. Every
// inverse is tried whatever became of the others, and however little of the node
// works. The record gets its old text if all went well; otherwise it goes on
// naming what may still be ours, and the apply, which looks at the result by
// itself, decides.
//
// Of builtins only regular ones are redirected: sh ends where a special one's
// file cannot be opened.
func rollbackScript(t *transaction, topology string) string {
	var b strings.Builder
	b.WriteString(`PATH=/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin:/usr/local/bin; LC_ALL=C; export PATH LC_ALL
x=${0%/*}
if [ "$1" = timer ]; then
  while [ -e "$x/armed" ] && read -r up rest </proc/uptime; do
    # Empty while a step puts it off just now: look again.
    d=; read -r d <"$x/deadline"
    [ -z "$d" ] || [ "${up%%.*}" -lt "$d" ] || break
    sleep 1
  done
fi
mv "$x/armed" "$x/firing.$$" 2>/dev/null || exit 0
if [ "$1" = timer ] && command -v logger >/dev/null; then
  logger -t lvsctl "nobody confirmed the change of ` + topology + `: putting this node back"
fi
# The shell that changes things may still run, cut off from whoever began it, or
# wait for a command that would do its work after all of this.
stop() {
  [ "$1" != "$$" ] && kill -STOP "$1" 2>/dev/null || return 1
  for s in /proc/[0-9]*/stat; do
    { read -r l <"$s"; } 2>/dev/null || continue
    l=${l##*) ? }
    if [ "${l%% *}" = "$1" ]; then s=${s%/stat}; (stop "${s##*/}"); fi
  done
  kill -9 "$1"
}
if p=$(cat "$x/changer" 2>/dev/null) && stop "$p"; then sleep 1; fi
log=$x/log; { true >>"$log"; } 2>/dev/null || log=/dev/null
t() { "$@"; }
if timeout 9 true 2>/dev/null; then t() { timeout 20 "$@"; }; fi
failed=
`)
	hushes, sticks := functions(&b, t.actions)
	if hushes {
		b.WriteString("lvsctl_limited=t\n")
	}
	for _, a := range slices.Backward(t.actions) {
		fmt.Fprintf(&b, "if [ -e \"$x/b/%d\" ]; then\n", a.ID)
		for _, c := range undo(a) {
			limit := "t "
			if c.To != "" || strings.HasPrefix(c.Args[0], "lvsctl_") {
				limit = "" // the shell's own: there may be no other
			}
			fmt.Fprintf(&b, "  { %s%s; } >>\"$log\" 2>&1 || failed=\"$failed %d\"\n", limit, c, a.ID)
		}
		if len(undo(a)) == 0 {
			b.WriteString("  :\n")
		}
		b.WriteString("fi\n")
	}
	if sticks {
		b.WriteString("lvsctl_unstuck >>\"$log\" 2>&1\n")
	}
	if hushes {
		b.WriteString("lvsctl_unhush >>\"$log\" 2>&1\n")
	}
	path := shell.Quote(live.RecordPath(topology))
	fmt.Fprintf(&b, "rm -f %s.new\nif [ -z \"$failed\" ]; then\n", path)
	if t.record == "" {
		fmt.Fprintf(&b, "  rm -f %s; rmdir %s 2>/dev/null\n", path, shell.Quote(live.RecordDir))
	} else {
		fmt.Fprintf(&b, "  cp \"$x/record\" %[1]s.old && mv -f %[1]s.old %[1]s || rm -f %[1]s.old\n", path)
	}
	b.WriteString(`fi
printf 'rolled back%s\n' "$failed" >"$x/result.new" && mv "$x/result.new" "$x/result"
mv "$x/firing.$$" "$x/fired"
`)
	return b.String()
}

// undo is an action's inverse. A server that was quiesced may be there still,
// with no weight: then it is not added back but given its weight again.
func undo(a *plan.Action) []shell.Command {
	if len(a.Quiesce) == 0 {
		return a.Undo
	}
	var commands []shell.Command
	for _, c := range a.Undo {
		edit := shell.Command{Args: slices.Clone(c.Args), To: c.To}
		if i := slices.Index(edit.Args, "-a"); i >= 0 {
			edit.Args[i] = "-e"
		}
		commands = append(commands, shell.Cmd("sh", "-c", edit.String()+" 2>/dev/null || "+c.String()))
	}
	return commands
}

// writeArm writes the rollback and its timer to a folder that root alone can
// read and no reboot survives, starts the timer, and makes sure that it runs.
// Nothing was changed when any of it fails.
func writeArm(b *strings.Builder, t *transaction, topology string, seconds int) {
	q := shell.Quote
	fmt.Fprintf(b, `arm() {
  umask 077
  mkdir "$x" "$x/b" && printf '%%s' %[1]s >"$x/rollback.sh" && printf '%%s\n' %[2]s >"$x/record" && put_off || return 1
  # Of the subshell that this is, not of the shell it was forked from: $$.
  sh -c 'printf "%%s\n" "$PPID"' >"$x/changer" && true >"$x/armed" || return 1
  if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
    systemd-run --quiet --on-active=%[3]ds --timer-property=AccuracySec=100ms --unit="lvsctl-rollback-%[4]s" \
      /bin/sh "$x/rollback.sh" timer && systemctl is-active --quiet "lvsctl-rollback-%[4]s.timer"
    return
  fi
  if command -v setsid >/dev/null; then
    setsid /bin/sh "$x/rollback.sh" timer </dev/null >/dev/null 2>&1 9>&- &
  else
    (trap '' HUP; exec /bin/sh "$x/rollback.sh" timer) </dev/null >/dev/null 2>&1 9>&- &
  fi
  kill -0 "$!"
}
if arm 2>&1; then a; else rm -rf "$x"; r 'cannot arm the rollback'; return 0; fi
trap 'rm -f "$x/changer"' EXIT
`, q(rollbackScript(t, topology)), q(t.record), seconds, t.id)
}

// writeDisarm claims the transaction for good before its timer can, then clears
// it away; too late is reported as such.
func writeDisarm(b *strings.Builder, t *transaction) {
	fmt.Fprintf(b, runFolder+`x=$r/%[1]s
if ! mv "$x/armed" "$x/confirmed" 2>/dev/null; then r 'too late'; return 0; fi
`, t.id)
}

// writeClear takes a finished transaction's folder and timer away.
func writeClear(b *strings.Builder, t *transaction) {
	fmt.Fprintf(b, runFolder+`if command -v systemctl >/dev/null; then systemctl stop 'lvsctl-rollback-%[1]s.timer' 2>/dev/null; fi
rm -rf "$r/%[1]s" "$r/%[1]s.gone"
`, t.id)
}
