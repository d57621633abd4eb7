package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// load is what a run of requests without pause came to.
type load struct {
	Requests int            `json:"requests"`
	Failures int            `json:"failures"`
	Errors   map[string]int `json:"errors,omitempty"`
	Answers  map[string]int `json:"answers"`
	// Slowest is the longest a request took, in milliseconds.
	Slowest int64 `json:"slowest_ms"`
}

// labLoadCommand is run on a lab's client, where this program is /init. It is
// not in the help: it is the tests' tool.
func labLoadCommand(a *app) *cobra.Command {
	var rate, workers int
	cmd := &cobra.Command{
		Use:    "load HOST:PORT",
		Short:  "Send requests without pause until standard input ends, and count",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := context.WithCancel(cmd.Context())
			go func() {
				_, _ = io.Copy(io.Discard, a.stdin)
				stop()
			}()
			return json.NewEncoder(a.stdout).Encode(sendLoad(ctx, args[0], rate, workers))
		},
	}
	cmd.Flags().IntVar(&rate, "rate", 60, "requests a second")
	cmd.Flags().IntVar(&workers, "workers", 8, "requests at once")
	return cmd
}

// sendLoad sends one request a tick, each on a connection of its own.
func sendLoad(ctx context.Context, addr string, rate, workers int) load {
	total := load{Errors: map[string]int{}, Answers: map[string]int{}}
	var mu sync.Mutex
	var group sync.WaitGroup
	ticks := make(chan struct{})
	for range workers {
		group.Go(func() {
			for range ticks {
				start := time.Now()
				answer, err := request(addr)
				mu.Lock()
				total.Requests++
				total.Slowest = max(total.Slowest, time.Since(start).Milliseconds())
				if err != nil {
					total.Failures++
					total.Errors[err.Error()]++
				} else {
					total.Answers[answer]++
				}
				mu.Unlock()
			}
		})
	}
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-tick.C:
			select {
			case ticks <- struct{}{}:
			case <-ctx.Done():
			}
		}
	}
	close(ticks)
	group.Wait()
	return total
}

// request is the least HTTP there is: a request costs an emulated machine enough
// as it is.
func request(addr string) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, 10*time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n"); err != nil {
		return "", err
	}
	text, err := io.ReadAll(conn)
	if err != nil {
		return "", err
	}
	_, body, ok := strings.Cut(string(text), "\r\n\r\n")
	if !ok {
		return "", fmt.Errorf("no answer in %q", text)
	}
	return strings.TrimSpace(body), nil
}
