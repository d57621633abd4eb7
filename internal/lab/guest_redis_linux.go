package lab

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// On port 6379 a host runs Redis: a Redis client cannot read an HTTP answer.
const (
	redisPort   = 6379
	redisServer = "/usr/bin/redis-server"
)

// servesRedis reports whether the host runs a real Redis: it has a listener on the
// port, and the image has the program.
func (h *guestHost) servesRedis() bool {
	if !slices.Contains(h.Listeners, Listener{"tcp", redisPort}) {
		return false
	}
	_, err := os.Stat(redisServer)
	return err == nil
}

// startRedis starts a Redis server that stores nothing on disk.
func startRedis() error {
	redis := exec.Command(redisServer, "--port", fmt.Sprint(redisPort), "--bind", "0.0.0.0", "::", "--protected-mode", "no",
		"--save", "", "--appendonly", "no", "--dir", "/var/lib", "--logfile", "/var/log/redis.log")
	redis.Env = []string{guestPath}
	redis.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := redis.Start(); err != nil {
		return fmt.Errorf("start redis-server: %w", err)
	}
	return nil
}

// nameRedis waits for the server and stores the host's name under the key "host".
func (h *guestHost) nameRedis() error {
	for range 3000 {
		conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", redisPort))
		if errors.Is(err, syscall.ECONNREFUSED) {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		if err != nil {
			return fmt.Errorf("wait for redis-server: %w", err)
		}
		defer conn.Close()
		if _, err := fmt.Fprintf(conn, "SET host %s\r\n", h.Name); err != nil {
			return fmt.Errorf("name redis-server: %w", err)
		}
		answer, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || answer != "+OK\r\n" {
			return fmt.Errorf("name redis-server: it answers %q, %w", answer, err)
		}
		return nil
	}
	log, _ := os.ReadFile("/var/log/redis.log") // there is none if Redis did not start
	return fmt.Errorf("wait for redis-server: it does not listen\n%s", log)
}
