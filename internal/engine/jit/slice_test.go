//go:build linux && (amd64 || arm64)

package jit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/jit"
)

// firstSlice is the budget that the host device gives a block first.
const firstSlice = 4096

// mostInSlice bounds what a slice executes, so that a stop of the world waits for less than a millisecond where an operation of
// a lane takes a nanosecond, which is slow for any of the engines.
const mostInSlice = 1_000_000

// TestSlices: compiled code returns to Go, where the world can be stopped, after a bounded number of operations.
func TestSlices(t *testing.T) {
	everyEngine(t, func(t *testing.T, e engine.Engine) {
		for _, w := range workloads(8) {
			p := prepare(t, e, w)
			var err error
			p.program, err = kernelOf(t, benchPTX, w.kernel)(e, engine.Options{Memory: p.space, Block: w.block, Count: true})
			require.NoError(t, err)
			most, slices := uint64(0), 0
			p.slices(t, firstSlice, func(b engine.Block) {
				most = max(most, jit.TakeExecuted(b))
				slices++
			})
			require.NotZero(t, most, w.kernel)
			require.Less(t, most, uint64(mostInSlice), w.kernel)
			t.Logf("%s: %d slices, at most %d operations of lanes in one", w.kernel, slices, most)
		}
	})
}
