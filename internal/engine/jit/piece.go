//go:build linux && (amd64 || arm64)

package jit

import (
	"math/bits"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/ops"
)

// executePiece executes the instructions of the piece at which the warp stands. Values without a home live here meanwhile;
// the others get theirs when all have been executed, since one may take the place of another.
func (b *running) executePiece(w *warp) *engine.Fault {
	values := map[int]*ops.Lanes{}
	cur := w.current()
	for _, s := range w.site.steps {
		var args, results [16]*ops.Lanes
		for i, v := range s.in.Args {
			if args[i] = values[v.ID]; args[i] == nil {
				args[i] = new(ops.Lanes)
				b.read(w, v, args[i])
			}
		}
		for i := range s.in.Results {
			results[i] = new(ops.Lanes)
		}
		b.program.escapes[w.word(frameSite)].Add(uint64(bits.OnesCount32(cur)))
		if fault := s.run(&w.Warp, cur, args[:len(s.in.Args)], results[:len(s.in.Results)]); fault != nil {
			return fault
		}
		for i, v := range s.in.Results {
			values[v.ID] = results[i]
		}
	}
	for _, s := range w.site.steps {
		for _, v := range s.in.Results {
			b.write(w, v, values[v.ID], cur)
		}
	}
	return nil
}
