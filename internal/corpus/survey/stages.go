package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
)

var includeLine = regexp.MustCompile(`(?m)^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]`)

// toolkit are the headers of the CUDA toolkit that declare what device code uses; others of it are for host code.
var toolkit = regexp.MustCompile(`^(cooperative_groups|cuda_fp16|cuda_bf16|cuda_fp8|mma\.|cuda_pipeline|cuda_awbarrier|cuComplex|math_constants)`)

// own are headers that the compiler package brings.
var own = set(`assert.h builtin_types.h cassert cfloat cinttypes climits cmath cstdbool cstddef cstdint cstdio cstdlib cstring cuda.h cuda_runtime.h cuda_runtime_api.h device_atomic_functions.h device_functions.h device_launch_parameters.h driver_types.h float.h inttypes.h limits.h math.h math_constants.h math_functions.h sm_20_intrinsics.h sm_30_intrinsics.h sm_35_intrinsics.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h surface_types.h texture_types.h vector_functions.h vector_types.h sys/types.h`)

func set(names string) map[string]bool {
	out := map[string]bool{}
	for _, n := range strings.Fields(names) {
		out[n] = true
	}
	return out
}

// includes collects the headers that a text includes, host code left out, and returns the text.
func (s *survey) includes(p *program, dir, text string, depth int) string {
	for _, m := range includeLine.FindAllStringSubmatch(text, -1) {
		name := m[2]
		if _, done := p.headers[name]; done || own[name] || toolkit.MatchString(name) && len(s.include) > 0 {
			continue
		}
		path := s.find(dir, name)
		if path == "" || depth > 20 {
			p.headers[name] = ""
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		p.headers[name] = "" // for headers that include each other
		p.pieces[name] = split(s.includes(p, filepath.Dir(path), string(b), depth+1))
		p.headers[name] = join(p.pieces[name])
	}
	return text
}

// find looks for an included file beside the file that includes it, and then everywhere in the folder.
func (s *survey) find(dir, name string) string {
	if path := filepath.Join(dir, name); isFile(path) {
		return path
	}
	best, shared := "", -1
	for _, path := range s.headers[filepath.Base(name)] {
		if !strings.HasSuffix(filepath.ToSlash(path), "/"+strings.TrimPrefix(strings.ReplaceAll(name, "../", ""), "./")) {
			continue
		}
		if n := common(path, dir); n > shared {
			best, shared = path, n
		}
	}
	return best
}

func isFile(path string) bool {
	i, err := os.Stat(path)
	return err == nil && i.Mode()&fs.ModeType == 0
}

func common(a, b string) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// instances returns the template instances that a file launches.
func instances(text string, names []string) []string {
	set := map[string]bool{}
	for _, name := range names {
		launch := regexp.MustCompile(`\b(` + name + `\s*<[^<>;(){}]*>)\s*<<<`)
		for _, m := range launch.FindAllStringSubmatch(text, -1) {
			set[m[1]] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// attempts bounds how many declarations are left out of a file.
const attempts = 60

var errorLine = regexp.MustCompile(`(?m)^\S*?([^/\s(]+)\((\d+)\): (?:catastrophic )?error: (.*)$`)

// compile compiles a file, leaving out what NVRTC rejects, and returns the names of its kernels.
func (s *survey) compile(p *program) ([]string, error) {
	var last error
	for range attempts {
		dev, mod, err := s.load(p)
		if err == nil {
			names := mod.Kernels()
			return names, dev.Close()
		}
		var e *cuda.CompileError
		if !errors.As(err, &e) {
			return nil, err
		}
		last = err
		if strings.Contains(e.Log, "__nv_name_map") && len(p.exprs) > 0 {
			p.exprs = without(p.exprs, e.Log)
			continue
		}
		if !p.leaveOut(e.Log) {
			return nil, err
		}
		if len(kernels(join(p.chunks))) == 0 {
			return nil, err
		}
	}
	return nil, last
}

// without drops the name expressions that a log rejects, all of them if it does not say which.
func without(exprs []string, log string) []string {
	var left []string
	for _, e := range exprs {
		if !strings.Contains(log, `"`+e+`"`) && !strings.Contains(log, " "+e) {
			left = append(left, e)
		}
	}
	if len(left) == len(exprs) {
		return nil
	}
	return left
}

// leaveOut removes the declarations of the file and its headers in which the errors of a log lie. It reports false if there
// is none.
func (p *program) leaveOut(log string) bool {
	done := false
	for _, m := range errorLine.FindAllStringSubmatch(log, -1) {
		var line int
		fmt.Sscan(m[2], &line)
		if m[1] == filepath.Base(p.path) {
			done = drop(p.chunks, line) || done
			continue
		}
		for name, pieces := range p.pieces {
			if filepath.Base(name) == m[1] && drop(pieces, line) {
				p.headers[name], done = join(pieces), true
			}
		}
	}
	return done
}

// drop leaves out the chunk that the line is part of.
func drop(chunks []chunk, line int) bool {
	for i := range slices.Backward(chunks) {
		c := &chunks[i]
		code := strings.TrimSpace(uncommented(c.text))
		if c.line > line || !c.keep || code == "" || code[0] == '#' || code == "}" || opens.MatchString(strings.TrimSuffix(code, "{")) {
			continue
		}
		if c.line+strings.Count(strings.TrimLeft(c.text, " \t\r\n"), "\n") < line {
			return false
		}
		c.keep = false
		return true
	}
	return false
}

// load compiles the file as it is now on a device of its own.
func (s *survey) load(p *program) (*cuda.Device, *cuda.Module, error) {
	dev, err := cuda.OpenHost(cuda.HostConfig{Checks: cuda.AllChecks(), MemoryLimit: 1 << 30})
	if err != nil {
		return nil, nil, err
	}
	mod, err := dev.Compile(context.Background(), join(p.chunks), cuda.CompileConfig{
		Name: filepath.Base(p.path), Headers: p.headers, IncludeDirs: s.include, NameExpressions: p.exprs,
		Options: []string{"-default-device", "-w"},
	})
	if err != nil {
		return nil, nil, errors.Join(err, dev.Close())
	}
	return dev, mod, nil
}

// firstError is the first error of the compiler without its position.
func firstError(err error) string {
	var e *cuda.CompileError
	if errors.As(err, &e) {
		if m := errorLine.FindStringSubmatch(e.Log); m != nil {
			return m[3]
		}
	}
	return strings.SplitN(err.Error(), "\n", 2)[0]
}

// bufferBytes is what each buffer has: more than kernels of these extents reach with the small integers they get.
const (
	bufferBytes = 4 << 20
	smallInt    = 16
)

// kernel launches one kernel.
func (s *survey) kernel(p *program, name string) {
	outcome, detail := s.launch(p, name)
	s.say("%s: %s: %s %s", p.path, name, outcome, detail)
	switch outcome {
	case "clean":
		s.ran++
		s.clean++
	case "reported":
		s.ran++
		s.reported++
		s.cause("ran, with reports", detail)
	case "faulted":
		s.faulted++
		s.cause("faulted on generated arguments", detail)
	case "stopped":
		s.stopped++
		s.cause("stopped at the time limit", detail)
	default:
		s.other++
		s.cause("not launched", detail)
	}
}

func (s *survey) launch(p *program, name string) (outcome, detail string) {
	dev, mod, err := s.load(p)
	if err != nil {
		return "refused", err.Error()
	}
	defer dev.Close()
	fn, err := mod.Function(name)
	if err != nil {
		return "refused", err.Error()
	}
	a := cudatest.NewArguments(dev, 1, nil)
	a.MaxInt, a.Bytes = smallInt, bufferBytes
	args, err := a.Make(context.Background(), fn)
	if err != nil {
		return "refused", err.Error()
	}
	s.prepared++
	cfg := cuda.LaunchConfig{Grid: cuda.D1(2), Block: cuda.D1(min(256, fn.MaxThreads())), SharedBytes: 16 << 10}
	if strings.Contains(join(p.chunks), "threadIdx.y") {
		side := min(16, int(math.Sqrt(float64(fn.MaxThreads()))))
		cfg.Grid, cfg.Block = cuda.D2(2, 2), cuda.D2(side, side)
	}
	if cfg.SharedBytes+fn.SharedBytes() > 64<<10 {
		cfg.SharedBytes = 0
	}
	ctx, stop := context.WithTimeout(context.Background(), s.timeout)
	defer stop()
	err = fn.Run(ctx, cfg, args...)
	reports := dev.Reports()
	var fault *cuda.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "stopped", fmt.Sprint(s.timeout)
	case errors.As(err, &fault) && fault.Fault != nil:
		return "faulted", fault.Name
	case err != nil:
		return "refused", err.Error()
	case len(reports) > 0:
		return "reported", fmt.Sprintf("%s: %s", reports[0].Check, reports[0].Kind)
	}
	return "clean", ""
}

// print writes the tables: everything that is counted is in a denominator.
func (s *survey) print() {
	fmt.Printf("%s\n\n", filepath.Base(s.root))
	fmt.Printf("files          %5d, with kernels %d\n", s.files, s.withKernels)
	fmt.Printf("accepted       %5d of %d files by NVRTC, after host code was left out\n", s.accepted, s.withKernels)
	fmt.Printf("loaded         %5d of %d files that NVRTC accepts\n", s.loaded, s.accepted)
	fmt.Printf("kernels        %5d in the files, %d not in what NVRTC accepts; %d with template instances to run\n", s.kernels, s.rejected, s.found)
	fmt.Printf("prepared       %5d of %d lowered and given arguments\n", s.prepared, s.found)
	fmt.Printf("ran            %5d of %d to their end: %d without a report, %d with\n", s.ran, s.found, s.clean, s.reported)
	fmt.Printf("did not        %5d faulted on generated arguments, %d stopped at the limit, %d not launched\n", s.faulted, s.stopped, s.other)
	for _, stage := range slices.Sorted(maps.Keys(s.causes)) {
		fmt.Printf("\n%s\n", stage)
		list := s.causes[stage]
		for _, text := range slices.SortedFunc(maps.Keys(list), func(a, b string) int {
			if list[a] != list[b] {
				return list[b] - list[a]
			}
			return strings.Compare(a, b)
		}) {
			fmt.Printf("%7d  %s\n", list[text], text)
		}
	}
}
