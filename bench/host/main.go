// Command host measures the host device: the same kernels as CUDA C++ on Tandem, as OpenCL C on PoCL, as C and as plain
// Go, each checked, in rounds that let every implementation meet the same load. It prints one line for each kernel and
// the geometric means of the ratios; peers that are not installed are left out and named.
//
// See docs/results/host.md for what is compared with what, and for results.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "host:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	rounds  int
	ms      float64
	small   bool
	seed    uint64
	kernels []kernel
	engines []string
	merge   string // a report of before whose kernels are kept
	json    string
	chart   string
	page    string
	dump    string
	peers   bool
	against string // another build of this program, whose Tandem is measured as well
	// out gets the table, and progress each line of it as soon as it is known.
	out, progress io.Writer
}

func run(args []string) error {
	f := flag.NewFlagSet("host", flag.ContinueOnError)
	o := options{out: os.Stdout, progress: os.Stderr}
	f.IntVar(&o.rounds, "rounds", 7, "how many rounds")
	f.Float64Var(&o.ms, "ms", 60, "how many milliseconds an implementation runs in a round")
	f.BoolVar(&o.small, "small", false, "the sizes of the tests")
	f.Uint64Var(&o.seed, "seed", 1, "of the inputs")
	f.BoolVar(&o.peers, "peers", true, "with C and PoCL")
	f.StringVar(&o.against, "against", "", "another build of this command: its engines are columns, too")
	f.StringVar(&o.json, "json", "", "write a report to this file")
	f.StringVar(&o.merge, "merge", "", "keep kernels of this report that are not measured now")
	f.StringVar(&o.chart, "chart", "", "draw the ratios of -merge or of this run to NAME.svg and NAME.png")
	f.StringVar(&o.page, "page", "", "write the tables into this page, docs/results/host.md")
	f.StringVar(&o.dump, "dump", "", "write the PTX and machine code of the kernels to this folder")
	list := f.String("kernels", "all", "which kernels, with commas")
	engines := f.String("engines", "", "engines of Tandem with commas; empty is the fastest of this machine")
	profile := f.String("profile", "", "run the kernels on Tandem in this process, and write a profile of the processors to this file")
	as := f.String("worker", "", "run as a worker: tandem, go")
	engine := f.String("engine", "", "the engine of a worker")
	if err := f.Parse(args); err != nil {
		return err
	}
	switch *as {
	case "tandem":
		return serve(os.Stdin, os.Stdout, &tandem{engine: *engine})
	case "go":
		return serve(os.Stdin, os.Stdout, &plain{})
	case "":
	default:
		return fmt.Errorf("no worker %q", *as)
	}
	o.engines = strings.Split(*engines, ",")
	var err error
	if o.kernels, err = choose(*list); err != nil {
		return err
	}
	if *profile != "" {
		return profiled(o, *profile)
	}
	return measure(o)
}

// choose finds kernels by name.
func choose(list string) ([]kernel, error) {
	if list == "all" {
		return kernels, nil
	}
	var out []kernel
	if list == "none" {
		return out, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(kernels, func(k kernel) bool { return k.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no kernel %q; there are %s", name, strings.Join(names(kernels), " "))
		}
		out = append(out, kernels[i])
	}
	return out, nil
}

// measure measures and reports.
func measure(o options) (err error) {
	dir, err := os.MkdirTemp("", "tandem-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r, err := newReport(o)
	if err != nil {
		return err
	}
	if len(o.kernels) > 0 {
		if err := compare(o, dir, r); err != nil {
			return err
		}
	}
	r.finish()
	r.print(o.out)
	if o.json != "" {
		if err := r.save(o.json); err != nil {
			return err
		}
	}
	if o.page != "" {
		if err := r.document(o.page); err != nil {
			return err
		}
	}
	if o.chart != "" {
		return r.draw(o.chart)
	}
	return nil
}
