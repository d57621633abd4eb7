package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/adopt"
	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/lang"
	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/topology"
)

// largestImport bounds a file that another one includes, in bytes.
const largestImport = 16 << 20

// files imports files of directors instead of nodes. Nothing is proved then.
func (m *importing) files(ctx context.Context, target importTarget) error {
	if len(m.args) > 0 || len(m.sayings()) > 0 {
		return errors.New("--from and nodes cannot be used together\nRead the nodes alone: what they do is what counts.")
	}
	var files []adopt.File
	folders := map[string]string{}
	for _, word := range m.from {
		form, file, ok := strings.Cut(word, "=")
		if !ok || !slices.Contains(adopt.Forms(), form) {
			return fmt.Errorf("--from %s says no kind of file\nWrite --from FORM=FILE; FORM is %s.", word, strings.Join(adopt.Forms(), ", "))
		}
		text, err := lang.ReadText(file)
		if err != nil {
			return fmt.Errorf("cannot read %s: %w", file, err)
		}
		folders[file] = filepath.Dir(file)
		files = append(files, adopt.File{Form: form, Text: keepalived.Text{Path: file, Text: string(text)}})
	}
	d := adopt.FromFiles(files, included(folders))
	d.Topology.Name = m.name
	written, err := m.describe(ctx, &d)
	if err != nil {
		return err
	}
	if err := target.write(m.app, m.header(), written.text); err != nil {
		return err
	}
	m.remarks(&d)
	m.stderr.linef("Read %s. No node was asked, so that nothing is proved: lvsctl plan compares the topology with its nodes.", plural.Of(len(files), "file"))
	return nil
}

// included gives the files that a keepalived.conf includes: those that are in its folder,
// and below it. Its place on the director, /etc/keepalived, is that folder here. What is
// elsewhere is not read.
func included(folders map[string]string) keepalived.Source {
	roots := map[string]string{} // of files that were included
	return func(pattern, from string) ([]keepalived.Text, error) {
		folder, ok := folders[from]
		if !ok {
			folder = roots[from]
		}
		where := path.Join(filepath.ToSlash(filepath.Dir(from)), pattern)
		if path.IsAbs(pattern) {
			where = path.Clean(pattern)
			if below, ok := strings.CutPrefix(where, path.Dir(keepalived.File)+"/"); ok {
				where = path.Join(filepath.ToSlash(folder), below)
			}
		}
		relative, err := filepath.Rel(folder, where)
		if err != nil || !filepath.IsLocal(relative) {
			return nil, fmt.Errorf("it includes %s, which is not in the folder of the file that was given: put a copy there", pattern)
		}
		// A root keeps links from leading out of the folder.
		root, err := os.OpenRoot(folder)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		names, err := fs.Glob(root.FS(), filepath.ToSlash(relative))
		if err != nil {
			return nil, fmt.Errorf("it includes %s: %w", pattern, err)
		}
		if len(names) == 0 && !strings.ContainsAny(pattern, "*?[") {
			return nil, fmt.Errorf("it includes %s, and there is no such file", pattern)
		}
		var list []keepalived.Text
		for _, n := range names {
			text, err := readImported(root.FS(), n)
			if err != nil {
				return nil, fmt.Errorf("it includes %s: %w", pattern, err)
			}
			file := filepath.Join(folder, n)
			roots[file] = folder
			list = append(list, keepalived.Text{Path: file, Text: text})
		}
		return list, nil
	}
}

// readImported reads a plain file of a folder.
func readImported(in fs.FS, name string) (string, error) {
	f, err := in.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return "", errors.New("it is no plain file")
	}
	text, err := io.ReadAll(io.LimitReader(f, largestImport+1))
	if err == nil && len(text) > largestImport {
		err = fmt.Errorf("it has more than %d MiB", largestImport>>20)
	}
	return string(text), err
}

// keepalivedRemarks adds what a node's keepalived.conf says and a topology does not. What
// the file does say was taken from what keepalived has loaded.
func (n *importedNode) keepalivedRemarks(d *adopt.Draft) {
	k := n.live.Facts.Keepalived
	if n.err != nil || !k.Foreign || len(k.Loaded.Instances)+len(k.Loaded.Services) == 0 {
		return
	}
	at := adopt.Element{Block: "director", Name: n.node}
	file := n.node + ":" + keepalived.File
	if k.Includes {
		d.Remark(adopt.Remark{Kind: adopt.Lost, At: at, Source: file, Text: "This file includes others. What they hold beside instances and services was not looked at; keepalived before 2.2 does not show them at all."})
	}
	text := n.live.State.Texts[n.live.State.Confs[keepalived.File].Hash].Text
	read := adopt.FromFiles([]adopt.File{{Form: "keepalived", Text: keepalived.Text{Path: file, Text: text}}}, func(string, string) ([]keepalived.Text, error) { return nil, nil })
	for _, r := range read.Lost() {
		if r.At.Block != "vrrp_instance" || !slices.ContainsFunc(d.Topology.VRRP, func(v *topology.VRRPInstance) bool { return v.Name == r.At.Name }) {
			r.At = at
		}
		d.Remark(r)
	}
}
