package graph

import "strings"

// networks is a table: a row for each node, a column for each network, and a dot where
// a node is on one.
func (c *canvas) networks(g *Graph) {
	boxes := make([]box, len(g.Nodes))
	boxWidth := 0
	for i, n := range g.Nodes {
		n.Mark.Text, boxes[i].mark = "", n.Mark
		boxes[i].above, boxes[i].title, boxes[i].lines = roleWord(n), n.title(), n.text()
		boxWidth = max(boxWidth, boxes[i].width())
	}
	rails := g.rails(margin + boxWidth)
	for k, x := range rails {
		c.write(x, c.y+lineHeight, "b", "middle", g.Networks[k].String())
		c.widen(x + sansWidth(g.Networks[k].String(), text)/2)
	}
	y := c.y + 2*lineHeight
	first, last := make([]int, len(rails)), make([]int, len(rails))
	var links, frames strings.Builder
	for i, n := range g.Nodes {
		height := max(boxes[i].height(), len(n.Links)*22)
		row := canvas{}
		for j, l := range n.Links {
			ly := y + (height-len(n.Links)*22)/2 + j*22 + 14
			x := rails[l.Network]
			row.f(`<line class="link" x1="%d" y1="%d" x2="%d" y2="%d"/>`, margin+boxWidth, ly, x, ly)
			row.f(`<circle class="dot" cx="%d" cy="%d" r="4"/>`, x, ly)
			row.write(x-9, ly-4, "m", "end", l.Device+" "+l.Address)
			if first[l.Network] == 0 {
				first[l.Network] = ly
			}
			last[l.Network] = ly
		}
		links.WriteString(row.b.String())
		frame := canvas{}
		frame.box(margin, y, boxWidth, height, boxes[i])
		frames.WriteString(frame.b.String())
		y += height + 12
	}
	for k, x := range rails {
		if first[k] > 0 {
			c.f(`<line class="rail" x1="%d" y1="%d" x2="%d" y2="%d"/>`, x, c.y+lineHeight+6, x, max(last[k], first[k]))
		}
	}
	c.b.WriteString(links.String())
	c.b.WriteString(frames.String())
	c.y = y + 12
}

// rails are where the networks' lines stand: each as far from the one before as its
// labels are wide.
func (g *Graph) rails(x int) []int {
	rails := make([]int, len(g.Networks))
	for k := range g.Networks {
		width := sansWidth(g.Networks[k].String(), text)
		if k > 0 {
			width = (width + sansWidth(g.Networks[k-1].String(), text)) / 2
		} else {
			width /= 2
		}
		for _, n := range g.Nodes {
			for _, l := range n.Links {
				if l.Network == k {
					width = max(width, monoWidth(l.Device+" "+l.Address, small)+9)
				}
			}
		}
		x += width + 28
		rails[k] = x
	}
	return rails
}
