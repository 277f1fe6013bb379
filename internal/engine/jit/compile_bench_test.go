//go:build linux && (amd64 || arm64)

package jit_test

import (
	"flag"
	"os"
	"path/filepath"
	"runtime"
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

// stages are the times of one way from PTX text to machine code, and of machine code for a second extent of the block.
type stages struct {
	parse, check, lower, passes, engine, second time.Duration
	instrs                                      int
}

func (s *stages) compile(b *testing.B, e engine.Engine, name string, text []byte, space *mem.Space) {
	at := time.Now()
	lap := func(d *time.Duration) {
		now := time.Now()
		*d += now.Sub(at)
		at = now
	}
	tree, err := ptx.Parse(name, text)
	lap(&s.parse)
	require.NoError(b, err)
	checked, err := check.Check(tree)
	lap(&s.check)
	require.NoError(b, err)
	for _, f := range checked.Funcs {
		if !f.Entry || !f.Defined {
			continue
		}
		s.instrs += len(f.Code)
		at = time.Now()
		k, err := lower.Kernel(checked, f.Name)
		lap(&s.lower)
		require.NoError(b, err)
		err = passes.Run(k, passes.Options{})
		lap(&s.passes)
		require.NoError(b, err)
		o := engine.Options{Memory: space, Block: [3]uint32{256, 1, 1}, Globals: make([]uint64, len(k.Globals))}
		at = time.Now()
		_, err = e.Compile(k, o)
		lap(&s.engine)
		require.NoError(b, err)
		o.Block = [3]uint32{64, 1, 1}
		at = time.Now()
		_, err = e.Compile(k, o)
		lap(&s.second)
		require.NoError(b, err)
	}
}

// BenchmarkCompile tells what each stage from PTX to machine code takes for 1,000 PTX instructions, and what machine code
// for another extent of the block takes, as a share of all.
func BenchmarkCompile(b *testing.B) {
	files, err := filepath.Glob(*ptxFiles)
	require.NoError(b, err)
	require.NotEmpty(b, files)
	texts := make([][]byte, len(files))
	for i, f := range files {
		texts[i], err = os.ReadFile(f)
		require.NoError(b, err)
	}
	space, err := mem.New(mem.Options{Limit: 1 << 24})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, space.Close()) })
	for _, e := range engines(b) {
		b.Run(e.Name(), func(b *testing.B) {
			var s stages
			b.ReportAllocs()
			for b.Loop() {
				for i, f := range files {
					runtime.GC() // a compilation is short beside the time between two collections
					s.compile(b, e, f, texts[i], space)
				}
			}
			all := s.parse + s.check + s.lower + s.passes + s.engine
			per := func(d time.Duration, unit string) {
				b.ReportMetric(d.Seconds()*1e6/float64(s.instrs), unit)
			}
			per(all, "ms/1000")
			per(s.parse, "parse")
			per(s.check, "check")
			per(s.lower, "lower")
			per(s.passes, "passes")
			per(s.engine, "engine")
			b.ReportMetric(100*s.second.Seconds()/all.Seconds(), "%second")
			b.ReportMetric(0, "ns/op")
		})
	}
}
