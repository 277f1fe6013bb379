package timeline

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"

	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

// colors are those of the kinds of spans, chosen to differ for the colour-blind too (Okabe and Ito, 2008).
var colors = [...]color.RGBA{
	trace.Chunk: {0x00, 0x72, 0xb2, 0xff}, trace.Load: {0xe6, 0x9f, 0x00, 0xff}, trace.Compute: {0x00, 0x72, 0xb2, 0xff},
	trace.Store: {0x00, 0x9e, 0x73, 0xff}, trace.Commit: {0xcc, 0x79, 0xa7, 0xff},
}

// colorNames are the colors for a page.
func colorNames() (out []string) {
	for _, c := range colors {
		out = append(out, fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B))
	}
	return out
}

// WritePNG writes the timeline as a picture, 2200 pixels wide.
func (t *Timeline) WritePNG(w io.Writer) error {
	s := t.draw()
	const zoom = 2
	if s.Height > 1<<14 {
		return fmt.Errorf("write picture: %w: there are too many lanes for one", ErrFormat)
	}
	c := canvas{image.NewRGBA(image.Rect(0, 0, int(s.Width)*zoom, int(s.Height)*zoom)), zoom}
	c.rect(0, 0, s.Width, s.Height, color.RGBA{0xff, 0xff, 0xff, 0xff})
	grid, dark, red := color.RGBA{0xdd, 0xdd, 0xdd, 0xff}, color.RGBA{0x22, 0x22, 0x22, 0xff}, color.RGBA{0xcc, 0, 0, 0xff}
	for _, x := range s.Ticks {
		c.rect(x, 0, 0.5, s.Bottom, grid)
	}
	for _, r := range s.Rects {
		gap := 0.0
		if r.W > 2 {
			gap = 0.5 // chunks that follow each other stay apart
		}
		c.rect(r.X, r.Y, r.W-gap, r.H, colors[r.Kind])
	}
	for _, m := range s.Marks {
		c.rect(m.X, m.Y, m.W, m.H, red)
	}
	for _, l := range s.Labels {
		x := l.X
		if l.Mid {
			x -= textWidth(l.Text) / 2
		}
		c.text(x, l.Y-9, l.Text, dark, l.Head)
	}
	bw := bufio.NewWriter(w)
	err := png.Encode(bw, c.img)
	if err == nil {
		err = bw.Flush()
	}
	if err != nil {
		return fmt.Errorf("write picture: %w", err)
	}
	return nil
}

// canvas draws with coordinates of a sheet.
type canvas struct {
	img  *image.RGBA
	zoom float64
}

func (c *canvas) rect(x, y, w, h float64, col color.RGBA) {
	x0, y0 := int(math.Round(x*c.zoom)), int(math.Round(y*c.zoom))
	x1, y1 := max(int(math.Round((x+w)*c.zoom)), x0+1), max(int(math.Round((y+h)*c.zoom)), y0+1)
	b := image.Rect(x0, y0, x1, y1).Intersect(c.img.Bounds())
	for j := b.Min.Y; j < b.Max.Y; j++ {
		for i := b.Min.X; i < b.Max.X; i++ {
			c.img.SetRGBA(i, j, col)
		}
	}
}

// Letters are 5 by 7 dots, each of letterDot of a sheet's pixels.
const (
	letterDot  = 1.0
	letterStep = 6
)

func textWidth(s string) float64 { return float64(len([]rune(s))) * letterStep * letterDot }

// text writes with the upper left corner at x, y; bold letters are a dot wider.
func (c *canvas) text(x, y float64, s string, col color.RGBA, bold bool) {
	for _, r := range s {
		switch r {
		case 'µ':
			r = 'u'
		case '\n', '\t':
			r = ' '
		}
		if r < ' ' || r > '~' {
			r = '?'
		}
		for i, column := range letters[r-' '] {
			for j := range 7 {
				if column>>j&1 != 0 {
					w := letterDot
					if bold {
						w = 1.5 * letterDot
					}
					c.rect(x+float64(i)*letterDot, y+float64(j)*letterDot, w, letterDot, col)
				}
			}
		}
		x += letterStep * letterDot
	}
}
