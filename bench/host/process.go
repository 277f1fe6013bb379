package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// column is one implementation: how to start its worker.
type column struct {
	name    string
	command []string
	env     []string
	// lost says why it is left out altogether.
	lost error
}

// worker is a running worker process.
type worker struct {
	column
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan string
	noise   noise
}

// noise keeps the beginning of what a worker writes to its standard error, for messages.
type noise struct {
	mu   sync.Mutex
	text []byte
}

// Write keeps what there is room for.
func (n *noise) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.text = append(n.text, b[:min(len(b), max(0, 4096-len(n.text)))]...)
	return len(b), nil
}

func (n *noise) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return string(n.text)
}

func (c column) start() (*worker, error) {
	w := &worker{column: c, cmd: exec.Command(c.command[0], c.command[1:]...), answers: make(chan string)}
	w.cmd.Env = append(os.Environ(), c.env...)
	w.cmd.Stderr = &w.noise
	var err error
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(w.answers)
		for sc := bufio.NewScanner(out); sc.Scan(); {
			w.answers <- sc.Text()
		}
	}()
	return w, nil
}

// patience is how long a worker may take for an answer: some of PoCL's methods take minutes to compile
// what others compile in a second, and then lose the column.
const patience = 40 * time.Second

// ask sends a command and returns the answer behind "ok". A worker that does not answer is ended.
func (w *worker) ask(format string, args ...any) (string, error) {
	if _, err := fmt.Fprintf(w.in, format+"\n", args...); err != nil {
		return "", fmt.Errorf("%s: %w", w.name, err)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case a, open := <-w.answers:
			word, rest, _ := strings.Cut(a, " ")
			switch {
			case !open:
				return "", fmt.Errorf("%s: %w", w.name, errors.Join(errors.New("the worker ended"), w.stop(), errors.New(w.noise.String())))
			case word == "ok":
				return rest, nil
			case word == "error":
				return "", fmt.Errorf("%s: %s", w.name, rest)
			}
			// anything else is a message of a library
		case <-timer.C:
			return "", fmt.Errorf("%s: no answer in %v: %w", w.name, patience, w.stop())
		}
	}
}

// stop ends the worker's process.
func (w *worker) stop() error {
	err := errors.Join(w.in.Close(), w.cmd.Process.Kill())
	for range w.answers { // until the pipe is closed
	}
	if e := w.cmd.Wait(); e != nil {
		err = errors.Join(err, e)
	}
	return err
}

// time measures for some milliseconds and returns the median in milliseconds.
func (w *worker) time(ms float64) (float64, error) {
	a, err := w.ask("time %g", ms)
	if err != nil {
		return 0, err
	}
	var all []float64
	for _, f := range strings.Fields(a) {
		ns, err := strconv.ParseFloat(f, 64)
		if err != nil {
			return 0, fmt.Errorf("%s: answer %q", w.name, a)
		}
		all = append(all, ns/1e6)
	}
	if len(all) == 0 {
		return 0, fmt.Errorf("%s: no times", w.name)
	}
	return median(all), nil
}

func median(s []float64) float64 {
	s = slices.Sorted(slices.Values(s))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// poclMethods are the ways in which PoCL makes loops of a work-group; the first is what it chooses by itself. Not every
// version has all of them.
var poclMethods = []string{"", "loopvec", "workitemrepl", "workitemloops", "cbs"}

// columns prepares all implementations below a folder. Those that cannot be had say why.
func columns(dir string, engines []string, against string) ([]column, error) {
	if err := unpack(dir); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var all []column
	for _, e := range engines {
		all = append(all, column{name: tandemColumn(e), command: []string{self, "-worker", "tandem", "-engine", e}})
		if against != "" {
			all = append(all, column{name: tandemColumn(e) + "_against", command: []string{against, "-worker", "tandem", "-engine", e}})
		}
	}
	all = append(all, column{name: "go", command: []string{self, "-worker", "go"}})
	return append(all, peers(dir)...), nil
}

func tandemColumn(engine string) string {
	return strings.TrimSuffix("tandem_"+strings.ReplaceAll(engine, "/", "_"), "_")
}

// unpack writes the kernels and the sources of the workers to a folder.
func unpack(dir string) error {
	return fs.WalkDir(sources, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := sources.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, filepath.Base(name)), text, 0o600)
	})
}

// optimise is how the C of the comparison is compiled. Reassociation is allowed, so that sums are vectors, and the vectors
// are as wide as the machine has them, which gcc avoids by itself on some processors.
var optimise = []string{"-std=gnu11", "-O3", "-march=native", "-ffast-math", "-fopenmp"}

// peers compiles the workers in C and for OpenCL.
func peers(dir string) []column {
	gcc, lost := exec.LookPath("gcc")
	build := func(out string, args ...string) error {
		if lost != nil {
			return lost
		}
		ctx, cancel := context.WithTimeout(background, patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, gcc, append(args, "-o", out, "-ldl", "-lm")...)
		cmd.Dir = dir
		if text, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("gcc: %w: %s", err, text)
		}
		return nil
	}
	files := []string{"c.c", "limits.c", "-rdynamic"}
	for _, k := range kernels {
		files = append(files, k.name+".c")
	}
	flags := optimise
	if runtime.GOARCH == "amd64" { // as wide as the machine has them
		flags = append(slices.Clone(flags), "-mprefer-vector-width=512")
	}
	inC := build("worker-c", append(slices.Clone(flags), files...)...)
	threads := []string{fmt.Sprintf("OMP_NUM_THREADS=%d", runtime.GOMAXPROCS(0)), "OMP_WAIT_POLICY=passive"}
	out := []column{
		{name: "c", command: []string{filepath.Join(dir, "worker-c"), "same"}, env: threads, lost: inC},
		{name: "c_bestalgo", command: []string{filepath.Join(dir, "worker-c"), "best"}, env: threads, lost: inC},
	}
	inCL := build("worker-opencl", "-O2", "opencl.c")
	for _, m := range poclMethods {
		c := column{name: "pocl", command: []string{filepath.Join(dir, "worker-opencl"), dir}, lost: inCL}
		c.env = []string{"POCL_CACHE_DIR=" + filepath.Join(dir, "pocl-cache"+m)}
		if m != "" {
			c.name += "_" + m
			c.env = append(c.env, "POCL_WORK_GROUP_METHOD="+m)
		}
		out = append(out, c)
	}
	return out
}
