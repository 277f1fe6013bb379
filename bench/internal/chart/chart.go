// Package chart writes a picture of boxes and texts as SVG and as PNG, both of the same layout.
package chart

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// LetterWidth is the width in pixels of each letter of a text, LetterHeight the height of a line.
const LetterWidth, LetterHeight = 7, 13

// Box is a filled rectangle, in pixels from the upper left corner.
type Box struct {
	X, Y, W, H int
	Fill       color.RGBA
}

// Label is a text whose baseline begins at X, Y.
type Label struct {
	X, Y int
	Text string
}

// Sheet is a picture: boxes, later ones over earlier ones, and texts over all of them. The ground is white.
type Sheet struct {
	W, H   int
	Boxes  []Box
	Labels []Label
}

// Box adds a box.
func (s *Sheet) Box(x, y, w, h int, fill color.RGBA) {
	s.Boxes = append(s.Boxes, Box{x, y, w, h, fill})
}

// Label adds a text.
func (s *Sheet) Label(x, y int, text string) { s.Labels = append(s.Labels, Label{x, y, text}) }

// SVG returns the picture as an SVG file.
func (s *Sheet) SVG() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"monospace\" font-size=\"12\">\n", s.W, s.H)
	fmt.Fprintf(&b, "<rect x=\"0\" y=\"0\" width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", s.W, s.H)
	for _, r := range s.Boxes {
		fmt.Fprintf(&b, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#%02x%02x%02x\"/>\n", r.X, r.Y, r.W, r.H, r.Fill.R, r.Fill.G, r.Fill.B)
	}
	for _, l := range s.Labels {
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\">%s</text>\n", l.X, l.Y, html.EscapeString(l.Text))
	}
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// PNG returns the picture as a PNG file.
func (s *Sheet) PNG() ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, s.W, s.H))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	for _, r := range s.Boxes {
		draw.Draw(img, image.Rect(r.X, r.Y, r.X+r.W, r.Y+r.H), image.NewUniform(r.Fill), image.Point{}, draw.Src)
	}
	for _, l := range s.Labels {
		d := font.Drawer{Dst: img, Src: image.Black, Face: basicfont.Face7x13, Dot: fixed.P(l.X, l.Y)}
		d.DrawString(l.Text)
	}
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

// Write writes the picture to NAME.svg and NAME.png.
func (s *Sheet) Write(name string) error {
	picture, err := s.PNG()
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(name+".svg", s.SVG(), 0o644), os.WriteFile(name+".png", picture, 0o644))
}
