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

// What a lab boots is kept in the user's cache folder between labs: kernels and
// the images of whole Debians. It is used only as it was made: beside each file
// stands its digest, and file, digest and folders are this user's alone.

// digestSuffix ends the name of the file that holds another one's digest.
const digestSuffix = ".digest"

// openCache opens lvsctl's folder in the user's cache folder, or one below it,
// and makes what is missing of the way.
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
		// One of an earlier lvsctl may be open to others.
		if err := root.Chmod(".", 0o700); err != nil {
			root.Close()
			return fail(err)
		}
	}
	return root, nil
}

// lockCache keeps other lvsctls from making something in a folder of the cache
// meanwhile, and waits for the one that does.
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

// newWork makes an empty workDir in a folder of the cache that is locked. One that
// was killed may have left its own.
func newWork(root *os.Root) error {
	if err := errors.Join(root.RemoveAll(workDir), root.Mkdir(workDir, 0o700)); err != nil {
		return fmt.Errorf("cannot make a folder to work in: %w", err)
	}
	return nil
}

// workDir is where something is being made, in its folder of the cache.
const workDir = "work"

// seal writes the digest of what is whole: a file, or a folder with all in it.
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

// unseal removes the digest: what has none is made anew.
func unseal(root *os.Root, name string) error {
	if err := root.Remove(name + digestSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot remove a digest: %w", err)
	}
	return nil
}

// checkSealed sees that a file or a folder is this user's alone and as it was when
// it was sealed. The error wraps [fs.ErrNotExist] where there is none.
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

// digestOf is the digest of a file, or of a folder: of the paths and the digests
// of the files in it.
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

// fileDigest is the digest of a file of this user's: of its length and of each
// block that is not all zeros, after its place. So holes cost nothing.
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
		// Where the file system knows of no holes, there is none.
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
