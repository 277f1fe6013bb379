// Command processes measures package hostpar beside CPython's multiprocessing, where python3 is there, and beside pools of
// goroutines: each thing several times, in turns, so that other load on the machine meets both. It prints the medians and
// their ratio as a table; with -write FOLDER it writes the table and a plot there too, as hostpar.md, hostpar.svg and hostpar.png.
package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tandem-go/tandem/bench/pools"
	"github.com/tandem-go/tandem/hostpar/proc"
)

//go:embed bench.py
var script string

func main() { os.Exit(proc.Main(run)) }

// measurement is one line of the table. Where inverse is set, the figures are times of one thing, else things a second.
type measurement struct {
	name   string
	unit   string
	ours   func(n int) time.Duration
	n      int     // of ours
	theirs int     // of CPython; 0 if it has no such thing
	goal   float64 // the least ratio; where most is set there is none
	most   float64 // the most that ours may be, in the unit
	scale  float64 // of a time, from seconds to the unit; 0 for things a second
}

var measurements = []measurement{
	{"pipe", "messages/s, a flush for each", pipe, 300_000, 60_000, 5, 0, 0},
	{"ring", "messages/s (CPython: Pipe)", ring, 5_000_000, 60_000, 50, 0, 0},
	{"queue", "messages/s, 2 producers, 2 consumers", queue, 2_000_000, 60_000, 10, 0, 0},
	{"roundtrip", "round trips/s through a pipe", roundTrip, 20_000, 20_000, 2, 0, 0},
	{"ring roundtrip", "round trips/s through rings (CPython: Pipe)", ringRoundTrip, 50_000, 20_000, 2, 0, 0},
	{"map 1", "tasks/s, chunks of one", poolMap(1), 100_000, 20_000, 3, 0, 0},
	{"map auto", "tasks/s, automatic chunks", poolMap(0), 2_000_000, 1_000_000, 2, 0, 0},
	{"manager", "dictionary entries set/s", manager, 20_000, 5_000, 0, 0, 0},
	{"kde", "densities/s, 10,000 samples each, all cores", kde, 10_000, 100, 50, 0, 0},
	{"pool start", "ms until two workers are ready", poolStart, 10, 5, 0, 5, 1e3},
	{"lock", "ns for a locked increment, lock not contended", lock, 5_000_000, 200_000, 0, 25, 1e9},
	{"death", "ms from a worker's death to its task's error", death, 20, 0, 0, 50, 1e3},
}

// result is a measurement's outcome.
type result struct {
	name, unit   string
	ours, theirs float64 // NaN if there is none
	ratio        float64 // how much better ours is
	goal         string
	met          bool
}

func median(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	slices.Sort(xs)
	return (xs[(len(xs)-1)/2] + xs[len(xs)/2]) / 2
}

func (m measurement) measure(rounds int, peer func(name string, n int) float64) result {
	var ours, theirs []float64
	for range rounds {
		ours = append(ours, float64(m.n)/m.ours(m.n).Seconds())
		if peer != nil && m.theirs > 0 {
			theirs = append(theirs, peer(m.name, m.theirs))
		}
	}
	r := result{name: m.name, unit: m.unit, ours: median(ours), theirs: median(theirs), met: true}
	r.ratio = r.ours / r.theirs
	if m.scale > 0 {
		r.ours, r.theirs = m.scale/r.ours, m.scale/r.theirs
	}
	if m.goal > 0 {
		r.goal, r.met = fmt.Sprintf("≥ %g ×", m.goal), r.ratio >= m.goal
	}
	if m.most > 0 {
		r.goal, r.met = fmt.Sprintf("≤ %g", m.most), r.ours <= m.most
	}
	return r
}

// tiny compares ways to run 100,000 tiny functions.
func tiny(rounds int) []result {
	const items = 100_000
	xs := make([]int, items)
	for i := range xs {
		xs[i] = i
	}
	rates := make([][]float64, len(pools.Ways))
	for range rounds {
		for i, w := range pools.Ways {
			began := time.Now()
			out := must(w.Run(xs))
			rates[i] = append(rates[i], items/time.Since(began).Seconds())
			expect(out[items-1], (items-1)*(items-1))
		}
	}
	ours := median(rates[0])
	var rs []result
	for i, w := range pools.Ways[1:] {
		theirs := median(rates[i+1])
		r := result{name: "Map beside " + w.Name, unit: "tiny functions/s", ours: ours, theirs: theirs, ratio: ours / theirs, met: true}
		if w.Name != "conc iter.Map" && w.Name != "go statement" { // which are no pools
			r.goal, r.met = "≥ 10 ×", r.ratio >= 10
		}
		rs = append(rs, r)
	}
	return rs
}

func run() int {
	rounds := flag.Int("rounds", 5, "how often each is measured")
	write := flag.String("write", "", "folder for hostpar.md and its plot")
	flag.Parse()
	peer, version, remove := python()
	defer remove()
	fmt.Print(header)
	var rs []result
	for _, m := range measurements {
		r := m.measure(*rounds, peer)
		rs = append(rs, r)
		fmt.Print(r.row())
	}
	for _, r := range tiny(4 * *rounds) {
		rs = append(rs, r)
		fmt.Print(r.row())
	}
	if *write != "" {
		if err := report(*write, rs, *rounds, version); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return 0
}

// python returns a function that measures CPython, nil if there is none.
func python() (peer func(name string, n int) float64, version string, remove func()) {
	remove = func() {}
	python, err := exec.LookPath("python3")
	if errors.Is(err, exec.ErrNotFound) {
		return nil, "no python3", remove
	}
	check(err)
	version = strings.TrimSpace(string(must(exec.Command(python, "--version").Output())))
	f := must(os.CreateTemp("", "*.py"))
	must(f.WriteString(script))
	check(f.Close())
	return func(name string, n int) float64 {
		out := must(exec.Command(python, f.Name(), name, strconv.Itoa(n)).Output())
		return must(strconv.ParseFloat(strings.TrimSpace(string(out)), 64))
	}, version, func() { _ = os.Remove(f.Name()) } // a temporary file
}
