package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lvsctl/lvsctl/internal/adopt"
	"github.com/lvsctl/lvsctl/internal/keepalived"
	"github.com/lvsctl/lvsctl/internal/lang"
	"github.com/lvsctl/lvsctl/internal/plural"
	"github.com/lvsctl/lvsctl/topology"
)

// files imports files of directors instead of nodes. Nothing is proved then.
func (m *importing) files(ctx context.Context, target importTarget) error {
	if len(m.args) > 0 || len(m.sayings()) > 0 {
		return errors.New("--from and nodes cannot be used together\nRead the nodes alone: what they do is what counts.")
	}
	var files []adopt.File
	for _, word := range m.from {
		form, path, ok := strings.Cut(word, "=")
		if !ok || !slices.Contains(adopt.Forms(), form) {
			return fmt.Errorf("--from %s says no kind of file\nWrite --from FORM=FILE; FORM is %s.", word, strings.Join(adopt.Forms(), ", "))
		}
		text, err := lang.ReadText(path)
		if err != nil {
			return fmt.Errorf("cannot read %s: %w", path, err)
		}
		files = append(files, adopt.File{Form: form, Text: keepalived.Text{Path: path, Text: string(text)}})
	}
	d := adopt.FromFiles(files, included)
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

// included are the files that a keepalived.conf includes, by a path or pattern that is
// relative to the file that names it.
func included(pattern, from string) ([]keepalived.Text, error) {
	if !filepath.IsAbs(pattern) {
		pattern = filepath.Join(filepath.Dir(from), pattern)
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	var list []keepalived.Text
	for _, path := range paths {
		text, err := lang.ReadText(path)
		if err != nil {
			return nil, err
		}
		list = append(list, keepalived.Text{Path: path, Text: string(text)})
	}
	return list, nil
}

// keepalivedRemarks adds what a node's keepalived.conf says and a topology does not. What
// the file does say was taken from what keepalived has loaded.
func (n *importedNode) keepalivedRemarks(d *adopt.Draft) {
	k := n.live.Facts.Keepalived
	if n.err != nil || !k.Foreign || len(k.Loaded.Instances)+len(k.Loaded.Services) == 0 {
		return
	}
	at := adopt.Element{Block: "director", Name: n.node}
	path := n.node + ":" + keepalived.File
	if k.Includes {
		d.Remark(adopt.Remark{Kind: adopt.Lost, At: at, Source: path, Text: "This file includes others. What they hold beside instances and services was not looked at; keepalived before 2.2 does not show them at all."})
	}
	text := n.live.State.Texts[n.live.State.Confs[keepalived.File].Hash].Text
	read := adopt.FromFiles([]adopt.File{{Form: "keepalived", Text: keepalived.Text{Path: path, Text: text}}}, func(string, string) ([]keepalived.Text, error) { return nil, nil })
	for _, r := range read.Lost() {
		if r.At.Block != "vrrp_instance" || !slices.ContainsFunc(d.Topology.VRRP, func(v *topology.VRRPInstance) bool { return v.Name == r.At.Name }) {
			r.At = at
		}
		d.Remark(r)
	}
}
