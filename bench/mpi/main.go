// Command mpi measures hostpar/mpi beside a C program and mpi4py on the same MPI library: the latency of eight bytes, the
// reduction of a million numbers, eight goroutines that exchange numbers, and pi by a thousand million steps on one and two
// ranks. For what takes a few milliseconds, the programs are started together and take turns of some tens of milliseconds,
// the others stopped, so that all meet the same minutes of the machine. The rest runs in turn. All is done several times, and
// the table has medians of medians.
//
//	cd bench && go run ./mpi -python python3          needs mpirun.openmpi, mpicc.openmpi, mpirun.mpich and mpicc.mpich
package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

//go:embed peers/peer.c
var peerC []byte

//go:embed peers/peer.py
var peerPython []byte

var (
	steps  = flag.Int("pi", 0, "as a rank: integrate in that many steps instead of the other measurements")
	long   = flag.Bool("exchanges", false, "as a rank: measure the exchanges of eight goroutines instead of the other measurements")
	turns  = flag.Int("turns", 5, "how often each program runs")
	python = flag.String("python", "python3", "an interpreter with mpi4py and numpy")
	only   = flag.String("only", "", "openmpi or mpich")
)

func main() {
	flag.Parse()
	var err error
	if mpi.Launched() {
		err = mpi.Run(context.Background(), mpi.RunConfig{}, func(ctx context.Context, world *mpi.Comm) error {
			return ranks(ctx, os.Stdout, world)
		})
	} else {
		err = compare(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "mpi:", err)
		os.Exit(1)
	}
}

// library is how one MPI library is used from the command line.
type library struct {
	name, compiler string
	launch         []string
	abi            string // mpi4py's name
}

var libraries = []library{
	{"Open MPI", "mpicc.openmpi", []string{"mpirun.openmpi", "--oversubscribe", "--bind-to", "none"}, "openmpi"},
	{"MPICH", "mpicc.mpich", []string{"mpirun.mpich"}, "mpich"},
}

const piSteps = 1_000_000_000

// serialized is the C program with MPI_THREAD_SERIALIZED instead of MPI_THREAD_SINGLE.
const serialized = "C, serialized"

func compare(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "mpi-bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for _, l := range libraries {
		if *only != "" && *only != l.abi {
			continue
		}
		if err := compareOn(ctx, l, dir, self); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
	}
	return nil
}

// samples are the figures of the programs, by measurement and program.
type samples map[string]map[string][]float64

func compareOn(ctx context.Context, l library, dir, self string) error {
	source, peer, script := filepath.Join(dir, "peer.c"), filepath.Join(dir, "peer-"+l.abi), filepath.Join(dir, "peer.py")
	if err := errors.Join(os.WriteFile(source, peerC, 0o600), os.WriteFile(script, peerPython, 0o600)); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, l.compiler, "-O2", "-o", peer, source).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", l.compiler, err, out)
	}
	programs := map[string][]string{"C": {peer}, serialized: {peer, "-serialized"}, "Go": {self}}
	order := []string{"C", serialized, "Go"}
	if _, err := l.command(ctx, 1, []string{*python, "-c", "import mpi4py.MPI, numpy"}).Output(); err == nil {
		programs["mpi4py"] = []string{*python, script}
		order = append(order, "mpi4py")
	} else {
		fmt.Fprintf(os.Stderr, "%s: no mpi4py: %v\n", l.name, err)
	}
	all := samples{}
	for range *turns {
		if err := l.together(ctx, programs, order, all); err != nil {
			return err
		}
		for _, p := range order {
			if err := l.alone(ctx, 2, p, append(slices.Clone(programs[p]), "-exchanges"), all); err != nil {
				return err
			}
		}
	}
	for range min(*turns, 3) {
		for _, n := range []int{1, 2} {
			for _, p := range []string{"C", "Go"} {
				if err := l.alone(ctx, n, p, append(slices.Clone(programs[p]), "-pi", strconv.Itoa(piSteps)), all); err != nil {
					return err
				}
			}
		}
	}
	all.print(l.name, order)
	return nil
}

func (s samples) add(program, out string) {
	for line := range strings.Lines(out) {
		var name string
		var least, median float64
		if n, _ := fmt.Sscan(line, &name, &least, &median); n != 3 {
			continue
		}
		if s[name] == nil {
			s[name] = map[string][]float64{}
		}
		if strings.HasPrefix(name, "value") {
			median = least // not a time
		}
		s[name][program] = append(s[name][program], median)
	}
}

func middle(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	xs = slices.Sorted(slices.Values(xs))
	return xs[len(xs)/2]
}

// print writes a table in Markdown. Ratios are medians of those of the programs that ran side by side.
func (s samples) print(library string, order []string) {
	fmt.Printf("\n### %s\n\n| | %s | Go : C | Go : %s |\n|---|%s---|---|\n", library, strings.Join(order, " | "), serialized, strings.Repeat("---|", len(order)))
	for _, m := range []struct{ name, text string }{
		{"latency", "8 bytes, one way, µs"}, {"allreduce", "Allreduce of 1e6 float64, ms"}, {"exchanges", "8 × 2,000 exchanges, s"},
		{"pi1", "pi, 1e9 steps, 1 rank, s"}, {"pi2", "pi, 1e9 steps, 2 ranks, s"},
	} {
		fmt.Printf("| %s |", m.text)
		for _, p := range order {
			if xs := s[m.name][p]; len(xs) > 0 {
				fmt.Printf(" %.3g |", middle(xs))
			} else {
				fmt.Print(" - |")
			}
		}
		for _, p := range []string{"C", serialized} {
			var ratios []float64
			for i, x := range s[m.name][p] {
				ratios = append(ratios, s[m.name]["Go"][i]/x)
			}
			if len(ratios) == 0 {
				fmt.Print(" - |")
			} else {
				fmt.Printf(" %.2f |", middle(ratios))
			}
		}
		fmt.Println()
	}
	fmt.Printf("\nSpeed-up of pi from one rank to two: C %.2f, Go %.2f. The values: C %.9f, Go %.9f.\n",
		middle(s["pi1"]["C"])/middle(s["pi2"]["C"]), middle(s["pi1"]["Go"])/middle(s["pi2"]["Go"]), middle(s["value2"]["C"]), middle(s["value2"]["Go"]))
}
