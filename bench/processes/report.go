package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

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
	fmt.Fprintf(&b, "%d times, in turns\nwith the other one, on a machine that had other work too; the figures are medians. \"The other\" is CPython's\n", rounds)
	fmt.Fprint(&b, "multiprocessing, except in the last lines, where its name stands.\n\n")
	t := par.ReadTopology()
	fmt.Fprintf(&b, "%s; %s; %s, %s/%s; %s, %d of %d logical processors.\n\n", time.Now().UTC().Format(time.DateOnly), version, runtime.Version(),
		runtime.GOOS, runtime.GOARCH, t.Model, t.Usable, t.Logical)
	fmt.Fprint(&b, header)
	for _, r := range rs {
		fmt.Fprint(&b, r.row())
	}
	fmt.Fprint(&b, "\n![how many times better each is, with the goals](hostpar.svg)\n\n")
	fmt.Fprint(&b, "A time is better when it is less. CPython loses a pool's task when its worker dies, and waits for ever, so there is no figure beside\n")
	fmt.Fprint(&b, "ours. Its lock is that of a `Value`. The densities are computed in CPython by plain loops in a pool of as many processes as cores.\n")
	fmt.Fprint(&b, "`conc iter.Map` and the go statement are no pools and have no goal; a go statement for each item has no limit.\n")
	if err := os.WriteFile(filepath.Join(folder, "hostpar.md"), []byte(b.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "hostpar.svg"), plot(rs), 0o644)
}

// plot draws the ratios as bars over a logarithmic axis, and the goals as lines.
func plot(rs []result) []byte {
	const left, width, row, decades = 190, 560, 26, 4
	at := func(ratio float64) float64 { return left + width*min(max(math.Log10(ratio), 0), decades)/decades }
	var shown []result
	for _, r := range rs {
		if !math.IsNaN(r.ratio) {
			shown = append(shown, r)
		}
	}
	height := row*len(shown) + 30
	var s bytes.Buffer
	fmt.Fprintf(&s, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"13\">\n", left+width+70, height)
	fmt.Fprintf(&s, "<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n")
	for d := range decades + 1 {
		x := at(math.Pow10(d))
		fmt.Fprintf(&s, "<line x1=\"%.1f\" y1=\"0\" x2=\"%.1f\" y2=\"%d\" stroke=\"lightgray\"/>\n", x, x, height-20)
		fmt.Fprintf(&s, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g ×</text>\n", x, height-5, math.Pow10(d))
	}
	for i, r := range shown {
		y := row * i
		fmt.Fprintf(&s, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n", left-8, y+18, r.name)
		fmt.Fprintf(&s, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"steelblue\"/>\n", left, y+5, max(1, at(r.ratio)-left), row-10)
		fmt.Fprintf(&s, "<text x=\"%.1f\" y=\"%d\">%.3g</text>\n", at(r.ratio)+5, y+18, r.ratio)
		var goal float64
		if n, _ := fmt.Sscanf(r.goal, "≥ %g", &goal); n == 1 {
			fmt.Fprintf(&s, "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"darkorange\" stroke-width=\"3\"/>\n", at(goal), y+2, at(goal), y+row-2)
		}
	}
	fmt.Fprint(&s, "</svg>\n")
	return s.Bytes()
}
