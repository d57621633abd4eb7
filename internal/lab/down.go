package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Down ends the lab called name of the working directory. It removes the lab's
// folder, and the folders above it that are empty then. It is no error if there is
// no such lab.
func Down(name string) error { return DownDir(Dir(name)) }

// DownDir is [Down] for the lab in the folder dir. It removes only what [Up] made.
func DownDir(dir string) error {
	c, err := walk(dir, nil)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot remove the lab: %w", err)
	}
	defer c.close()
	err = c.removeFolder(func(f folder) error { return c.endMachine(f) })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove the lab: %w", err)
	}
	if filepath.Dir(filepath.Clean(dir)) == root {
		// Remove fails, as it should, while something else is in the folder.
		_ = c.roots[1].Remove(filepath.Base(root))
		_ = c.roots[0].Remove(filepath.Dir(root))
	}
	return nil
}

// endMachine ends the machines of the lab in f, unless other labs beside it have
// hosts in them too.
func (c *chain) endMachine(f folder) error {
	id := f.id
	if own := c.machineOf(c.name); own != "" {
		id = own
	}
	names, err := entries(c.parent())
	if err != nil {
		return err
	}
	for _, name := range names {
		if name != c.name && c.machineOf(name) == id {
			return nil
		}
	}
	return kill(id)
}

// machineOf returns the id of the machine that the lab called name is in. It is "" if
// c's folder has no such lab.
func (c *chain) machineOf(name string) string {
	root, err := enter(c.parent(), name)
	if err != nil {
		return ""
	}
	defer root.Close()
	l, err := readLab(root)
	if err != nil {
		return ""
	}
	return l.Machine
}

// kill ends the machines of the lab with that id: by SIGTERM, then by SIGKILL.
func kill(id string) error {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		for pid := range machines(id) {
			// A process that has just ended gives an error. The next call of machines
			// says what still runs.
			_ = syscall.Kill(pid, signal)
		}
		for range 100 {
			if len(machines(id)) == 0 {
				return nil
			}
			time.Sleep(30 * time.Millisecond)
		}
	}
	return fmt.Errorf("cannot end the lab's machine: process %v does not go", slices.Sorted(maps.Keys(machines(id))))
}
