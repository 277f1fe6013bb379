package jit

import "github.com/tandem-go/tandem/internal/engine/jit/amd64"

// storeLines emits, out of line, the store of whole lines past the caches, which goes on at stored; in line, the choice of it.
func (e *emitter) storeLines(x *access, stored amd64.Label) {
	pair := x.a.s == 8 && e.pairs(x, x.in.Args[1:])
	side := x.n == 1 && x.size >= 4 && x.a.s == x.size
	if !e.streams.stores[x.in] || e.cloned || x.guarded || !pair && !side || x.a.d%lineBytes != 0 {
		return
	}
	e.streaming = true
	lines, usual := e.NewLabel(), e.NewLabel()
	e.AluMI(amd64.W32, amd64.CMP, amd64.At(blockReg, areaStream), 0)
	e.Jcc(amd64.NE, lines)
	e.Bind(usual)
	e.later(func() {
		e.Bind(lines)
		e.KKK(amd64.KANDW, 7, x.lanes, x.lanes+1)
		e.KKK(amd64.KORTESTW, 7, 0, 7)
		e.Jcc(amd64.AE, usual) // not all lanes
		for half := range 1 + btoi(x.a.class == twin) {
			e.Lea(amd64.W64, amd64.RCX, x.rowMem(half, 0))
			e.TestRI(amd64.W8, amd64.RCX, lineBytes-1)
			e.Jcc(amd64.NE, usual)
		}
		for half := range 2 {
			for sub := range x.a.s / 4 {
				m := x.rowMem(half, 0)
				m.Disp += int32(lineBytes * sub)
				r := temp2
				if pair {
					e.interleave(x, half, int(sub))
				} else {
					r = e.stored(x, e.of(x.in.Args[1]), int(x.a.s/4)*half+int(sub), temp1)
				}
				e.RRM(amd64.VMOVNTPS, r, 0, m, zmm)
			}
		}
		e.Jmp(stored)
	})
}
