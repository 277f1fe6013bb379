package main

import (
	"errors"
	"fmt"
	"image/color"
	"math"

	"github.com/tandem-go/tandem/bench/internal/chart"
)

// The chart has a row for each kernel, and in it a bar for each implementation: how many times faster it is than PoCL's
// best method, on a logarithmic scale; bars to the left are slower. It is laid out once, as rectangles and texts.

// bar is one implementation in the chart. The colours differ for the colour-blind too (Okabe and Ito, 2008).
type bar struct {
	column, label string
	fill          color.RGBA
}

var bars = []bar{
	{"tandem", "Tandem", color.RGBA{0x00, 0x72, 0xb2, 0xff}},
	{"tandem_jit_avx2", "Tandem, AVX2", color.RGBA{0x56, 0xb4, 0xe9, 0xff}},
	{"c", "C, same algorithm", color.RGBA{0xe6, 0x9f, 0x00, 0xff}},
	{"go", "plain Go", color.RGBA{0x99, 0x99, 0x99, 0xff}},
}

// Sizes in pixels.
const (
	barHeight, barGap  = 7, 9
	chartLeft          = 110
	chartWidth         = 720
	chartTop, chartEnd = 46, 20
)

// layOut makes the chart of a report; false if no kernel was measured on PoCL.
func (r *report) layOut() (*chart.Sheet, bool) {
	shown, low, high := r.shown()
	if len(shown) == 0 {
		return nil, false
	}
	at := func(times float64) int {
		return chartLeft + int(math.Round(chartWidth*(math.Log2(times)-low)/(high-low)))
	}
	rowHeight := len(shown)*barHeight + barGap
	s := &chart.Sheet{W: chartLeft + chartWidth + 60, H: chartTop + len(r.Kernels)*rowHeight + chartEnd}
	for e := low; e <= high; e++ {
		grey := color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
		if e == 0 {
			grey = color.RGBA{0x44, 0x44, 0x44, 0xff}
		}
		x, text := at(math.Exp2(e)), fmt.Sprintf("%gx", math.Exp2(e))
		s.Box(x, chartTop-4, 1, s.H-chartTop-chartEnd+8, grey)
		s.Label(x-len(text)*chart.LetterWidth/2, s.H-5, text)
	}
	s.Label(chartLeft, 14, "times faster than PoCL's best work-group method")
	x := chartLeft
	for _, b := range shown {
		s.Box(x, 22, 10, 10, b.fill)
		s.Label(x+14, 32, b.label)
		x += (len(b.label) + 5) * chart.LetterWidth
	}
	for i, m := range r.Kernels {
		y := chartTop + i*rowHeight
		s.Label(4, y+len(shown)*barHeight/2+5, m.Kernel)
		for j, b := range shown {
			if times, ok := m.beside(b.column); ok {
				from, to := min(at(1), at(times)), max(at(1), at(times))
				s.Box(from, y+j*barHeight, to-from+1, barHeight-1, b.fill)
			}
		}
	}
	return s, true
}

// beside is how many times faster a column is than PoCL's best: the median of the ratios of the rounds.
func (m *measurement) beside(column string) (times float64, ok bool) {
	a, b := m.Rounds[column], m.Rounds["pocl_best"]
	if len(a) == 0 || len(a) != len(b) {
		return 0, false
	}
	var ratios []float64
	for i := range a {
		ratios = append(ratios, b[i]/a[i])
	}
	return median(ratios), true
}

// shown are the bars for which there is something to show, and the exponents of two between which all of them lie.
func (r *report) shown() (out []bar, low, high float64) {
	for _, b := range bars {
		found := false
		for _, m := range r.Kernels {
			if times, ok := m.beside(b.column); ok {
				found = true
				low, high = min(low, math.Floor(math.Log2(times))), max(high, math.Ceil(math.Log2(times)))
			}
		}
		if found {
			out = append(out, b)
		}
	}
	return out, low, max(high, low+1)
}

// draw writes the chart to NAME.svg and NAME.png.
func (r *report) draw(name string) error {
	s, ok := r.layOut()
	if !ok {
		return errors.New("draw: no kernel was measured on PoCL")
	}
	return s.Write(name)
}
