package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/internal/corpus/devcode"
)

// openChecked opens a device with all tools of the sanitizer.
func openChecked() (*cuda.Device, error) {
	return cuda.OpenHost(cuda.HostConfig{Checks: cuda.AllChecks(), MemoryLimit: 1 << 30})
}

// load compiles and loads a file on a device of its own and returns the names of its kernels.
func load(p *devcode.Program) ([]string, error) {
	dev, err := openChecked()
	if err != nil {
		return nil, err
	}
	mod, err := p.Compile(context.Background(), dev)
	if err != nil {
		return nil, errors.Join(err, dev.Close())
	}
	return mod.Kernels(), dev.Close()
}

// bufferBytes is what each buffer has: more than kernels of these extents reach with the small integers they get.
const (
	bufferBytes = 4 << 20
	smallInt    = 16
)

// kernel launches one kernel.
func (s *survey) kernel(p *devcode.Program, name string) {
	outcome, detail := s.launch(p, name)
	s.say("%s: %s: %s %s", p.Path, name, outcome, detail)
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

func (s *survey) launch(p *devcode.Program, name string) (outcome, detail string) {
	dev, err := openChecked()
	if err != nil {
		return "refused", err.Error()
	}
	defer dev.Close()
	mod, err := p.Compile(context.Background(), dev)
	if err != nil {
		return "refused", err.Error()
	}
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
	if strings.Contains(p.Source(), "threadIdx.y") {
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
