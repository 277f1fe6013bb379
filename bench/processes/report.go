package main

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tandem-go/tandem/bench/internal/chart"
	"github.com/tandem-go/tandem/hostpar/par"
)

const header = "| measurement | unit | ours | the other | ours is better | goal |\n|---|---|---|---|---|---|\n"

func (r result) row() string {
	theirs, ratio := "-", "-"
	if !math.IsNaN(r.theirs) {
		theirs, ratio = figure(r.theirs), fmt.Sprintf("%.1f ×", r.ratio)
	}
	goal := r.goal
	if !r.met {
		goal += " **missed**"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", r.name, r.unit, figure(r.ours), theirs, ratio, goal)
}

// figure writes three digits that count.
func figure(x float64) string {
	switch {
	case x >= 1e6:
		return fmt.Sprintf("%.3g M", x/1e6)
	case x >= 1e3:
		return fmt.Sprintf("%.3g k", x/1e3)
	default:
		return fmt.Sprintf("%.3g", x)
	}
}

// report writes the page and the plot.
func report(folder string, rs []result, rounds int, version string) error {
	var b strings.Builder
	fmt.Fprint(&b, "# Figures of hostpar\n\n")
	fmt.Fprint(&b, "Written by `cd bench && go run ./processes -write ../docs/results`, which `make bench-hostpar` runs. Each thing was measured ")
	fmt.Fprintf(&b, "%d times, in turns\nwith the other one; the figures are medians. \"The other\" is CPython's\n", rounds)
	fmt.Fprint(&b, "multiprocessing, except in the last lines, where its name stands.\n\n")
	t := par.ReadTopology()
	fmt.Fprintf(&b, "%s; %s; %s, %s/%s; %s, %d of %d logical processors.\n\n", time.Now().UTC().Format(time.DateOnly), version, runtime.Version(),
		runtime.GOOS, runtime.GOARCH, t.Model, t.Usable, t.Logical)
	fmt.Fprint(&b, header)
	for _, r := range rs {
		fmt.Fprint(&b, r.row())
	}
	fmt.Fprint(&b, "\n![how many times better each is, with the goals](hostpar.svg)\n\nThe same as [PNG](hostpar.png).\n\n")
	fmt.Fprint(&b, "A time is better when it is less. CPython loses a pool's task when its worker dies, and waits for ever, so there is no figure beside\n")
	fmt.Fprint(&b, "ours. Its lock is that of a `Value`. The densities are computed in CPython by plain loops in a pool of as many processes as cores.\n")
	fmt.Fprint(&b, "`conc iter.Map` and the go statement are no pools and have no goal; a go statement for each item has no limit.\n")
	if err := os.WriteFile(filepath.Join(folder, "hostpar.md"), []byte(b.String()), 0o644); err != nil {
		return err
	}
	return plot(rs).Write(filepath.Join(folder, "hostpar"))
}

// plot draws the ratios as bars over a logarithmic axis, and the goals as lines.
func plot(rs []result) *chart.Sheet {
	const left, width, row, decades = 220, 560, 24, 4
	at := func(ratio float64) int {
		return left + int(math.Round(width*min(max(math.Log10(ratio), 0), decades)/decades))
	}
	var shown []result
	for _, r := range rs {
		if !math.IsNaN(r.ratio) {
			shown = append(shown, r)
		}
	}
	s := &chart.Sheet{W: left + width + 70, H: row*len(shown) + 30}
	for d := range decades + 1 {
		x, text := at(math.Pow10(d)), fmt.Sprintf("%gx", math.Pow10(d))
		s.Box(x, 0, 1, s.H-20, lineGrey)
		s.Label(x-len(text)*chart.LetterWidth/2, s.H-5, text)
	}
	for i, r := range shown {
		y := row * i
		s.Label(left-8-utf8.RuneCountInString(r.name)*chart.LetterWidth, y+17, r.name)
		s.Box(left, y+6, max(1, at(r.ratio)-left), row-10, barBlue)
		s.Label(at(r.ratio)+5, y+17, fmt.Sprintf("%.3g", r.ratio))
		var goal float64
		if n, _ := fmt.Sscanf(r.goal, "≥ %g", &goal); n == 1 {
			s.Box(at(goal)-1, y+2, 3, row-4, goalOrange)
		}
	}
	return s
}

var (
	lineGrey   = color.RGBA{0xdd, 0xdd, 0xdd, 0xff}
	barBlue    = color.RGBA{0x00, 0x72, 0xb2, 0xff}
	goalOrange = color.RGBA{0xe6, 0x9f, 0x00, 0xff}
)
