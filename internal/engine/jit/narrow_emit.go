//go:build linux && (amd64 || arm64)

package jit

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/ir"
)

// quarters is how many parts of a warp are computed one after the other.
const quarters = 4

// once stands for a quarter where code is for all lanes at once.
const once = -1

// places of the frame that only code for quarters uses, beside the masks of the register file.
const (
	// frameLanes are the lanes of the access or move that is being executed, where they are not all that execute.
	frameLanes = frameMasks + 24
	// frameSlow tells that the piece has to be executed in Go.
	frameSlow = frameMasks + 28
	// frameSpan has room for what loops over lanes read and write.
	frameLoop = frameTemp + 512
)

// quarterEmitter makes the code of one kernel.
type quarterEmitter struct {
	isa
	p      *plan
	k      *ir.Kernel
	o      engine.Options
	heads  []label // by block: where waiting lanes begin, and where lanes come that are known already
	bodies []label
	over   label
	save   label
	resume label
	next   label
	begin  label // where a warp begins
	light  bool
	// passing is, by barrier, what that has to do with values in registers; retires tells that warps end at barriers behind which
	// they have nothing to do.
	passing map[*ir.Instr]*barrierSets
	retires bool
	// past is the isa's stores past the caches, nil if it has none; streams are the stores that may go there, and streaming tells that
	// there is code for some.
	past      streamer
	streams   *streams
	streaming bool
	// permutes is the isa's way to permute lanes, nil if it has none.
	permutes permuter
	start    int // position of the block's first instruction
	cold     []func()

	sites   []site
	retries map[int]label
	area    []byte
	consts  map[uint64]int32
	vectors map[string]int32
	limits  map[limit]int32
	known   []int32
	loops   []bool

	block *ir.Block
	pc    int
	aside int32
	err   error
	marks *marks

	// scratch is the first free byte behind the homes of values, top the highest that was used.
	base, scratch, top int32

	// quick tells that groups of accesses are checked together, and whole that all lanes execute: where that does not hold, the code at
	// other begins the piece again. bases are where groups lie.
	quick, whole bool
	other        label
	bases        map[*group]groupBase

	// general are the registers for values, free those that no value needs in the piece, and lent those that were taken of these.
	general []uint8
	free    []gen
	lent    map[gen]bool

	// numbers are the values that are operands of float arithmetic and nothing else.
	numbers bitset

	pool    pool
	splatIn [vecs]bool // registers with splats
}

func (t *narrow) emit(p *program) (*output, error) {
	e := &quarterEmitter{
		marks: p.marks, general: t.general, lent: map[gen]bool{},
		isa: t.code(), p: p.plan, k: p.kernel, o: p.options, light: p.light, retries: map[int]label{},
		consts: map[uint64]int32{}, vectors: map[string]int32{}, limits: map[limit]int32{},
		area: make([]byte, areaParams+(p.kernel.Params+63)/64*64),
		base: int32(p.frame), top: int32(p.frame),
	}
	if past, ok := e.isa.(streamer); ok {
		e.past, e.streams = past, p.plan.findStreams(t.leastStreamed)
	}
	e.permutes, _ = e.isa.(permuter)
	e.useConstants(func(b []byte) place { return place{areaGen, e.vectorConstant(b)} })
	e.reserve(p.room, 256*p.plan.instructions+4096)
	e.cold = make([]func(), 0, p.plan.instructions)
	e.emitAll()
	text, err := e.finish()
	if e.err != nil {
		err = e.err
	}
	if err != nil {
		return nil, err
	}
	for i, l := range e.retries {
		e.sites[i].retry = e.position(l)
	}
	if !e.streaming {
		e.streams = nil
	}
	return &output{
		text: text, streams: e.streams, sites: e.sites, area: e.area, limits: e.limits, known: e.known, chains: true,
		resume: e.position(e.resume), next: e.position(e.next), frame: int(e.frameBytes()),
	}, nil
}

// frameBytes is the size of a warp's frame; it is final when all blocks are emitted.
func (e *quarterEmitter) frameBytes() int32 { return int32(frameSize(int(e.top))) }

func (e *quarterEmitter) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
}

// constant returns the place of 64 bits.
func (e *quarterEmitter) constant(v uint64) place {
	at, ok := e.consts[v]
	if !ok {
		at = e.slot(8)
		binary.LittleEndian.PutUint64(e.area[at:], v)
		e.consts[v] = at
	}
	return place{areaGen, at}
}

// vectorConstant returns the offset in the block's area of a vector's contents.
func (e *quarterEmitter) vectorConstant(b []byte) int32 {
	if at, ok := e.vectors[string(b)]; ok {
		return at
	}
	for len(e.area)%32 != 0 {
		e.area = append(e.area, 0)
	}
	at := int32(len(e.area))
	e.area = append(e.area, b...)
	e.vectors[string(b)] = at
	return at
}

// all is a vector of equal lanes.
func (e *quarterEmitter) all(wide bool, v uint64) source {
	return inMem(e.vectorOf(wide, func(int) uint64 { return v }))
}

// vectorOf is a vector constant of what f says of each lane.
func (e *quarterEmitter) vectorOf(wide bool, f func(lane int) uint64) place {
	var b []byte
	for l := 0; len(b) < 32; l++ {
		if wide {
			b = binary.LittleEndian.AppendUint64(b, f(l))
		} else {
			b = binary.LittleEndian.AppendUint32(b, uint32(f(l)))
		}
	}
	return place{areaGen, e.vectorConstant(b)}
}

// slot reserves zeroed bytes in the block's area.
func (e *quarterEmitter) slot(n int) int32 {
	for len(e.area)%8 != 0 {
		e.area = append(e.area, 0)
	}
	at := int32(len(e.area))
	e.area = append(e.area, make([]byte, n)...)
	return at
}

// room reserves bytes of the frame for the piece in work.
func (e *quarterEmitter) room(n int32) place {
	e.scratch = (e.scratch + n - 1) / n * n
	at := e.scratch
	e.scratch += n
	e.top = max(e.top, e.scratch)
	return frameAt(at)
}

func frameAt(n int32) place { return place{frameGen, n} }
func areaAt(n int32) place  { return place{areaGen, n} }

func (e *quarterEmitter) of(v *ir.Value) *value { return &e.p.vals[v.ID] }

func (e *quarterEmitter) pend(block int) place { return frameAt(framePend + int32(4*block)) }

// emitAll emits everything.
func (e *quarterEmitter) emitAll() {
	f := e.p.f
	for range f.Blocks {
		e.heads, e.bodies = append(e.heads, e.newLabel()), append(e.bodies, e.newLabel())
	}
	e.over, e.save, e.resume, e.next = e.newLabel(), e.newLabel(), e.newLabel(), e.newLabel()
	e.loops = make([]bool, len(f.Blocks))
	for _, l := range e.p.loops {
		e.loops[l.first] = true
	}
	e.findSplats()
	e.numbers = e.p.onlyNumbers()
	if e.light {
		e.passing = e.p.findBarriers()
	}
	e.begin = e.newLabel()
	e.bind(e.begin)
	e.load(curGen, 4, frameAt(frameAll))
	e.store(4, frameAt(frameLive), curGen)
	e.jump(e.bodies[0])
	for i, b := range f.Blocks {
		e.block = b
		e.marks.own(len(e.cold), nil)
		e.marks.block(e.here(), b)
		e.bind(e.heads[i])
		e.load(curGen, 4, e.pend(i))
		e.storeImm(e.pend(i), 0)
		e.bind(e.bodies[i])
		if e.loops[i] {
			e.pc = 0
			e.poll()
		}
		e.count(b)
		s := e.p.pieces
		for k := 0; k < len(b.Instrs) && e.err == nil; k = s.last[i][k] + 1 {
			e.piece(k, s.last[i][k])
		}
		e.start += 2 * len(b.Instrs)
	}
	for i := 0; i < len(e.cold); i++ {
		e.marks.piece(i, e.here(), e.cold[i], func() int { return len(e.cold) })
	}
	e.marks.shared(e.here(), "between warps")
	e.schedule()
	e.saveAll()
	e.restoreAll()
}

// count adds the operations of a block to those that were executed, if somebody wants to know.
func (e *quarterEmitter) count(b *ir.Block) {
	if !e.o.Count {
		return
	}
	e.countLanes(curGen, len(b.Instrs))
}

// countLanes counts n operations of each lane of a word.
func (e *quarterEmitter) countLanes(lanes gen, n int) {
	e.population(false, acc, lanes)
	e.aluImm(aluMul, true, acc, int64(n))
	e.aluMem(aluAdd, true, acc, areaAt(areaExecuted))
	e.store(8, areaAt(areaExecuted), acc)
}

// here is the offset of the code that comes next, for marks only.
func (e *quarterEmitter) here() int {
	if e.marks == nil {
		return 0
	}
	l := e.newLabel()
	e.bind(l)
	return e.position(l)
}

// piece emits instructions from first to last, which are one piece of the block.
func (e *quarterEmitter) piece(first, last int) {
	list := e.block.Instrs[first : last+1]
	kinds := e.p.pieces.work[e.block.Order][first : last+1]
	defer func() { e.marks.own(len(e.cold), list[0]) }()
	if kinds[0] == workAlone {
		e.scratch = e.base
		e.findFree(first, last)
		e.pool.reset()
		e.pc = first
		e.marks.begin(e.here(), list[0])
		if list[0].Op.Terminator() {
			e.terminator(list[0])
		} else {
			e.alone(list[0])
		}
		return
	}
	grouped, masked := slices.ContainsFunc(list, e.p.pieces.inGroup), false
	for _, in := range list {
		for _, r := range in.Results {
			v := e.of(r)
			masked = masked || v.masked && v.class == vector && v.home.kind == inFrame
		}
	}
	if !grouped && !masked {
		e.body(first, list, kinds)
		return
	}
	// Most of the time all lanes execute, and all of a group lies in one region.
	other, back := e.newLabel(), e.newLabel()
	if masked {
		e.compareImm(false, curGen, -1)
		e.branch(ifNot, other)
	}
	e.quick, e.whole, e.other, e.bases = true, masked, other, map[*group]groupBase{}
	e.body(first, list, kinds)
	e.quick, e.whole = false, false
	e.bind(back)
	block, start := e.block, e.start
	e.cold = append(e.cold, func() {
		e.block, e.start = block, start
		e.bind(other)
		e.body(first, list, kinds)
		e.jump(back)
	})
}

// body emits the instructions of a piece.
func (e *quarterEmitter) body(first int, list []*ir.Instr, kinds []work) {
	e.scratch = e.base
	e.findFree(first, first+len(list)-1)
	var sliced []*ir.Instr
	for i, in := range list {
		if kinds[i] == workSliced {
			sliced = append(sliced, in)
		}
	}
	e.pool.begin(e, sliced)
	slow := e.beginRows(sliced)
	rows := map[*ir.Instr]*access8{}
	for i, in := range list {
		e.pc = first + i
		e.marks.begin(e.here(), in)
		switch {
		case kinds[i] == workOnce:
			e.executeOnce(in)
		case kinds[i] == workSliced && in.Op == ir.OpLoad:
			rows[in] = e.checkRow(in)
		}
	}
	if len(sliced) == 0 {
		return
	}
	back := e.slowPiece(list, sliced, slow)
	e.sliceAll(sliced, rows)
	e.bind(back)
}

// beginRows clears the mark of pieces that are executed in Go, and tells whether a row may set it.
func (e *quarterEmitter) beginRows(sliced []*ir.Instr) bool {
	for _, in := range sliced {
		if in.Op == ir.OpLoad && !(e.quick && e.p.pieces.inGroup(in)) {
			e.storeImm(frameAt(frameSlow), 0)
			return true
		}
	}
	return false
}

// slowPiece emits the way out to Go for a piece of which an access was not approved, and returns where it ends.
func (e *quarterEmitter) slowPiece(list, sliced []*ir.Instr, accesses bool) label {
	back := e.newLabel()
	if !accesses {
		return back
	}
	out := e.newLabel()
	e.compareMemImm(frameAt(frameSlow), 0)
	e.branch(ifNot, out)
	s := site{kind: sitePiece, in: list[len(list)-1], member: -1, access: -1}
	for _, in := range sliced {
		run, err := ops.Compile(in)
		if err != nil {
			e.fail("%v", err)
		}
		s.steps = append(s.steps, step{in, run})
	}
	e.leaveTo(out, back, s)
	return back
}

// sliceAll emits instructions for one quarter after the other, or for as many that take turns as registers suffice for: the
// processor sees what is independent of each other side by side, and what is the same in all lanes is loaded once for them.
func (e *quarterEmitter) sliceAll(sliced []*ir.Instr, rows map[*ir.Instr]*access8) {
	p := &e.pool
	e.materialise(sliced)
	turns := e.turns(sliced)
	for first := 0; first < quarters; first += turns {
		p.quarters(first, turns)
		for i, in := range sliced {
			e.marks.begin(e.here(), in)
			for turn := range turns {
				p.instruction(i, turn)
				if in.Op == ir.OpLoad {
					e.loadRow(rows[in])
				} else {
					e.compute(in)
				}
				p.release()
			}
		}
	}
	e.mergeWords()
}

// compute emits an instruction that has code for vectors.
func (e *quarterEmitter) compute(in *ir.Instr) {
	if in.Op == ir.OpSpecial {
		e.specialVector(in)
		return
	}
	n := quarterNative(in)
	if n.emit == nil {
		e.fail("operation %s.%s has no code", in.Op, in.As)
		return
	}
	n.emit(e, in)
}

// executeOnce emits an instruction whose results are the same in all lanes, or differ by constants.
func (e *quarterEmitter) executeOnce(in *ir.Instr) {
	switch {
	case in.Op == ir.OpSpecial:
		e.specialOnce(in)
	case in.Op == ir.OpLoad && in.Space == ir.SpaceParam:
		e.loadParam(in)
	case in.Op == ir.OpLoad:
		e.loadUniform(in)
	case e.of(in.Results[0]).class == mask:
		e.words(in)
	case e.of(in.Results[0]).class == splat || floatCompared(in):
		e.pool.quarter(once)
		e.compute(in)
		e.pool.drop()
	default:
		e.scalar(in)
	}
}

// escape emits a return to Go that executes in there.
func (e *quarterEmitter) escape(in *ir.Instr) {
	run, err := ops.Compile(in)
	if err != nil {
		e.fail("%v", err)
		return
	}
	out, back := e.newLabel(), e.newLabel()
	e.jump(out)
	e.bind(back)
	e.leaveTo(out, back, site{kind: siteEscape, in: in, run: run, member: ops.MemberMask(in)})
}

// alone emits an instruction that is a piece of its own.
func (e *quarterEmitter) alone(in *ir.Instr) {
	e.pool.begin(e, nil)
	out, back := e.newLabel(), e.newLabel()
	switch {
	case len(e.p.steps[in]) > 0:
		e.step(in)
	case in.Op == ir.OpLoad && e.loadAlone(in):
	case in.Op == ir.OpStore && e.storeAlone(in):
	case (in.Op == ir.OpAtom || in.Op == ir.OpRed) && e.atomic(in):
	case in.Op == ir.OpShfl && e.shuffle(in):
	case in.Op == ir.OpVote && e.vote(in):
	case in.Op == ir.OpFence:
		e.fence()
	case plainBarrier(in):
		e.barrier(in)
	case in.Op == ir.OpBar || in.Op == ir.OpGridSync || in.Op == ir.OpCall || in.Op == ir.OpCallIndirect:
		e.jump(out)
		e.bind(back)
		e.leaveTo(out, back, site{kind: siteLeave, in: in})
	case in.Op == ir.OpActiveMask && e.of(in.Results[0]).class == scalar && in.Guard == nil:
		e.scalarOut(e.of(in.Results[0]), curGen)
	default:
		e.escape(in)
	}
}
