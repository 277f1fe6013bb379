// Command survey compiles, loads and runs the kernels of a folder of .cu files on the host device and says what became of
// each: make corpus DIR=folder.
//
// Files are written for nvcc. The survey leaves out host code, which NVRTC does not take, and empties headers that are not
// found; declarations that NVRTC rejects are left out one by one and counted as rejected if they are kernels. Templates are
// instantiated as their launches in the file say. Each kernel is launched with arguments made from its signature, which fit
// no kernel in particular, under the sanitizer. Nothing of the folder is kept.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/corpus/devcode"
)

func main() {
	include := flag.String("include", "", "folders with headers of the CUDA toolkit, separated by colons")
	timeout := flag.Duration("timeout", 5*time.Second, "the limit of a launch")
	verbose := flag.Bool("v", false, "one line for each kernel")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: survey [-include DIRS] [-timeout D] [-v] DIR")
		os.Exit(2)
	}
	s := &survey{root: flag.Arg(0), timeout: *timeout, verbose: *verbose, causes: map[string]map[string]int{}}
	s.include = strings.FieldsFunc(*include, func(r rune) bool { return r == ':' })
	if err := s.run(); err != nil {
		fmt.Fprintln(os.Stderr, "survey:", err)
		os.Exit(1)
	}
	s.print()
	if s.files > 0 && s.loaded < s.accepted {
		os.Exit(1) // what NVRTC accepts must load
	}
}

// survey counts what became of a folder.
type survey struct {
	root    string
	include []string
	timeout time.Duration
	verbose bool

	files, withKernels, accepted, loaded     int
	kernels, rejected, found, prepared, ran  int
	clean, reported, faulted, stopped, other int
	causes                                   map[string]map[string]int
}

func (s *survey) cause(stage, text string) {
	if s.causes[stage] == nil {
		s.causes[stage] = map[string]int{}
	}
	if len(text) > 110 {
		text = text[:110] + "…"
	}
	s.causes[stage][text]++
}

func (s *survey) run() error {
	tree, err := devcode.Scan(s.root, s.include)
	if err != nil {
		return err
	}
	for _, path := range tree.Sources() {
		if err := s.file(tree, path); err != nil {
			return err
		}
	}
	return nil
}

// file takes one file through all stages.
func (s *survey) file(tree *devcode.Tree, path string) error {
	p, err := tree.Read(path)
	if err != nil {
		return err
	}
	s.files++
	if len(p.Kernels) == 0 {
		return nil
	}
	s.withKernels++
	s.kernels += len(p.Kernels)
	loaded, err := load(p)
	if e := (*cuda.CompileError)(nil); errors.As(err, &e) {
		s.rejected += len(p.Kernels)
		s.cause("rejected by NVRTC", devcode.FirstError(err))
		s.say("%s: rejected: %s", path, devcode.FirstError(err))
		return nil
	}
	s.accepted++
	if err != nil {
		s.cause("not loaded", err.Error())
		s.say("%s: not loaded: %v", path, err)
		return nil
	}
	s.loaded++
	if n := len(p.Kernels) - len(loaded); n > 0 {
		s.rejected += n
		for range n {
			s.cause("no kernel in the PTX", "left out because of an error, inside #if, or a template that the file does not launch")
		}
	}
	for _, name := range loaded {
		s.found++
		s.kernel(p, name)
	}
	return nil
}

func (s *survey) say(format string, args ...any) {
	if s.verbose {
		fmt.Printf(format+"\n", args...)
	}
}
