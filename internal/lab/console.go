package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// The guest writes these lines on its console when it is up or has failed.
const (
	readyLine  = "lab: ready"
	failedLine = "lab: cannot"
)

// A console is the console file of a machine, read from some byte on.
type console struct {
	folder *os.Root
	file   string // in it
	from   int64
}

// read returns what the machine has written so far.
func (c console) read() ([]byte, error) {
	f, err := c.folder.Open(c.file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the lab's console: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(c.from, io.SeekStart); err != nil {
		return nil, fmt.Errorf("cannot read the lab's console: %w", err)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("cannot read the lab's console: %w", err)
	}
	return text, nil
}

// await reads the console until the guest is ready or has failed. It returns what
// the guest wrote after readyLine. alive reports whether the machine still runs.
func (c console) await(ctx context.Context, timeout time.Duration, alive func() bool) (string, error) {
	deadline := time.NewTimer(timeout)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		text, err := c.read()
		if err != nil {
			return "", err
		}
		if words, ok := ready(string(text)); ok {
			return words, nil
		}
		why := ""
		switch {
		case bytes.Contains(text, []byte(failedLine)):
			why = "its machine failed"
		// alive reads every process's name, which is too much for each tick.
		case n%20 == 19 && !alive():
			why = "its machine ended"
		}
		select {
		case <-ctx.Done():
			return "", ctx.Err()
		case <-deadline.C:
			why = fmt.Sprintf("its hosts did not answer within %s", timeout)
		case <-tick.C:
		}
		if why != "" {
			return "", fmt.Errorf("%s\n%s", why, lastLines(string(text), 15))
		}
	}
}

// ready finds the last ready line in text and returns the words after it.
func ready(text string) (words string, ok bool) {
	at := strings.LastIndex(text, readyLine+":")
	if at < 0 {
		return "", false
	}
	words, _, ok = strings.Cut(text[at+len(readyLine)+1:], "\n")
	return strings.TrimSpace(words), ok
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r", "")), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
