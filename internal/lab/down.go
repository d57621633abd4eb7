package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Down ends the lab called name of the working directory, and removes its
// folder and those above it that are then empty. A lab that is not there is down.
func Down(name string) error { return DownDir(Dir(name)) }

// DownDir is [Down] for the lab in a folder of one's own choice.
func DownDir(dir string) error {
	abs, err := canonical(dir)
	if err != nil {
		return err
	}
	return remove(abs)
}

// remove kills the machine of a lab and removes its folder.
func remove(dir string) error {
	if err := kill(dir); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("cannot remove the lab: %w", err)
	}
	if labs, err := canonical(root); err == nil && filepath.Dir(dir) == labs {
		// Both fail, rightly, while something else is in them.
		_ = os.Remove(labs)
		_ = os.Remove(filepath.Dir(labs))
	}
	return nil
}

// kill ends a lab's QEMU: politely at first.
func kill(dir string) error {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		for _, pid := range machines(dir) {
			// It may have ended meanwhile; machines tells.
			_ = syscall.Kill(pid, signal)
		}
		for range 100 {
			if len(machines(dir)) == 0 {
				return nil
			}
			time.Sleep(30 * time.Millisecond)
		}
	}
	return fmt.Errorf("cannot end the lab's machine: process %v does not go", machines(dir))
}
