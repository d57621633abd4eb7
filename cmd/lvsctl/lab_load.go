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

// load is the result of a run of requests at a constant rate.
type load struct {
	Requests int            `json:"requests"`
	Failures int            `json:"failures"`
	Errors   map[string]int `json:"errors,omitempty"`
	Answers  map[string]int `json:"answers"`
	// Slowest is the time of the slowest request, in milliseconds.
	Slowest int64 `json:"slowest_ms"`
	// First and Last are when the first and the last request began that failed, in
	// milliseconds since 1970; 0 if none did.
	First int64 `json:"first_failed_ms"`
	Last  int64 `json:"last_failed_ms"`
	// Rate is the number of requests that were begun per second.
	Rate float64 `json:"rate"`
}

// labLoadCommand runs on a client of a lab, where this program is /init. It is for tests,
// and not in the help.
func labLoadCommand(a *app) *cobra.Command {
	var rate, workers int
	cmd := &cobra.Command{
		Use:   "load HOST:PORT",
		Short: "Send requests without pause until standard input ends, and count",
		Long: `Sends requests without pause until standard input ends, and counts. It says
"begun" on standard error when the first has come to its end.`,
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := context.WithCancel(cmd.Context())
			go func() {
				_, _ = io.Copy(io.Discard, a.stdin)
				stop()
			}()
			begun := sync.OnceFunc(func() { fmt.Fprintln(a.stderr, "begun") })
			return json.NewEncoder(a.stdout).Encode(sendLoad(ctx, args[0], rate, workers, begun))
		},
	}
	cmd.Flags().IntVar(&rate, "rate", 80, "requests a second")
	cmd.Flags().IntVar(&workers, "workers", 400, "requests at once, at most")
	return cmd
}

// sendLoad sends rate requests per second, each on a new connection, and does not wait for
// the answers to earlier ones. workers is how many may be open at the same time. It calls
// begun when a request has ended.
func sendLoad(ctx context.Context, addr string, rate, workers int, begun func()) load {
	total := load{Errors: map[string]int{}, Answers: map[string]int{}}
	var mu sync.Mutex
	var group sync.WaitGroup
	due := make(chan struct{})
	for range workers {
		group.Go(func() {
			for range due {
				start := time.Now()
				answer, err := request(addr)
				mu.Lock()
				total.Requests++
				total.Slowest = max(total.Slowest, time.Since(start).Milliseconds())
				if err != nil {
					total.Failures++
					if began := start.UnixMilli(); total.First == 0 || began < total.First {
						total.First = began
					}
					total.Last = max(total.Last, start.UnixMilli())
					total.Errors[err.Error()]++
				} else {
					total.Answers[answer]++
				}
				mu.Unlock()
				begun()
			}
		})
	}
	start := time.Now()
	sent := pace(ctx, start, rate, due)
	total.Rate = float64(sent) / time.Since(start).Seconds()
	close(due)
	group.Wait()
	return total
}

// pace sends to due when a request is due, and returns how many were. If the machine was
// too busy for a while, it sends those that are overdue at once.
func pace(ctx context.Context, start time.Time, rate int, due chan<- struct{}) (sent int) {
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return sent
		case <-tick.C:
		}
		for range int(time.Since(start).Seconds()*float64(rate)) - sent {
			select {
			case <-ctx.Done():
				return sent
			case due <- struct{}{}:
				sent++
			}
		}
	}
}

// answerTime is how long a request may take. A busy emulated machine may drop a SYN, which
// the client's kernel repeats after 1, 3, 7 and 15 s.
const answerTime = 30 * time.Second

// request sends the smallest HTTP request, because each one is expensive on an emulated
// machine. It returns the body.
func request(addr string) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, answerTime)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
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
