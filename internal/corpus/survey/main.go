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
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tandem-go/tandem/cuda"
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
	if *include != "" {
		s.include = strings.Split(*include, ":")
	}
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

	headers map[string][]string // files by the last element of their path

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
	s.headers = map[string][]string{}
	var sources []string
	err := filepath.WalkDir(s.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		s.headers[d.Name()] = append(s.headers[d.Name()], path)
		if filepath.Ext(path) == ".cu" {
			sources = append(sources, path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, path := range sources {
		if err := s.file(path); err != nil {
			return err
		}
	}
	return nil
}

// program is one file on its way.
type program struct {
	path    string
	chunks  []chunk
	headers map[string]string
	pieces  map[string][]chunk // of headers
	exprs   []string
}

// file takes one file through all stages.
func (s *survey) file(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	s.files++
	names := kernels(string(text))
	if len(names) == 0 {
		return nil
	}
	s.withKernels++
	s.kernels += len(names)
	p := &program{path: path, headers: map[string]string{}, pieces: map[string][]chunk{}}
	p.chunks = split(s.includes(p, filepath.Dir(path), string(text), 0))
	p.exprs = instances(string(text), names)
	loaded, err := s.compile(p)
	if e := (*cuda.CompileError)(nil); errors.As(err, &e) {
		s.rejected += len(names)
		s.cause("rejected by NVRTC", firstError(err))
		s.say("%s: rejected: %s", path, firstError(err))
		return nil
	}
	s.accepted++
	if err != nil {
		s.cause("not loaded", err.Error())
		s.say("%s: not loaded: %v", path, err)
		return nil
	}
	s.loaded++
	if n := len(names) - len(loaded); n > 0 {
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
