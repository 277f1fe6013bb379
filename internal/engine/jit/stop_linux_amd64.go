package jit

import (
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file emits the places at which a warp stops: for Go, at barriers, and at its end.

// schedule emits the end of a warp and what gives the next one its turn. Behind the last warp, when all that have not
// ended have come to the barrier, the first goes on; otherwise the code returns to Go.
func (e *emitter) schedule() {
	back, release := e.NewLabel(), e.NewLabel()
	e.Bind(e.done)
	e.MovMI(amd64.W32, amd64.At(frameReg, frameState), stateEnded)
	e.LeaLabel(amd64.RAX, e.next)
	e.MovMR(amd64.W64, amd64.At(frameReg, frameEntry), amd64.RAX)
	e.MovMR(amd64.W64, amd64.At(frameReg, frameResume), amd64.RAX)
	e.AluMI(amd64.W32, amd64.SUB, amd64.At(blockReg, areaLeft), 1)
	e.AluMI(amd64.W32, amd64.SUB, amd64.At(blockReg, areaAlive), 1)
	e.Bind(e.next)
	e.AluRI(amd64.W64, amd64.ADD, frameReg, e.frame)
	e.AluRM(amd64.W64, amd64.CMP, frameReg, amd64.At(blockReg, areaEnd))
	out := e.NewLabel()
	e.Jcc(amd64.AE, out)
	e.JmpM(amd64.At(frameReg, frameEntry))
	e.Bind(out)
	if e.light {
		if e.retires {
			e.shrink()
		}
		e.AluMI(amd64.W32, amd64.CMP, amd64.At(blockReg, areaLeft), 0)
		e.Jcc(amd64.NE, back)
		e.MovRM(amd64.W32, amd64.RAX, amd64.At(blockReg, areaAlive))
		e.TestRR(amd64.W32, amd64.RAX, amd64.RAX)
		e.Jcc(amd64.E, back)
		e.MovMR(amd64.W32, amd64.At(blockReg, areaLeft), amd64.RAX)
		e.MovRM(amd64.W64, frameReg, amd64.At(blockReg, areaFirst))
		e.AluMI(amd64.W32, amd64.CMP, amd64.At(blockReg, areaParked), 0)
		e.Jcc(amd64.NE, release)
		e.JmpM(amd64.At(frameReg, frameEntry))
		e.release(release)
	}
	e.Bind(back)
	e.chain()
	e.exit(0)
}

// chain begins the next block of the row when all warps have ended, if there is one to begin and the budget is not used up.
func (e *emitter) chain() {
	const ax, cx = amd64.RAX, amd64.RCX
	at := func(o int32) amd64.Mem { return amd64.At(blockReg, o) }
	stop, again := e.NewLabel(), e.NewLabel()
	e.AluMI(amd64.W32, amd64.CMP, at(areaAlive), 0)
	e.Jcc(amd64.NE, stop)
	e.AluMI(amd64.W32, amd64.CMP, at(areaMore), 0)
	e.Jcc(amd64.E, stop)
	e.MovRM(amd64.W32, ax, at(areaWarps))
	e.AluMR(amd64.W32, amd64.SUB, at(areaEdges), ax)
	e.Jcc(amd64.S, stop)
	e.AluMI(amd64.W32, amd64.SUB, at(areaMore), 1)
	e.AluMI(amd64.W64, amd64.ADD, at(areaCtaid), 1)
	e.MovMR(amd64.W32, at(areaLeft), ax)
	e.MovMR(amd64.W32, at(areaAlive), ax)
	e.clearShared()
	e.MovRM(amd64.W64, frameReg, at(areaFirst))
	e.MovRM(amd64.W64, cx, at(areaFrames))
	e.MovMR(amd64.W64, at(areaEnd), cx)
	e.LeaLabel(ax, e.begin)
	e.Bind(again)
	e.MovMI(amd64.W32, amd64.At(frameReg, frameState), stateRuns)
	e.MovMR(amd64.W64, amd64.At(frameReg, frameEntry), ax)
	e.AluRI(amd64.W64, amd64.ADD, frameReg, e.frame)
	e.AluRR(amd64.W64, amd64.CMP, frameReg, cx)
	e.Jcc(amd64.B, again)
	e.MovRM(amd64.W64, frameReg, at(areaFirst))
	e.Jmp(e.begin)
	e.Bind(stop)
}

// clearShared fills shared memory with zeroes.
func (e *emitter) clearShared() {
	const at, left = amd64.RDX, amd64.RCX
	again, rest, done := e.NewLabel(), e.NewLabel(), e.NewLabel()
	e.MovRM(amd64.W64, at, amd64.At(blockReg, areaShared))
	e.MovRM(amd64.W64, left, amd64.At(blockReg, areaSharedBytes))
	e.op(amd64.VPXORD, temp0, temp0, temp0)
	e.Bind(again)
	e.AluRI(amd64.W64, amd64.SUB, left, 64)
	e.Jcc(amd64.B, rest)
	e.RRM(amd64.VMOVUPSStore, temp0, 0, amd64.At(at, 0), zmm)
	e.AluRI(amd64.W64, amd64.ADD, at, 64)
	e.Jmp(again)
	e.Bind(rest)
	e.MovRI(amd64.RAX, 0)
	e.AluRI(amd64.W64, amd64.ADD, left, 64)
	e.Jcc(amd64.E, done)
	bytes := e.NewLabel()
	e.Bind(bytes)
	e.MovMR(amd64.W8, amd64.AtIndex(at, left, 1, -1), amd64.RAX)
	e.AluRI(amd64.W64, amd64.SUB, left, 1)
	e.Jcc(amd64.NE, bytes)
	e.Bind(done)
}

// release lets warps go on that Go has parked at the barrier, and goes on with the first.
func (e *emitter) release(l amd64.Label) {
	again, skip := e.NewLabel(), e.NewLabel()
	e.Bind(l)
	e.MovMI(amd64.W32, amd64.At(blockReg, areaParked), 0)
	e.LeaLabel(amd64.RCX, e.next)
	e.Bind(again)
	e.AluMI(amd64.W32, amd64.CMP, amd64.At(frameReg, frameState), stateWaits)
	e.Jcc(amd64.NE, skip)
	e.AluMR(amd64.W64, amd64.CMP, amd64.At(frameReg, frameEntry), amd64.RCX)
	e.Jcc(amd64.NE, skip)
	e.MovRM(amd64.W64, amd64.RAX, amd64.At(frameReg, frameResume))
	e.MovMR(amd64.W64, amd64.At(frameReg, frameEntry), amd64.RAX)
	e.Bind(skip)
	e.AluRI(amd64.W64, amd64.ADD, frameReg, e.frame)
	e.AluRM(amd64.W64, amd64.CMP, frameReg, amd64.At(blockReg, areaEnd))
	e.Jcc(amd64.B, again)
	e.MovRM(amd64.W64, frameReg, amd64.At(blockReg, areaFirst))
	e.JmpM(amd64.At(frameReg, frameEntry))
}

// poll counts a back edge.
func (e *emitter) poll() {
	out, back := e.NewLabel(), e.NewLabel()
	e.AluMI(amd64.W32, amd64.SUB, amd64.At(blockReg, areaEdges), 1)
	count := e.NewLabel()
	e.Jcc(amd64.S, count)
	e.Bind(back)
	e.later(func() { // what follows is the way to Go
		e.Bind(count)
		if _, ok := e.left[e.block.Order]; ok {
			e.countLeft(true)
		}
	})
	e.leave(out, back, site{kind: sitePoll})
}

// leave emits, out of line, a return to Go that goes on at back.
func (e *emitter) leave(out, back amd64.Label, s site) {
	s.block, s.pc, s.from = e.block.Order, e.pc, e.pc
	id := len(e.sites)
	e.sites = append(e.sites, s)
	e.cold = append(e.cold, func() {
		e.Bind(out)
		e.MovMI(amd64.W32, amd64.At(frameReg, frameSite), int32(id))
		e.LeaLabel(amd64.RAX, back)
		e.Jmp(e.save)
	})
}

// saveAll saves all registers and returns to Go; its counterpart, at the end of the code, goes on.
func (e *emitter) saveAll() {
	e.Bind(e.save)
	e.MovMR(amd64.W64, amd64.At(frameReg, frameResume), amd64.RAX)
	e.LeaLabel(amd64.RAX, e.resume)
	e.MovMR(amd64.W64, amd64.At(frameReg, frameEntry), amd64.RAX)
	e.MovMR(amd64.W64, amd64.At(blockReg, areaCurrent), frameReg)
	e.each(func(r amd64.Reg, m amd64.Mem) { e.MovMR(amd64.W64, m, r) },
		func(k amd64.KReg, m amd64.Mem) { e.KM(amd64.KMOVWStore, k, m) },
		func(z amd64.VReg, m amd64.Mem) { e.RRM(amd64.VMOVUPSStore, z, 0, m, zmm) })
	e.exit(1)
}

// exit emits the return to Go.
func (e *emitter) exit(v uint64) {
	if e.streaming {
		e.Sfence()
	}
	e.MovRI(amd64.RAX, v)
	e.VZeroUpper()
	e.Ret()
}

func (e *emitter) restoreAll() {
	e.MovRM(amd64.W64, sharedReg, amd64.At(blockReg, areaShared))
	e.each(func(r amd64.Reg, m amd64.Mem) { e.MovRM(amd64.W64, r, m) },
		func(k amd64.KReg, m amd64.Mem) { e.KM(amd64.KMOVW, k, m) },
		func(z amd64.VReg, m amd64.Mem) { e.RRM(amd64.VMOVUPS, z, 0, m, zmm) })
	e.MovRM(amd64.W64, amd64.RAX, amd64.At(frameReg, frameResume))
	e.JmpR(amd64.RAX)
}

func (e *emitter) each(g func(amd64.Reg, amd64.Mem), k func(amd64.KReg, amd64.Mem), z func(amd64.VReg, amd64.Mem)) {
	for _, r := range machine.general {
		g(amd64.Reg(r), amd64.At(frameReg, frameGPR+8*int32(r)))
	}
	for r := amd64.KReg(1); r <= 4; r++ {
		k(r, amd64.At(frameReg, frameMasks+8*int32(r)))
	}
	for r := range amd64.VReg(vectorRegs) {
		if e.usedVector(int(r)) {
			z(r, amd64.At(frameReg, frameZMM+64*int32(r)))
		}
	}
}

// usedVector tells that some value lives in vector register r.
func (e *emitter) usedVector(r int) bool {
	return !e.p.busy[r].empty()
}

// barrier emits bar.sync of all threads. If all lanes of the warp are here, it saves what is needed later and goes on to
// the next warp.
func (e *emitter) barrier(in *ir.Instr) {
	out, back := e.NewLabel(), e.NewLabel()
	if !e.light {
		e.Jmp(out)
		e.Bind(back)
		e.leave(out, back, site{kind: siteBarrier, in: in})
		return
	}
	e.retire()
	if !e.p.waits[e.block.Order].empty() { // else all that have not ended are here
		e.laneBits(amd64.RAX, 1)
		e.AluRM(amd64.W32, amd64.CMP, amd64.RAX, amd64.At(frameReg, frameLive))
		e.Jcc(amd64.NE, out)
	}
	if e.retires { // the last warp that is left waits for nobody
		e.AluMI(amd64.W32, amd64.CMP, amd64.At(blockReg, areaAlive), 1)
		e.Jcc(amd64.E, back)
	}
	e.MovMI(amd64.W32, amd64.At(frameReg, frameState), stateWaits)
	e.MovMI(amd64.W32, amd64.At(frameReg, frameSite), int32(len(e.sites)))
	e.leave(out, back, site{kind: siteBarrier, in: in})
	again, end := e.NewLabel(), e.NewLabel()
	e.LeaLabel(amd64.RAX, again)
	e.MovMR(amd64.W64, amd64.At(frameReg, frameEntry), amd64.RAX)
	e.AluMI(amd64.W32, amd64.SUB, amd64.At(blockReg, areaLeft), 1)
	sets := e.passing[in]
	e.across(sets.needed, sets.stored, func(r amd64.Reg, m amd64.Mem) { e.MovMR(amd64.W64, m, r) },
		func(k amd64.KReg, m amd64.Mem) { e.KM(amd64.KMOVWStore, k, m) },
		func(z amd64.VReg, m amd64.Mem) { e.RRM(amd64.VMOVUPSStore, z, 0, m, zmm) })
	e.AluRI(amd64.W64, amd64.ADD, frameReg, e.frame)
	e.AluRM(amd64.W64, amd64.CMP, frameReg, amd64.At(blockReg, areaEnd))
	e.Jcc(amd64.AE, end)
	e.JmpM(amd64.At(frameReg, frameEntry))
	e.cold = append(e.cold, func() {
		e.Bind(end)
		e.AluRI(amd64.W64, amd64.SUB, frameReg, e.frame)
		e.Jmp(e.next)
	})
	e.Bind(again) // from Go, too
	e.MovRM(amd64.W64, sharedReg, amd64.At(blockReg, areaShared))
	e.MovMI(amd64.W32, amd64.At(frameReg, frameState), stateRuns)
	e.KM(amd64.KMOVW, 1, amd64.At(frameReg, frameLive))
	e.KM(amd64.KMOVW, 2, amd64.At(frameReg, frameLive+2))
	e.across(sets.needed, nil, func(r amd64.Reg, m amd64.Mem) { e.MovRM(amd64.W64, r, m) },
		func(k amd64.KReg, m amd64.Mem) { e.KM(amd64.KMOVW, k, m) },
		func(z amd64.VReg, m amd64.Mem) { e.RRM(amd64.VMOVUPS, z, 0, m, zmm) })
	e.Bind(back)
}

// across calls a function for each register with a value of a set that is not in but, with its place.
func (e *emitter) across(set, but bitset, g func(amd64.Reg, amd64.Mem), k func(amd64.KReg, amd64.Mem), z func(amd64.VReg, amd64.Mem)) {
	set.each(func(i int) {
		if but != nil && but.has(i) {
			return
		}
		switch v := &e.p.vals[i]; v.class {
		case scalar, flag:
			g(amd64.Reg(v.home.reg), amd64.At(frameReg, v.place()))
		case mask:
			k(amd64.KReg(v.home.reg), amd64.At(frameReg, v.place()))
			k(amd64.KReg(v.home.reg)+1, amd64.At(frameReg, v.place()+8))
		default:
			for part := range v.parts() {
				z(amd64.VReg(v.home.reg)+amd64.VReg(part), amd64.At(frameReg, v.place()+64*int32(part)))
			}
		}
	})
}
