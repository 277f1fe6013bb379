//go:build linux && (amd64 || arm64)

package jit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/ir"
)

// keeping keeps the kernel that is compiled, and asks for counts.
type keeping struct {
	engine.Engine
	kernel **ir.Kernel
}

func (k keeping) Compile(kernel *ir.Kernel, o engine.Options) (engine.Program, error) {
	*k.kernel, o.Count = kernel, true
	return k.Engine.Compile(kernel, o)
}

// TestCount: programs count as many operations of lanes as the reference engine executes, but for one of each thread: where
// lanes end and nothing else happens there is no code.
func TestCount(t *testing.T) { everyEngine(t, testCount) }

func testCount(t *testing.T, e engine.Engine) {
	for _, w := range workloads(1) {
		var kernel *ir.Kernel
		have, want := prepare(t, keeping{e, &kernel}, w), prepare(t, keeping{interp.New(), &kernel}, w)
		want.launch.Cover = &engine.Coverage{}
		have.run(t)
		want.run(t)
		var n uint64
		for _, b := range kernel.Funcs[0].Blocks {
			for _, in := range b.Instrs {
				n += want.launch.Cover.Count(in)
			}
		}
		all, inGo := have.program.(engine.Counter).Executed()
		threads := uint64(w.grid[0] * w.grid[1] * w.block[0] * w.block[1])
		require.LessOrEqual(t, all, n, w.kernel)
		require.LessOrEqual(t, n-all, threads, w.kernel)
		require.Zero(t, inGo, w.kernel)
	}
}
