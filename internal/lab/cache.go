package lab

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The user's cache folder keeps what labs boot: kernels, and the images of whole
// Debians. A file from it is used only if nobody changed it: its digest stands
// beside it, and only this user can write the file, its digest and their folders.

// digestSuffix ends the name of the file that holds another one's digest.
const digestSuffix = ".digest"

// openCache opens lvsctl's folder in the user's cache folder, or a folder below
// it. It makes the folders that are missing.
func openCache(below ...string) (*os.Root, error) {
	fail := func(err error) (*os.Root, error) {
		return nil, fmt.Errorf("cannot open the folder in which the lab keeps kernels and images: %w", err)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return fail(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fail(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fail(err)
	}
	for _, name := range append([]string{"lvsctl"}, below...) {
		parent := root
		if err = makeOwn(parent, name); err == nil {
			root, err = enter(parent, name)
		}
		parent.Close()
		if err != nil {
			return fail(err)
		}
		// An earlier lvsctl may have made the folder readable for others.
		if err := root.Chmod(".", 0o700); err != nil {
			root.Close()
			return fail(err)
		}
	}
	return root, nil
}

// lockCache locks a folder of the cache, so that only one lvsctl makes something
// in it at a time. It waits for another one that has the lock.
func lockCache(ctx context.Context, root *os.Root, say func(string)) (unlock func(), err error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, fmt.Errorf("cannot lock %s: %w", root.Name(), err)
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for told := false; ; told = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("cannot lock %s: %w", root.Name(), err)
		}
		if !told {
			say("waiting for another lvsctl to fill " + root.Name())
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// newWork makes an empty workDir in a locked folder of the cache. It removes the
// one that a killed lvsctl may have left.
func newWork(root *os.Root) error {
	if err := errors.Join(root.RemoveAll(workDir), root.Mkdir(workDir, 0o700)); err != nil {
		return fmt.Errorf("cannot make a folder to work in: %w", err)
	}
	return nil
}

// workDir is the folder, in a folder of the cache, for what is not finished yet.
const workDir = "work"

// seal writes the digest of a finished file, or of a finished folder with all
// files in it.
func seal(root *os.Root, name string) error {
	sum, err := digestOf(root, name)
	if err != nil {
		return err
	}
	if err := unseal(root, name); err != nil {
		return err
	}
	return writeNew(root, name+digestSuffix, []byte(sum+"\n"))
}

// unseal removes the digest of a file or folder. Without one it is made again.
func unseal(root *os.Root, name string) error {
	if err := root.Remove(name + digestSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove a digest: %w", err)
	}
	return nil
}

// checkSealed returns an error if a file or folder is not this user's alone, or
// has changed since it was sealed. The error wraps [fs.ErrNotExist] if there is
// no such file.
func checkSealed(root *os.Root, name string) error {
	have, err := digestOf(root, name)
	if err != nil {
		return err
	}
	f, err := openOwn(root, name+digestSuffix)
	if err != nil {
		return err
	}
	defer f.Close()
	want, err := io.ReadAll(io.LimitReader(f, 100))
	if err != nil {
		return fmt.Errorf("cannot read a digest: %w", err)
	}
	if string(want) != have+"\n" {
		return fmt.Errorf("cannot use %s: it is not as lvsctl made it", filepath.Join(root.Name(), name))
	}
	return nil
}

// digestOf returns the digest of a file. That of a folder is made of the paths
// and the digests of the files in it.
func digestOf(root *os.Root, name string) (string, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", filepath.Join(root.Name(), name), err)
	}
	if !info.IsDir() {
		return fileDigest(root, name)
	}
	sum := sha256.New()
	err = fs.WalkDir(root.FS(), name, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			info, err := d.Info()
			if err != nil {
				return err
			}
			return checkOwn(filepath.Join(root.Name(), path), info, fs.ModeDir)
		}
		file, err := fileDigest(root, path)
		fmt.Fprintf(sum, "%s %s\n", path, file)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", filepath.Join(root.Name(), name), err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// fileDigest returns the digest of a file that belongs to this user. It is made of
// the length, and of the offset and content of each block that is not all zeros.
// So the holes of a sparse file need not be read.
func fileDigest(root *os.Root, name string) (string, error) {
	f, err := openOwn(root, name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	fail := func(err error) (string, error) {
		return "", fmt.Errorf("cannot read %s: %w", filepath.Join(root.Name(), name), err)
	}
	info, err := f.Stat()
	if err != nil {
		return fail(err)
	}
	const size = 1 << 20
	sum := sha256.New()
	block, zeros, place := make([]byte, size), make([]byte, size), make([]byte, 8)
	for at := int64(0); at < info.Size(); at += size {
		// A file system without SEEK_DATA gives an error: then every block is read.
		if data, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA); err == nil && data >= at+size {
			at = data/size*size - size
			continue
		} else if errors.Is(err, unix.ENXIO) {
			break // nothing but a hole up to the end
		}
		n, err := f.ReadAt(block, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return fail(err)
		}
		if !bytes.Equal(block[:n], zeros[:n]) {
			binary.BigEndian.PutUint64(place, uint64(at))
			sum.Write(place)
			sum.Write(block[:n])
		}
	}
	binary.BigEndian.PutUint64(place, uint64(info.Size()))
	sum.Write(place)
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}
