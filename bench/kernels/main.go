// Command kernels measures the packages below kernels on the host device beside NumPy, which a worker process of its own
// runs: each thing several times, in turns, so that other load on the machine meets both. It prints the medians and the
// median of the rounds' ratios; with -write FILE it puts the table between the marks of that document, where rows that were
// not measured stay as they are.
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/tandem-go/tandem/cuda"
)

// row is one line of the table.
type row struct {
	// name is what is measured, numpy the statement that NumPy is measured with. Its names are those of worker.py: n, x, y and
	// what prepare makes, which is not measured.
	name, prepare, numpy string
	// goal is the least ratio, 0 for none.
	goal float64
	// open prepares our side; run does the work once and waits for it, check compares with NumPy's answer where want is the
	// worker's value of an expression.
	open func(ctx context.Context, s *session) (run func() error, err error)
}

// rows are all lines, package by package.
func rows() []row { return slices.Concat(arrayRows, algorithmRows) }

// session is what rows share.
type session struct {
	dev *cuda.Device
	n   int       // elements of the large inputs
	x   []float32 // uniform in [0, 1), the same as NumPy's
	y   []float32
}

// inputs are the numbers of worker.py: multiples of 2^-24 by a multiplicative hash.
func inputs(n int, factor uint32) []float32 {
	out := make([]float32, n)
	for i := range out {
		out[i] = float32((uint32(i)*factor)>>8) * 0x1p-24
	}
	return out
}

// result is a measured row; times in milliseconds.
type result struct {
	row
	ours, theirs, ratio float64
}

func (r *result) met() bool { return r.goal == 0 || r.ratio >= r.goal }

func (r *result) line() string {
	goal, ratio := "-", fmt.Sprintf("%.2f", r.ratio)
	if r.goal > 0 {
		goal = fmt.Sprintf("≥ %g", r.goal)
	}
	if !r.met() {
		ratio = "**" + ratio + "**"
	}
	return fmt.Sprintf("| %s | %.2f | %.2f | %s | %s |\n", r.name, r.ours, r.theirs, ratio, goal)
}

const head = "| what | Tandem ms | NumPy ms | times as fast | asked |\n|---|---|---|---|---|\n"

func median(xs []float64) float64 {
	s := slices.Sorted(slices.Values(xs))
	if len(s) == 0 {
		return math.NaN()
	}
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// settle is a pause before each turn: threads of a side that has computed look for work a while longer, on processors that the
// other side needs. Those of the OpenBLAS in NumPy's wheels do for 0.12 s, which doubled the times of matrix products beside it.
const settle = 150 * time.Millisecond

// warm is how often each side runs before it is measured; inner how often in a round.
const warm, inner = 2, 3

func (r row) measure(ctx context.Context, s *session, py *worker, rounds int) (out result, err error) {
	run, err := r.open(ctx, s)
	if err != nil {
		return out, err
	}
	for range warm {
		if err := run(); err != nil {
			return out, err
		}
	}
	if err := py.prepare(r.prepare); err != nil {
		return out, err
	}
	if _, err := py.time(r.numpy, warm); err != nil {
		return out, err
	}
	var ours, theirs, ratios []float64
	for k := range rounds {
		var a, b float64
		us := func() error {
			var ts []float64
			for range inner {
				began := time.Now()
				if err := run(); err != nil {
					return err
				}
				ts = append(ts, time.Since(began).Seconds()*1e3)
			}
			a = median(ts)
			return nil
		}
		them := func() (err error) { b, err = py.time(r.numpy, inner); return err }
		turns := []func() error{us, them}
		if k%2 == 1 {
			turns[0], turns[1] = turns[1], turns[0]
		}
		for _, t := range turns {
			time.Sleep(settle)
			if err := t(); err != nil {
				return out, err
			}
		}
		ours, theirs, ratios = append(ours, a), append(theirs, b), append(ratios, b/a)
	}
	return result{r, median(ours), median(theirs), median(ratios)}, nil
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "kernels:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	rounds := flag.Int("rounds", 7, "how often each is measured")
	n := flag.Int("n", 1<<24, "elements of the large inputs")
	only := flag.String("only", "", "`expression` that the names of rows must match")
	write := flag.String("write", "", "`file` whose table is replaced")
	flag.Parse()
	want, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	if err != nil {
		return err
	}
	defer dev.Close()
	py, err := startNumPy(*n)
	if err != nil {
		return err
	}
	defer py.stop()
	s := &session{dev: dev, n: *n, x: inputs(*n, 2654435761), y: inputs(*n, 2246822519)}
	var table strings.Builder
	fmt.Fprintf(&table, "Host device %s, %d threads; NumPy %s; %d elements of float32 unless a row says otherwise; %d rounds; %s %s.\n\n",
		dev.Info().Name, runtime.GOMAXPROCS(0), py.version, *n, *rounds, runtime.Version(), time.Now().Format(time.DateOnly))
	table.WriteString(head)
	fmt.Print(table.String())
	for _, r := range rows() {
		if !want.MatchString(r.name) {
			continue
		}
		m, err := r.measure(ctx, s, py, *rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		fmt.Print(m.line())
		table.WriteString(m.line())
	}
	if *write == "" {
		return nil
	}
	return replace(*write, table.String())
}

const begin, end = "<!-- measured: written by bench/kernels -->\n", "<!-- end of the measured part -->\n"

// replace puts a table between the marks of a document. Rows of the table that stands there and that the new one does not have
// are kept behind the new ones.
func replace(file, table string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), begin)
	old, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no marks", file)
	}
	_, rows, _ := strings.Cut(old, head)
	for line := range strings.Lines(rows) {
		if name, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " |"); ok && !strings.Contains(table, "| "+name+" |") {
			table += line
		}
	}
	return os.WriteFile(file, []byte(before+begin+"\n"+table+"\n"+end+after), 0o644)
}
