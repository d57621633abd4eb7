package graph

import "strconv"

// stepHeight is what a step takes: its packet, the arrow, and what is done.
const stepHeight = 46

// path is one panel: the stops side by side, and the steps below them.
func (c *canvas) path(g *Graph, p *Path) {
	c.f(`<line class="link" x1="0" y1="%d" x2="100%%" y2="%d" opacity=".35"/>`, c.y, c.y)
	c.y += 8
	for _, t := range p.titles() {
		c.y += lineHeight + 4
		c.write(margin, c.y, "h2", "start", t)
		c.widen(margin + sansWidth(t, 15)*105/100)
	}
	c.y += 14
	boxes := make([]box, len(p.Stops))
	height := 0
	for i, s := range p.Stops {
		boxes[i] = box{title: g.stopLines(s)[0], lines: s.Text, mark: s.Mark}
		if s.Node >= 0 {
			boxes[i].above = roleWord(g.Nodes[s.Node])
		}
		height = max(height, boxes[i].height())
	}
	xs := p.columns(boxes)
	top := c.y + height
	bottom := top + len(p.Steps)*stepHeight + 16
	for _, x := range xs {
		c.f(`<line class="life" x1="%d" y1="%d" x2="%d" y2="%d"/>`, x, top, x, bottom)
	}
	for i, b := range boxes {
		w := b.width()
		c.box(xs[i]-w/2, c.y+height-b.height(), w, 0, b)
		c.widen(xs[i] + w/2)
	}
	for i, s := range p.Steps {
		c.step(s, i+1, xs[s.From], xs[s.To], top+i*stepHeight+26)
	}
	c.y = bottom + 14
}

// step is an arrow with its number, its packet above and what is done below.
func (c *canvas) step(s Step, number, from, to, y int) {
	class := "there"
	if s.Back {
		class = "back"
	}
	defer func() {
		c.f(`<circle class="%s" cx="%d" cy="%d" r="9"/>`, class, from, y)
		c.write(from, y+4, "n", "middle", strconv.Itoa(number))
	}()
	if s.From == s.To {
		c.write(from+16, y-1, "p", "start", s.Packet)
		c.write(from+16, y+13, "s", "start", s.Note)
		c.widen(from + 16 + max(monoWidth(s.Packet, text), sansWidth(s.Note, small)))
		return
	}
	c.f(`<line class="%s" x1="%d" y1="%d" x2="%d" y2="%d" marker-end="url(#lvsctl-%s)"/>`, class, from, y, to, y, class)
	middle := (from + to) / 2
	c.write(middle, y-6, "p", "middle", s.Packet)
	c.write(middle, y+14, "s", "middle", s.Note)
	if from < to {
		c.write(from+13, y-5, "m", "start", s.Out)
		c.write(to-6, y-5, "m", "end", s.In)
	} else {
		c.write(from-13, y-5, "m", "end", s.Out)
		c.write(to+6, y-5, "m", "start", s.In)
	}
}

// width is what a step needs between its stops.
func (s Step) width() int {
	above := monoWidth(s.Packet, text) + 2*max(monoWidth(s.Out, small)+16, monoWidth(s.In, small)+10) + 12
	return max(above, sansWidth(s.Note, small)+40)
}

// columns are where the stops' lines stand: far enough from each other for the boxes,
// and for every step between them.
func (p *Path) columns(boxes []box) []int {
	xs := make([]int, len(boxes))
	for i := range xs {
		if i == 0 {
			xs[0] = margin + boxes[0].width()/2
			continue
		}
		xs[i] = xs[i-1] + (boxes[i-1].width()+boxes[i].width())/2 + 30
		for _, s := range p.Steps {
			left, right := min(s.From, s.To), max(s.From, s.To)
			if right == i && left < i {
				xs[i] = max(xs[i], xs[left]+s.width())
			}
			if left == i-1 && right == left { // what it says stands right of its line
				xs[i] = max(xs[i], xs[left]+40+max(monoWidth(s.Packet, text), sansWidth(s.Note, small)))
			}
		}
	}
	return xs
}
