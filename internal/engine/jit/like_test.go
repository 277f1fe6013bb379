//go:build linux && (amd64 || arm64)

package jit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/mem"
)

// TestLike: extents of the block of which code relies on the same have one program, others have their own. That one program
// computes the right thing for all of them is for the random kernels to show.
func TestLike(t *testing.T) {
	everyEngine(t, func(t *testing.T, e engine.Engine) {
		space, err := mem.New(mem.Options{Limit: 1 << 20})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, space.Close()) })
		compile := kernelOf(t, benchPTX, "saxpy")
		first, err := compile(e, engine.Options{Memory: space, Block: [3]uint32{256, 1, 1}})
		require.NoError(t, err)
		for _, c := range []struct {
			block [3]uint32
			same  bool
		}{
			{[3]uint32{64, 1, 1}, true}, {[3]uint32{96, 1, 1}, true}, {[3]uint32{1024, 1, 1}, true},
			{[3]uint32{100, 1, 1}, false}, {[3]uint32{32, 8, 1}, false}, {[3]uint32{16, 16, 1}, false}, {[3]uint32{}, false},
		} {
			p, err := compile(e, engine.Options{Memory: space, Block: c.block, Like: []engine.Program{first}})
			require.NoError(t, err)
			require.Equal(t, c.same, p == first, "%v", c.block)
		}
		for name, other := range map[string]engine.Options{
			"no memory": {Block: [3]uint32{64, 1, 1}}, "counted": {Memory: space, Block: [3]uint32{64, 1, 1}, Count: true},
			"variables": {Memory: space, Block: [3]uint32{64, 1, 1}, Globals: []uint64{4096}},
		} {
			other.Like = []engine.Program{first}
			p, err := compile(e, other)
			require.NoError(t, err)
			require.NotSame(t, first, p, name)
		}
	})
}
