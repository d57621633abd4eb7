package shell

import (
	"crypto/rand"
	"fmt"
)

// NewMark makes a word that nothing on a node can know or print by chance. A
// script puts it before the lines that are its own, to tell them from what the
// commands in it and a login's banners print.
func NewMark() string {
	var b [12]byte
	rand.Read(b[:]) // never fails: it ends the program first
	return fmt.Sprintf("lvsctl-%x", b)
}
