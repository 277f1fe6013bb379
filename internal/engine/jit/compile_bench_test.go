//go:build linux && (amd64 || arm64)

package jit_test

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/lower"
	"github.com/tandem-go/tandem/internal/mem"
	"github.com/tandem-go/tandem/internal/passes"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

var ptxFiles = flag.String("ptx", "testdata/bench.ptx", "pattern of the PTX files that BenchmarkCompile compiles")

// The stages of a way from PTX text to machine code, and machine code for a second extent of the block.
var stages = []string{"parse", "check", "lower", "passes", "engine", "second"}

// compilation is the times of one file by stage and repetition.
type compilation struct {
	file   string
	text   []byte
	times  [][]time.Duration
	instrs int
}

func (c *compilation) run(b *testing.B, e engine.Engine, space *mem.Space) {
	at, spent := time.Now(), make([]time.Duration, len(stages))
	lap := func(stage int) {
		now := time.Now()
		spent[stage] += now.Sub(at)
		at = now
	}
	tree, err := ptx.Parse(c.file, c.text)
	lap(0)
	require.NoError(b, err)
	checked, err := check.Check(tree)
	lap(1)
	require.NoError(b, err)
	c.instrs = 0
	for _, f := range checked.Funcs {
		if !f.Entry || !f.Defined {
			continue
		}
		c.instrs += len(f.Code)
		at = time.Now()
		k, err := lower.Kernel(checked, f.Name)
		lap(2)
		require.NoError(b, err)
		err = passes.Run(k, passes.Options{})
		lap(3)
		require.NoError(b, err)
		o := engine.Options{Memory: space, Block: [3]uint32{256, 1, 1}, Globals: make([]uint64, len(k.Globals))}
		at = time.Now()
		first, err := e.Compile(k, o)
		lap(4)
		require.NoError(b, err)
		o.Like = []engine.Program{first}
		o.Block = [3]uint32{64, 1, 1}
		at = time.Now()
		_, err = e.Compile(k, o)
		lap(5)
		require.NoError(b, err)
	}
	for i, d := range spent {
		c.times[i] = append(c.times[i], d)
	}
}

// BenchmarkCompile tells what each stage from PTX to machine code takes for 1,000 PTX instructions, and what machine code
// for another extent of the block takes, as a share of all: medians of each file's times, added up.
func BenchmarkCompile(b *testing.B) {
	files, err := filepath.Glob(*ptxFiles)
	require.NoError(b, err)
	require.NotEmpty(b, files)
	space, err := mem.New(mem.Options{Limit: 1 << 24})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, space.Close()) })
	for _, e := range engines(b) {
		b.Run(e.Name(), func(b *testing.B) {
			all := make([]compilation, len(files))
			for i, f := range files {
				text, err := os.ReadFile(f)
				require.NoError(b, err)
				all[i] = compilation{file: f, text: text, times: make([][]time.Duration, len(stages))}
			}
			b.ReportAllocs()
			for b.Loop() {
				for i := range all {
					runtime.GC() // a compilation is short beside the time between two collections
					all[i].run(b, e, space)
				}
			}
			report(b, all)
		})
	}
}

func report(b *testing.B, all []compilation) {
	instrs, sum, second := 0, 0.0, 0.0
	for i, name := range stages {
		took := 0.0
		for _, c := range all {
			took += float64(median(c.times[i]).Nanoseconds()) / 1e3
			if i == 0 {
				instrs += c.instrs
			}
		}
		if name == "second" {
			second = took
			break
		}
		sum += took
		b.ReportMetric(took/float64(instrs), name)
	}
	b.ReportMetric(sum/float64(instrs), "ms/1000")
	b.ReportMetric(100*second/sum, "%second")
	b.ReportMetric(0, "ns/op")
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}
