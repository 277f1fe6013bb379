package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// bars is a horizontal bar chart of times; the first is the serial one, and a dashed line marks it.
type bars []struct {
	label   string
	workers int
	took    time.Duration
}

func (b *bars) add(workers int, took time.Duration) {
	label := "serial"
	if workers > 0 {
		label = fmt.Sprint(workers)
	}
	*b = append(*b, struct {
		label   string
		workers int
		took    time.Duration
	}{label, workers, took})
}

func (b bars) table() string {
	var s strings.Builder
	for _, bar := range b {
		speedUp := b[0].took.Seconds() / bar.took.Seconds()
		cores := max(1, min(bar.workers, runtime.GOMAXPROCS(0)))
		fmt.Fprintf(&s, "%6s: %.4f s, speed-up %.2f, efficiency %.0f %%\n", bar.label, bar.took.Seconds(), speedUp, 100*speedUp/float64(cores))
	}
	return s.String()
}

const (
	width, rowHeight, left = 640, 40, 80
	room                   = width - left - 20 // for the longest bar
)

func (b bars) length(i int) int {
	longest := b[0].took
	for _, bar := range b {
		longest = max(longest, bar.took)
	}
	return max(1, int(room*bar(b[i].took)/bar(longest)))
}

func bar(d time.Duration) float64 { return max(float64(d), 1) }

// save writes the chart as PNG or SVG, as the name says.
func (b bars) save(name string) error {
	var data []byte
	switch ext := filepath.Ext(name); ext {
	case ".svg":
		data = b.svg()
	case ".png":
		var buf bytes.Buffer
		if err := png.Encode(&buf, b.image()); err != nil {
			return err
		}
		data = buf.Bytes()
	default:
		return fmt.Errorf("plot %s: want .png or .svg, have %q", name, ext)
	}
	return os.WriteFile(name, data, 0o644)
}

func (b bars) svg() []byte {
	var s bytes.Buffer
	height := rowHeight * len(b)
	fmt.Fprintf(&s, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"14\">\n", width, height)
	for i, bar := range b {
		y := rowHeight * i
		fmt.Fprintf(&s, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", left-10, y+25, bar.label)
		fmt.Fprintf(&s, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"steelblue\"/>\n", left, y+8, b.length(i), rowHeight-16)
		fmt.Fprintf(&s, "<text x=\"%d\" y=\"%d\" fill=\"white\">%.4f s</text>\n", left+6, y+25, bar.took.Seconds())
	}
	x := left + b.length(0)
	fmt.Fprintf(&s, "<line x1=\"%d\" y1=\"0\" x2=\"%d\" y2=\"%d\" stroke=\"black\" stroke-dasharray=\"6 4\"/>\n</svg>\n", x, x, height)
	return s.Bytes()
}

// image draws the same without text: the standard library has no fonts.
func (b bars) image() image.Image {
	blue, black := image.NewUniform(color.RGBA{70, 130, 180, 255}), image.NewUniform(color.Black)
	m := image.NewRGBA(image.Rect(0, 0, width, rowHeight*len(b)))
	draw.Draw(m, m.Bounds(), image.White, image.Point{}, draw.Src)
	for i := range b {
		y := rowHeight * i
		draw.Draw(m, image.Rect(left, y+8, left+b.length(i), y+rowHeight-8), blue, image.Point{}, draw.Src)
	}
	x := left + b.length(0)
	for y := 0; y < m.Bounds().Dy(); y += 10 {
		draw.Draw(m, image.Rect(x, y, x+2, y+6), black, image.Point{}, draw.Src)
	}
	return m
}
