//go:build linux && (amd64 || arm64)

package jit

import (
	"github.com/tandem-go/tandem/internal/ir"
)

// schedule emits the end of a warp and what gives the next one its turn. Behind the last warp, when all that have not
// ended have come to the barrier, the first goes on; otherwise the code returns to Go.
func (e *quarterEmitter) schedule() {
	back, release, out := e.newLabel(), e.newLabel(), e.newLabel()
	e.bind(e.over)
	e.storeImm(frameAt(frameState), stateEnded)
	e.address(acc, e.next)
	e.store(8, frameAt(frameEntry), acc)
	e.store(8, frameAt(frameResume), acc)
	e.set(acc, 1)
	e.memALU(aluSub, areaAt(areaLeft), acc)
	e.memALU(aluSub, areaAt(areaAlive), acc)
	e.bind(e.next)
	e.advance()
	e.branch(ifAboveEqual, out)
	e.turn()
	e.bind(out)
	if e.light {
		if e.retires {
			e.shrink()
		}
		e.compareMemImm(areaAt(areaLeft), 0)
		e.branch(ifNot, back)
		e.load(acc, 4, areaAt(areaAlive))
		e.test(acc, acc)
		e.branch(ifEqual, back)
		e.store(4, areaAt(areaLeft), acc)
		e.load(frameGen, 8, areaAt(areaFirst))
		e.compareMemImm(areaAt(areaParked), 0)
		e.branch(ifNot, release)
		e.turn()
		e.release(release)
	}
	e.bind(back)
	e.chain()
	e.exit(0)
}

// advance goes to the frame of the next warp, and compares its place with the end of the frames.
func (e *quarterEmitter) advance() {
	e.aluImm(aluAdd, true, frameGen, int64(e.frameBytes()))
	e.compareMem(true, frameGen, areaAt(areaEnd))
}

// turn goes on with the warp whose frame it is.
func (e *quarterEmitter) turn() {
	e.load(acc, 8, frameAt(frameEntry))
	e.jumpTo(acc)
}

// shrink leaves out the last warps of a block that have ended.
func (e *quarterEmitter) shrink() {
	again, done := e.newLabel(), e.newLabel()
	e.load(frameGen, 8, areaAt(areaEnd))
	e.bind(again)
	e.aluImm(aluSub, true, frameGen, int64(e.frameBytes()))
	e.compareMem(true, frameGen, areaAt(areaFirst))
	e.branch(ifEqual, done)
	e.compareMemImm(frameAt(frameState), stateEnded)
	e.branch(ifEqual, again)
	e.bind(done)
	e.aluImm(aluAdd, true, frameGen, int64(e.frameBytes()))
	e.store(8, areaAt(areaEnd), frameGen)
}

// release lets warps go on that Go has parked at the barrier, and goes on with the first.
func (e *quarterEmitter) release(l label) {
	again, skip := e.newLabel(), e.newLabel()
	e.bind(l)
	e.storeImm(areaAt(areaParked), 0)
	e.bind(again)
	e.compareMemImm(frameAt(frameState), stateWaits)
	e.branch(ifNot, skip)
	e.address(acc, e.next)
	e.compareMem(true, acc, frameAt(frameEntry))
	e.branch(ifNot, skip)
	e.load(acc, 8, frameAt(frameResume))
	e.store(8, frameAt(frameEntry), acc)
	e.bind(skip)
	e.advance()
	e.branch(ifBelow, again)
	e.load(frameGen, 8, areaAt(areaFirst))
	e.turn()
}

// chain begins the next block of the row when all warps have ended, if there is one to begin and the budget is not used up.
func (e *quarterEmitter) chain() {
	stop, again := e.newLabel(), e.newLabel()
	e.compareMemImm(areaAt(areaAlive), 0)
	e.branch(ifNot, stop)
	e.compareMemImm(areaAt(areaMore), 0)
	e.branch(ifEqual, stop)
	e.load(acc, 4, areaAt(areaWarps))
	e.memALU(aluSub, areaAt(areaEdges), acc)
	e.compareMemImm(areaAt(areaEdges), 0)
	e.branch(ifLess, stop)
	e.set(second, 1)
	e.memALU(aluSub, areaAt(areaMore), second)
	e.load(second, 8, areaAt(areaCtaid))
	e.offset(true, second, second, 1)
	e.store(8, areaAt(areaCtaid), second)
	e.store(4, areaAt(areaLeft), acc)
	e.store(4, areaAt(areaAlive), acc)
	e.clearShared()
	e.load(acc, 8, areaAt(areaFrames))
	e.store(8, areaAt(areaEnd), acc)
	e.load(frameGen, 8, areaAt(areaFirst))
	e.address(acc, e.begin)
	e.bind(again)
	e.storeImm(frameAt(frameState), stateRuns)
	e.store(8, frameAt(frameEntry), acc)
	e.advance()
	e.branch(ifBelow, again)
	e.load(frameGen, 8, areaAt(areaFirst))
	e.jump(e.begin)
	e.bind(stop)
}

// clearShared fills shared memory with zeroes.
func (e *quarterEmitter) clearShared() {
	const at, left, zero = second, third, vec(0)
	again, rest, done := e.newLabel(), e.newLabel(), e.newLabel()
	e.load(at, 8, areaAt(areaShared))
	e.load(left, 8, areaAt(areaSharedBytes))
	e.zero(zero)
	e.set(acc, 0)
	e.bind(again)
	e.compareImm(true, left, 32)
	e.branch(ifBelow, rest)
	e.vstore(place{at, 0}, zero)
	e.offset(true, at, at, 32)
	e.offset(true, left, left, -32)
	e.jump(again)
	e.bind(rest)
	e.compareImm(true, left, 0)
	e.branch(ifEqual, done)
	e.store(1, place{at, 0}, acc)
	e.offset(true, at, at, 1)
	e.offset(true, left, left, -1)
	e.jump(rest)
	e.bind(done)
}

// poll counts a back edge.
func (e *quarterEmitter) poll() {
	out, back := e.newLabel(), e.newLabel()
	e.countDown(areaAt(areaEdges), out)
	e.bind(back)
	e.leaveTo(out, back, site{kind: sitePoll})
}

// leaveTo emits, out of line, a return to Go that goes on at back.
func (e *quarterEmitter) leaveTo(out, back label, s site) {
	s.block, s.pc, s.from = e.block.Order, e.pc, e.pc
	if n := e.block.Order; e.p.pieces.early[n][e.pc] {
		s.from = e.p.pieces.first[n][e.pc]
	}
	id := len(e.sites)
	e.sites = append(e.sites, s)
	e.cold = append(e.cold, func() {
		e.bind(out)
		e.storeImm(frameAt(frameSite), int32(id))
		e.address(acc, back)
		e.jump(e.save)
	})
}

// saveAll saves all registers and returns to Go.
func (e *quarterEmitter) saveAll() {
	e.bind(e.save)
	e.store(8, frameAt(frameResume), acc)
	e.address(acc, e.resume)
	e.store(8, frameAt(frameEntry), acc)
	e.store(8, areaAt(areaCurrent), frameGen)
	e.saveLanes()
	e.each(func(r gen, m place) { e.store(8, m, r) }, func(r vec, m place) { e.vstore(m, r) }, func(*value) bool { return true })
	e.eachLent(func(r gen, m place) { e.store(8, m, r) })
	e.exit(1)
}

// exit emits the return to Go.
func (e *quarterEmitter) exit(v uint64) {
	if e.streaming {
		e.past.fenceStores()
	}
	e.leave(v)
}

// restoreAll is the counterpart of saveAll, and goes on.
func (e *quarterEmitter) restoreAll() {
	e.bind(e.resume)
	e.loadLanes()
	e.each(func(r gen, m place) { e.load(r, 8, m) }, func(r vec, m place) { e.vload(r, m) }, func(*value) bool { return true })
	e.eachLent(func(r gen, m place) { e.load(r, 8, m) })
	e.load(acc, 8, frameAt(frameResume))
	e.jumpTo(acc)
}

// saveLanes writes the lanes that execute where Go looks for them: in two halves.
func (e *quarterEmitter) saveLanes() {
	e.store(2, frameAt(frameMasks+8), curGen)
	e.move32(acc, curGen)
	e.shiftImm(shiftRight, false, acc, 16)
	e.store(2, frameAt(frameMasks+16), acc)
}

func (e *quarterEmitter) loadLanes() {
	e.load(curGen, 2, frameAt(frameMasks+16))
	e.shiftImm(shiftLeft, false, curGen, 16)
	e.load(acc, 2, frameAt(frameMasks+8))
	e.alu(aluOr, false, curGen, acc)
}

// each calls a function for each register with a value that which holds for, with the place where it is saved.
func (e *quarterEmitter) each(g func(gen, place), x func(vec, place), which func(v *value) bool) {
	seen := map[place]bool{}
	for i := range e.p.vals {
		v := &e.p.vals[i]
		if v.v == nil || v.home.kind != inRegister && v.home.kind != inGeneral || !which(v) {
			continue
		}
		m := frameAt(v.place())
		if seen[m] {
			continue
		}
		seen[m] = true
		if v.class == splat {
			x(vec(v.home.reg), m)
		} else {
			g(gen(v.home.reg), m)
		}
	}
}

// eachLent calls f for the registers that hold addresses and never a value.
func (e *quarterEmitter) eachLent(f func(gen, place)) {
	for i, r := range e.general {
		if e.lent[gen(r)] && e.p.busyGeneral[i].empty() {
			f(gen(r), frameAt(frameGPR+8*int32(r)))
		}
	}
}

// findSplats notes the registers in which splats of the kernel live.
func (e *quarterEmitter) findSplats() {
	for i := range e.p.vals {
		if v := &e.p.vals[i]; v.v != nil && v.class == splat && v.home.kind == inRegister {
			e.splatIn[v.home.reg] = true
		}
	}
}

// barrier emits bar.sync of all threads. If all lanes of the warp are here, it saves what is needed later and goes on to
// the next warp.
func (e *quarterEmitter) barrier(in *ir.Instr) {
	out, back := e.newLabel(), e.newLabel()
	if !e.light {
		e.jump(out)
		e.bind(back)
		e.leaveTo(out, back, site{kind: siteBarrier, in: in})
		return
	}
	e.retire()
	if !e.p.waits[e.block.Order].empty() { // else all that have not ended are here
		e.load(acc, 4, frameAt(frameLive))
		e.compare(false, acc, curGen)
		e.branch(ifNot, out)
	}
	e.storeImm(frameAt(frameState), stateWaits)
	e.storeImm(frameAt(frameSite), int32(len(e.sites)))
	e.leaveTo(out, back, site{kind: siteBarrier, in: in})
	again := e.newLabel()
	e.address(acc, again)
	e.store(8, frameAt(frameEntry), acc)
	e.set(acc, 1)
	e.memALU(aluSub, areaAt(areaLeft), acc)
	sets := e.passing[in]
	e.each(func(r gen, m place) { e.store(8, m, r) }, func(r vec, m place) { e.vstore(m, r) },
		func(v *value) bool { return sets.needed.has(v.v.ID) && !sets.stored.has(v.v.ID) })
	e.jump(e.next)
	e.bind(again) // from Go, too
	e.storeImm(frameAt(frameState), stateRuns)
	e.load(curGen, 4, frameAt(frameLive))
	e.each(func(r gen, m place) { e.load(r, 8, m) }, func(r vec, m place) { e.vload(r, m) },
		func(v *value) bool { return sets.needed.has(v.v.ID) })
	e.bind(back)
}

// retire ends a warp at a barrier behind which it has nothing to do. All its lanes are there.
func (e *quarterEmitter) retire() {
	way, ok := e.p.idleBehind(e.block, e.pc, e.start+2*e.pc+1)
	if !ok || e.o.Count {
		return
	}
	e.retires = true
	e.compareImm(false, e.scalarIn(e.of(way.v), acc), way.from)
	e.branch(ifGreaterEqual, e.over)
}
