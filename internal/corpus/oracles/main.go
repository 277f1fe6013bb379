// Command oracles runs kernels of public collections on the host device and compares what they compute with answers that
// are computed here from the definition of each problem: make corpus-check DIR=folder.
//
// Nothing of a collection is part of this program. It knows a kernel by the file and the name, and the file by its hash; it
// makes the arguments, launches, and holds every buffer against an oracle: exactly where the arithmetic is exact, else
// within a bound on the rounding errors of the kernel. A buffer for which nothing is expected must stay as it was.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/corpus/devcode"
)

func main() {
	include := flag.String("include", "", "folders with headers of the CUDA toolkit, separated by colons")
	timeout := flag.Duration("timeout", 5*time.Minute, "the limit of one check")
	engines := flag.String("engines", "interp,jit", "the engines to run on, separated by commas")
	only := flag.String("only", "", "only files whose path contains this")
	seed := flag.Uint64("seed", 1, "of the arguments")
	verbose := flag.Bool("v", false, "one line for each kernel and engine")
	hashes := flag.Bool("hashes", false, "print the hashes of the files instead")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: oracles [-include DIRS] [-engines LIST] [-only TEXT] [-seed N] [-timeout D] [-v] DIR")
		os.Exit(2)
	}
	dirs := strings.FieldsFunc(*include, func(r rune) bool { return r == ':' })
	tree, err := devcode.Scan(flag.Arg(0), dirs)
	if err != nil {
		fmt.Fprintln(os.Stderr, "oracles:", err)
		os.Exit(1)
	}
	b := &bench{tree: tree, engines: strings.Split(*engines, ","), seed: *seed, timeout: *timeout, out: os.Stdout, verbose: *verbose}
	var files []file
	for _, f := range collections() {
		if strings.Contains(f.path, *only) {
			files = append(files, f)
		}
	}
	if *hashes {
		b.printHashes(files)
		return
	}
	for _, f := range files {
		b.file(f)
	}
	if !b.print() {
		os.Exit(1)
	}
}

// collections are all files with what is known of their kernels.
func collections() []file {
	return slices.Concat(polybenchFiles(), rodiniaFiles(), sampleFiles())
}

// file is a source file of a collection with the checks of its kernels.
type file struct {
	// collection is the name in the table.
	collection string
	// path is how the path of the file ends, with slashes.
	path string
	// options are options of the compiler.
	options []string
	// plain files need no header of the toolkit, whose declarations the macros among the options would change.
	plain bool
	// instances are the template instances that the checks launch.
	instances []string
	checks    []check
}

// check is launches of one or more kernels with their expected results.
type check struct {
	// kernels are the names of the kernels that it checks, separated by spaces.
	kernels string
	run     func(*run)
}

// outcome is what became of a kernel on all engines.
type outcome int

const (
	agrees outcome = iota
	differs
	failed
	refused
	missing
)

var outcomes = []string{"agree", "differ", "failed", "rejected", "not found"}

// bench runs files and keeps count.
type bench struct {
	tree    *devcode.Tree
	engines []string
	seed    uint64
	timeout time.Duration
	out     io.Writer
	verbose bool

	found   map[string]map[string]outcome // collection → file: kernel → outcome
	changed map[string]int                // collection → files that are not the ones the table was made for
	native  map[string]map[string]int     // engine asked for → engine that ran → launches
	details []string
}

func (b *bench) note(f file, kernel string, o outcome, detail string) {
	if b.found == nil {
		b.found, b.changed, b.native = map[string]map[string]outcome{}, map[string]int{}, map[string]map[string]int{}
	}
	if b.found[f.collection] == nil {
		b.found[f.collection] = map[string]outcome{}
	}
	key := f.path + ": " + kernel
	b.found[f.collection][key] = max(b.found[f.collection][key], o)
	if o != agrees {
		b.details = append(b.details, fmt.Sprintf("%-9s  %s/%s %s", outcomes[o], f.collection, key, detail))
	}
	if b.verbose {
		fmt.Fprintf(b.out, "%s: %s %s\n", key, outcomes[o], detail)
	}
}

// noteAll notes the same of all kernels of a file.
func (b *bench) noteAll(f file, o outcome, detail string) {
	for _, c := range f.checks {
		for name := range strings.FieldsSeq(c.kernels) {
			b.note(f, name, o, detail)
		}
	}
}

// hash is the key of a file's contents.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// read finds the file: of several, the one with the known hash.
func (b *bench) read(f file) (*devcode.Program, bool, error) {
	var p *devcode.Program
	for _, name := range b.tree.Find(f.path) {
		q, err := b.tree.Read(name)
		if err != nil {
			return nil, false, err
		}
		if p == nil || hash(q.Text) == known[f.path] {
			p = q
		}
	}
	return p, p != nil && hash(p.Text) == known[f.path], nil
}

// file runs the checks of a file on each engine.
func (b *bench) file(f file) {
	for i, engine := range b.engines {
		p, same, err := b.read(f)
		if err != nil || p == nil {
			b.noteAll(f, missing, fmt.Sprint(err))
			return
		}
		if err := b.engine(f, p, engine); err != nil {
			o := failed
			if errors.As(err, new(*cuda.CompileError)) {
				o = refused
			}
			b.noteAll(f, o, devcode.FirstError(err))
			return
		}
		if i == 0 && !same {
			b.changed[f.collection]++
			b.details = append(b.details, "changed    "+f.collection+"/"+f.path)
		}
	}
}

// engine runs the checks of a file on one engine.
func (b *bench) engine(f file, p *devcode.Program, engine string) (err error) {
	dev, err := cuda.OpenHost(cuda.HostConfig{Engine: engine, Poison: true, MemoryLimit: 1 << 30})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dev.Close()) }()
	p.Instances = f.instances
	if f.plain {
		p.Include = nil
	}
	mod, err := p.Compile(context.Background(), dev, f.options...)
	if err != nil {
		return err
	}
	if dev, err = reopened(dev); err != nil {
		return err
	}
	for i, c := range f.checks {
		if i > 0 || mod.Device() != dev { // a module's variables are fresh for each check, and a fault does not last
			if mod, err = p.Compile(context.Background(), dev, f.options...); err != nil {
				return err
			}
		}
		var own []string
		for _, m := range p.Rejected {
			if strings.HasPrefix(m, path.Base(f.path)) {
				own = append(own, m)
			}
		}
		b.check(f, c, dev, mod, engine, own)
		if dev, err = reopened(dev); err != nil {
			return err
		}
	}
	return nil
}

// reopened resets a device that a fault has poisoned.
func reopened(dev *cuda.Device) (*cuda.Device, error) {
	if dev.Err() == nil {
		return dev, nil
	}
	return dev, dev.Reset()
}

func (b *bench) check(f file, c check, dev *cuda.Device, mod *cuda.Module, engine string, rejected []string) {
	ctx, stop := context.WithTimeout(context.Background(), b.timeout)
	defer stop()
	r := newRun(ctx, dev, mod, b.seed)
	began := time.Now()
	r.do(c)
	detail := fmt.Sprintf("on %s", engine)
	o := agrees
	switch {
	case r.err != nil:
		o, detail = failed, detail+": "+r.err.Error()
		if errors.Is(r.err, cuda.ErrNotFound) && len(rejected) > 0 {
			o, detail = refused, detail+"; the compiler says "+strings.Join(rejected[:min(3, len(rejected))], ", ")
		}
	case len(r.differences) > 0:
		o, detail = differs, detail+": "+strings.Join(r.differences, "; ")
	default:
		detail += fmt.Sprintf(" in %v", time.Since(began).Round(time.Millisecond))
	}
	for name := range strings.FieldsSeq(c.kernels) {
		b.note(f, name, o, detail)
	}
	if b.native[engine] == nil {
		b.native[engine] = map[string]int{}
	}
	for _, l := range r.ran {
		b.native[engine][l.engine]++
		if note := fmt.Sprintf("%-9s  %s/%s: %s, where %s was asked for", l.engine, f.collection, f.path, l.kernel, engine); !strings.HasPrefix(l.engine, engine) &&
			!slices.Contains(b.details, note) {
			b.details = append(b.details, note)
		}
	}
}

// print writes the table. It reports whether all kernels that were found and compiled agree.
func (b *bench) print() bool {
	good := true
	fmt.Fprintf(b.out, "\n%-16s %8s", "kernels", "in table")
	for _, o := range outcomes {
		fmt.Fprintf(b.out, " %9s", o)
	}
	fmt.Fprintf(b.out, " %9s\n", "changed")
	sum := make([]int, len(outcomes)+2)
	row := func(name string, all int, counts []int, changed int) {
		fmt.Fprintf(b.out, "%-16s %8d", name, all)
		for _, n := range counts {
			fmt.Fprintf(b.out, " %9d", n)
		}
		fmt.Fprintf(b.out, " %9d\n", changed)
	}
	for _, name := range slices.Sorted(maps.Keys(b.found)) {
		counts := make([]int, len(outcomes))
		for _, o := range b.found[name] {
			counts[o]++
			sum[o]++
		}
		good = good && counts[differs]+counts[failed] == 0
		row(name, len(b.found[name]), counts, b.changed[name])
		sum[len(outcomes)] += len(b.found[name])
		sum[len(outcomes)+1] += b.changed[name]
	}
	row("all", sum[len(outcomes)], sum[:len(outcomes)], sum[len(outcomes)+1])
	fmt.Fprintln(b.out)
	for _, asked := range b.engines {
		for _, ran := range slices.Sorted(maps.Keys(b.native[asked])) {
			fmt.Fprintf(b.out, "engine %s: %d launches on %s\n", asked, b.native[asked][ran], ran)
		}
	}
	for _, d := range b.details {
		fmt.Fprintln(b.out, d)
	}
	return good
}

// printHashes writes the table of known hashes as Go source.
func (b *bench) printHashes(files []file) {
	sums := map[string]string{}
	for _, f := range files {
		if paths := b.tree.Find(f.path); len(paths) > 0 {
			if text, err := os.ReadFile(paths[0]); err == nil {
				sums[f.path] = hash(string(text))
			}
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(sums), func(a, b string) int {
		return strings.Compare(path.Clean(a), path.Clean(b))
	}) {
		fmt.Fprintf(b.out, "\t%q: %q,\n", p, sums[p])
	}
}
