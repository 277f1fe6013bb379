//go:build linux && (amd64 || arm64)

package jit_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/jit"
	"github.com/tandem-go/tandem/internal/lower"
	"github.com/tandem-go/tandem/internal/passes"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// TestList: a listing has all of the code that is executed, byte for byte, each instruction with a text, and something of
// each instruction of the kernel that has effects.
func TestList(t *testing.T) {
	tree, err := ptx.Parse("bench.ptx", benchPTX)
	require.NoError(t, err)
	checked, err := check.Check(tree)
	require.NoError(t, err)
	for _, name := range jit.Names() {
		for _, w := range workloads(1) {
			k, err := lower.Kernel(checked, w.kernel)
			require.NoError(t, err)
			require.NoError(t, passes.Run(k, passes.Options{}))
			o := engine.Options{Block: w.block, Globals: make([]uint64, len(k.Globals))}
			l, err := jit.List(name, k, o)
			require.NoError(t, err)
			require.Equal(t, name, l.Engine)
			var code []byte
			seen := map[any]bool{}
			for _, p := range l.Pieces {
				require.True(t, p.In != nil || p.What != "", "piece at %d", len(code))
				for _, m := range p.Code {
					require.Equal(t, len(code), m.Offset)
					require.NotEmpty(t, m.Text, "%s %s at %#x: % x", name, w.kernel, m.Offset, m.Bytes)
					code = append(code, m.Bytes...)
				}
				if len(p.Code) > 0 {
					seen[p.In] = true
				}
			}
			require.Len(t, code, l.Size)
			for _, b := range k.Funcs[0].Blocks {
				for _, in := range b.Instrs {
					require.True(t, seen[in] || !in.Op.Effect() || in.Op.Terminator(), "%s %s: line %d has no code", name, w.kernel, in.Pos.PTXLine)
				}
			}
			e, err := jit.Named(name)
			if err != nil {
				continue // this machine cannot run it
			}
			p, err := e.Compile(k, o)
			require.NoError(t, err)
			require.Equal(t, p.(interface{ Text() []byte }).Text(), code)
		}
	}
	_, err = jit.List("jit/none", nil, engine.Options{})
	require.ErrorIs(t, err, jit.ErrUnavailable)
}
