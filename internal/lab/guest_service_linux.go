package lab

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"golang.org/x/sys/unix"
)

// guestAnswer is the service of a whole Debian. It answers on the host's listeners,
// and writes on the console that the boot is over. It ends when systemd stops it.
func guestAnswer() error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGTERM)
	text, err := os.ReadFile(answersFile)
	if err != nil {
		return fmt.Errorf("read the listeners: %w", err)
	}
	var a answers
	if err := json.Unmarshal(text, &a); err != nil {
		return fmt.Errorf("read the listeners: %w", err)
	}
	h := &guestHost{hostBlueprint: hostBlueprint{Name: a.Name, Listeners: a.Listeners}}
	if err := h.answer(); err != nil {
		return err
	}
	if h.servesRedis() {
		if err := h.nameRedis(); err != nil {
			return err
		}
	}
	if err := notifyReady(); err != nil {
		return err
	}
	if err := sayBooted(); err != nil {
		return err
	}
	<-stop
	return nil
}

// notifyReady tells systemd that the service is ready, as sd_notify(3) does.
func notifyReady() error {
	conn, err := net.Dial("unixgram", os.Getenv("NOTIFY_SOCKET"))
	if err != nil {
		return fmt.Errorf("tell systemd: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("READY=1")); err != nil {
		return fmt.Errorf("tell systemd: %w", err)
	}
	return nil
}

// sayBooted waits for the boot to end. It writes the boot's id, systemd's word for the
// outcome, and the units that failed:
//
//	lab: ready: 0c1d5d5e-6f0a-4b7e-9d6a-1c1f0a2b3c4d running
func sayBooted() error {
	// The exit status is 1 for every state but running. The output says which one.
	state, _ := exec.Command("systemctl", "is-system-running", "--wait").Output()
	words := []string{strings.TrimSpace(string(state))}
	failed, err := exec.Command("systemctl", "list-units", "--state=failed", "--plain", "--no-legend").Output()
	if err != nil {
		return fmt.Errorf("list the failed units: %w", err)
	}
	for line := range strings.Lines(string(failed)) {
		if unit := strings.Fields(line); len(unit) > 0 {
			words = append(words, unit[0])
		}
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return fmt.Errorf("read the boot's id: %w", err)
	}
	console, err := os.OpenFile("/dev/console", os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("open the console: %w", err)
	}
	defer console.Close()
	if _, err := fmt.Fprintf(console, "\n%s: %s %s\n", readyLine, strings.TrimSpace(string(boot)), strings.Join(words, " ")); err != nil {
		return fmt.Errorf("write on the console: %w", err)
	}
	return nil
}
