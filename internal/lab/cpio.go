package lab

import (
	"fmt"
	"io"
)

// The file types of a cpio entry's mode, as in stat(2).
const (
	modeDir     = 0o040000
	modeFile    = 0o100000
	modeSymlink = 0o120000
	modeChar    = 0o020000
)

// cpioWriter writes the archive format the kernel unpacks into its first root
// file system: "newc", Documentation/driver-api/early-userspace/buffer-format.rst.
// Every entry belongs to root, whoever writes the archive, and the kernel makes
// the device nodes when it unpacks it: so writing one takes no root here.
type cpioWriter struct {
	w     io.Writer
	n     int64
	inode int
	err   error
}

// cpioEntry is one file; data is its content or a link's target.
type cpioEntry struct {
	name         string // without a leading slash
	mode         uint32 // type and permission bits
	major, minor uint32 // of a device node
	size         int64
	data         io.Reader
}

func (c *cpioWriter) add(e cpioEntry) error {
	c.inode++
	// magic ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
	c.printf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		c.inode, e.mode, 0, 0, 1, 0, e.size, 0, 0, e.major, e.minor, len(e.name)+1, 0)
	c.printf("%s\x00", e.name)
	c.pad()
	if e.size > 0 && c.err == nil {
		n, err := io.CopyN(c.w, e.data, e.size)
		c.n += n
		if err != nil {
			c.err = fmt.Errorf("cannot pack /%s: %w", e.name, err)
		}
		c.pad()
	}
	return c.err
}

func (c *cpioWriter) close() error {
	return c.add(cpioEntry{name: "TRAILER!!!"})
}

func (c *cpioWriter) printf(format string, args ...any) {
	if c.err != nil {
		return
	}
	n, err := fmt.Fprintf(c.w, format, args...)
	c.n += int64(n)
	c.err = err
}

// pad writes zeros up to the next multiple of four bytes.
func (c *cpioWriter) pad() {
	if rest := c.n % 4; rest != 0 {
		c.printf("%s", "\x00\x00\x00"[:4-rest])
	}
}
