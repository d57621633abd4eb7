package graph

import (
	"fmt"
	"html"
	"strings"
	"unicode"
)

// SVG is a picture for a browser: light or dark as the reader's system is. It needs no
// font but the reader's own, and no script.
//
// Below the title stands the table of nodes and networks, then one panel for each way:
// its stops side by side, and each step an arrow between their lines, from above to
// below. Everything is as wide as its text: a character counts as so many pixels.
func (g *Graph) SVG() string {
	c := &canvas{width: minWidth}
	c.header(g)
	c.networks(g)
	for i := range g.Paths {
		c.path(g, &g.Paths[i])
	}
	return c.document(g.Name)
}

// Sizes in pixels.
const (
	margin   = 24
	minWidth = 640
	// small is the size of what explains, text that of all else.
	small, text = 11, 13
	lineHeight  = 16
	padding     = 10
)

// sansWidth and monoWidth are what characters of the usual fonts are wide, rather more
// than less.
func sansWidth(s string, size int) int { return len([]rune(s))*size*56/100 + 1 }
func monoWidth(s string, size int) int { return len([]rune(s))*size*61/100 + 1 }

// canvas is a picture in the making. y is where the next part begins.
type canvas struct {
	b        strings.Builder
	width, y int
}

func (c *canvas) f(format string, args ...any) { fmt.Fprintf(&c.b, format+"\n", args...) }

// widen makes the picture as wide as something that ends at x.
func (c *canvas) widen(x int) { c.width = max(c.width, x+margin) }

// write puts a text at a place. class is its look, and anchor says what of it stands at
// x: start, middle or end.
func (c *canvas) write(x, y int, class, anchor, s string) {
	if s != "" {
		c.f(`<text x="%d" y="%d" class="%s" text-anchor="%s">%s</text>`, x, y, class, anchor, escape(s))
	}
}

// escape makes a text XML. What is no character of XML, or cannot be seen, is a
// question mark.
func escape(s string) string { return html.EscapeString(clean(s)) }

func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// style has the colours of a light and of a dark background.
const style = `
.lvsctl{--bg:#fff;--fg:#1f2328;--muted:#59636e;--line:#c8d1da;--box:#f6f8fa;--there:#0969da;--back:#1a7f37;--differs:#8250df;--away:#9a6700;--down:#cf222e}
@media (prefers-color-scheme:dark){.lvsctl{--bg:#0d1117;--fg:#f0f6fc;--muted:#9198a1;--line:#3d444d;--box:#151b23;--there:#4493f8;--back:#3fb950;--differs:#ab7df8;--away:#d29922;--down:#f85149}}
.lvsctl text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;font-size:13px;fill:var(--fg)}
.lvsctl .h1{font-size:20px;font-weight:600}.lvsctl .h2{font-size:15px;font-weight:600}.lvsctl .b{font-weight:600}
.lvsctl .s{font-size:11px;fill:var(--muted)}
.lvsctl .m{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:11px;fill:var(--muted)}
.lvsctl .p{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:13px}
.lvsctl .n{font-size:11px;font-weight:600;fill:var(--bg)}
.lvsctl .differs{fill:var(--differs)}.lvsctl .away{fill:var(--away)}.lvsctl .down{fill:var(--down)}
.lvsctl rect.bg{fill:var(--bg)}.lvsctl rect.box{fill:var(--box);stroke:var(--line)}
.lvsctl rect.differs,.lvsctl rect.away,.lvsctl rect.down{stroke-width:2;fill:var(--box)}
.lvsctl rect.differs{stroke:var(--differs)}.lvsctl rect.away{stroke:var(--away);stroke-dasharray:5 3}.lvsctl rect.down{stroke:var(--down)}
.lvsctl .rail{stroke:var(--line);stroke-width:3}.lvsctl .life{stroke:var(--line);stroke-dasharray:2 4}.lvsctl .link{stroke:var(--muted)}
.lvsctl .dot{fill:var(--fg)}.lvsctl line.there{stroke:var(--there);stroke-width:1.6}.lvsctl line.back{stroke:var(--back);stroke-width:1.6;stroke-dasharray:6 4}
.lvsctl .tip.there,.lvsctl circle.there{fill:var(--there)}.lvsctl .tip.back,.lvsctl circle.back{fill:var(--back)}
`

// document is the whole picture.
func (c *canvas) document(name string) string {
	var b strings.Builder
	height := c.y + margin
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="lvsctl" role="img" width="%d" height="%d" viewBox="0 0 %d %d">`+"\n", c.width, height, c.width, height)
	fmt.Fprintf(&b, "<title>%s</title>\n<style>%s</style>\n", escape(name), style)
	b.WriteString(`<defs>`)
	for _, class := range []string{"there", "back"} {
		fmt.Fprintf(&b, `<marker id="lvsctl-%s" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto"><path class="tip %s" d="M0 0L10 5L0 10z"/></marker>`, class, class)
	}
	b.WriteString("</defs>\n")
	fmt.Fprintf(&b, `<rect class="bg" width="%d" height="%d"/>`+"\n", c.width, height)
	b.WriteString(c.b.String())
	b.WriteString("</svg>\n")
	return b.String()
}

// header is the name, and what the lines and colours mean.
func (c *canvas) header(g *Graph) {
	c.y = margin + 20
	c.write(margin, c.y, "h1", "start", g.Name)
	x := margin + sansWidth(g.Name, 20) + 40
	for _, l := range []struct{ class, words string }{{"there", "there"}, {"back", "and back"}} {
		c.f(`<line class="%s" x1="%d" y1="%d" x2="%d" y2="%d" marker-end="url(#lvsctl-%s)"/>`, l.class, x, c.y-5, x+40, c.y-5, l.class)
		c.write(x+48, c.y, "s", "start", l.words)
		x += 60 + sansWidth(l.words, small)
	}
	for _, level := range []Level{Differs, Away, Down} {
		if words := level.words(); g.has(level) {
			c.f(`<rect class="%s" x="%d" y="%d" width="22" height="12" rx="3"/>`, level, x, c.y-11)
			c.write(x+30, c.y, "s", "start", words)
			x += 44 + sansWidth(words, small)
		}
	}
	c.widen(x)
	c.y += 20
}

func (l Level) words() string {
	return [...]string{"", "differs from the topology", "drained or in maintenance", "down or unreachable"}[l]
}

// has reports whether anything is marked so.
func (g *Graph) has(l Level) bool {
	for _, n := range g.Nodes {
		if n.Mark.Level == l {
			return true
		}
	}
	return false
}

// box is a rounded frame with lines in it: a title, then more.
type box struct {
	above string // a word above the title
	title string
	lines []string
	mark  Mark
}

func (b box) width() int {
	w := max(sansWidth(b.title, text)*105/100, sansWidth(b.above, small), sansWidth(b.mark.Text, small))
	for _, l := range b.lines {
		w = max(w, monoWidth(l, small))
	}
	return w + 2*padding
}

func (b box) height() int {
	n := 1 + len(b.lines)
	if b.above != "" {
		n++
	}
	if b.mark.Text != "" {
		n++
	}
	return n*lineHeight + padding
}

// box draws one, at least so high.
func (c *canvas) box(x, y, width, height int, b box) {
	class := b.mark.Level.String()
	if class == "" {
		class = "box"
	}
	c.f(`<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="6"/>`, class, x, y, width, max(height, b.height()))
	y += lineHeight + max(0, height-b.height())/2
	if b.above != "" {
		c.write(x+padding, y, "s", "start", b.above)
		y += lineHeight
	}
	c.write(x+padding, y, "b", "start", b.title)
	for _, l := range b.lines {
		y += lineHeight
		c.write(x+padding, y, "m", "start", l)
	}
	if b.mark.Text != "" {
		c.write(x+padding, y+lineHeight, "s "+b.mark.Level.String(), "start", b.mark.Text)
	}
}
