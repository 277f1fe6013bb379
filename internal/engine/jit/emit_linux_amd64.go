package jit

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/ir"
)

// Use of registers. Compiled code is a leaf and never moves the stack pointer; it leaves RBP, RSP and R14 alone.
//
//	RDI  the warp's frame                   RSI  the block's area
//	RAX, RCX, RDX  scratch                  R15  shared memory; the other general registers: scalars and flags
//	zmm0-27  vectors and splats             zmm28-31  scratch
//	k1, k2  the lanes that execute          k3, k4  a mask
//	k5, k6  scratch: another set of lanes   k0, k7  scratch
const (
	frameReg = amd64.RDI
	blockReg = amd64.RSI
	// sharedReg is the address of the block's shared memory in kernels that name it.
	sharedReg = amd64.R15

	vectorRegs = 28
	temp0      = amd64.VReg(28)
	temp1      = amd64.VReg(29)
	temp2      = amd64.VReg(30)
	temp3      = amd64.VReg(31)
)

var machine = registers{
	general: []uint8{uint8(amd64.RBX), uint8(amd64.R8), uint8(amd64.R9), uint8(amd64.R10), uint8(amd64.R11), uint8(amd64.R12), uint8(amd64.R13)},
	vectors: vectorRegs,
	masks:   []uint8{3},
}

// emitter makes the code of one kernel.
type emitter struct {
	amd64.Asm
	p      *plan
	k      *ir.Kernel
	o      engine.Options
	head   []amd64.Label
	body   []amd64.Label
	done   amd64.Label
	save   amd64.Label
	resume amd64.Label
	next   amd64.Label
	begin  amd64.Label // where a warp begins
	// frame is the size of a warp's frame. light tells that warps pass barriers without Go.
	frame   int32
	light   bool
	start   int // position of the block's first instruction
	cold    []func()
	sites   []site
	retries map[int]amd64.Label // by site: where an access begins again
	area    []byte              // the block's area as it begins
	consts  map[uint64]int32
	vectors map[string]int32
	// patterns are those that were asked for.
	patterns []placedPattern
	// limits are the places of limits of shared memory.
	limits map[limit]int32
	// known are the places of what accesses know.
	known []int32
	// local is the local memory of a thread in bytes, strides the place of the offsets of the lanes' memories.
	local   int64
	strides int32
	loops   []bool // by block: the target of a back edge
	// quiet is how many sites there were when the block's poll was emitted. left are, by block, where lanes go that leave a loop
	// of one block without being counted there.
	quiet int
	left  map[int]int
	// loans are what an instruction has borrowed, saved how many of them hold something.
	loans []loan
	saved int
	// groups are the accesses of the block that are checked together; cloned tells that the second version is emitted, which
	// second has the beginnings of, by instruction.
	groups map[*ir.Instr]*group
	// jointly are the loads by index that are checked together.
	jointly map[*ir.Instr]*indexGroup
	// rowChecks are those that accesses have asked for.
	rowChecks []rowCheck
	// passing is, by barrier, what that has to do with values in registers.
	passing map[*ir.Instr]*barrierSets
	second  map[int]amd64.Label
	// folded is what the instruction before this one has left to it, nil: nothing.
	folded *folded
	// retires tells that warps end at barriers behind which they have nothing to do.
	retires bool
	cloned  bool
	// asked are the prefetches so far.
	asked []asked
	// streams are the stores that may go past the caches; streaming tells that there is code for some.
	streams   *streams
	streaming bool

	// half is of which half of a twin something is computed, from 1; 0: of none.
	half int

	block *ir.Block
	pc    int
	aside int32
	err   error
	marks *marks
}

var zmm = amd64.Opt{L: amd64.L512}

func (e *emitter) fail(format string, args ...any) {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
}

// constant returns the offset in the block's area of 64 bits.
func (e *emitter) constant(v uint64) int32 {
	if at, ok := e.consts[v]; ok {
		return at
	}
	at := int32(len(e.area))
	e.area = binary.LittleEndian.AppendUint64(e.area, v)
	e.consts[v] = at
	return at
}

// bytes returns the offset in the block's area of a vector's contents.
func (e *emitter) vectorConstant(b []byte) int32 {
	if at, ok := e.vectors[string(b)]; ok {
		return at
	}
	for len(e.area)%64 != 0 {
		e.area = append(e.area, 0)
	}
	at := int32(len(e.area))
	e.area = append(e.area, b...)
	e.vectors[string(b)] = at
	return at
}

// pattern is the offsets of one part of a scalar's lanes.
type pattern struct {
	s, d  int64
	table *offsets
	wide  bool
	part  int
}

// placedPattern is a pattern and its place in the block's area.
type placedPattern struct {
	pattern
	at int32
}

// pattern is the vector of the offsets of a scalar's lanes in one part.
func (e *emitter) pattern(v *value, part int) amd64.Mem { return e.offsetsOf(v, part, v.wide()) }

// offsetsOf is pattern for numbers of 64 bits, or of 32.
func (e *emitter) offsetsOf(v *value, part int, wide bool) amd64.Mem {
	key := pattern{v.s, v.d, v.table, wide, part}
	i := slices.IndexFunc(e.patterns, func(p placedPattern) bool { return p.pattern == key })
	if i < 0 {
		var b [64]byte
		if wide {
			for i := range 8 {
				binary.LittleEndian.PutUint64(b[8*i:], uint64(v.offset(8*part+i)))
			}
		} else {
			for i := range 16 {
				binary.LittleEndian.PutUint32(b[4*i:], uint32(v.offset(16*part+i)))
			}
		}
		i = len(e.patterns)
		e.patterns = append(e.patterns, placedPattern{key, e.vectorConstant(b[:])})
	}
	return amd64.At(blockReg, e.patterns[i].at)
}

// slot reserves zeroed bytes in the block's area.
func (e *emitter) slot(n int) int32 {
	for len(e.area)%8 != 0 {
		e.area = append(e.area, 0)
	}
	at := int32(len(e.area))
	e.area = append(e.area, make([]byte, n)...)
	return at
}

func (e *emitter) of(v *ir.Value) *value { return &e.p.vals[v.ID] }

func width(v *value) amd64.Width {
	if v.wide() {
		return amd64.W64
	}
	return amd64.W32
}

// scalarIn returns a register with a uniform value, or with the base of one that differs from lane to lane. It is scratch
// if the value is not in a general register.
func (e *emitter) scalarIn(v *value, scratch amd64.Reg) amd64.Reg {
	switch {
	case v.class == constant:
		e.MovRI(scratch, v.imm)
	case v.class == splat && v.home.kind == inRegister:
		r := amd64.VReg(v.home.reg)
		if v.nan {
			r = e.canonical(v, r, temp2)
		}
		if v.wide() {
			e.GR(amd64.VMOVQStore, r, scratch, amd64.Opt{})
		} else {
			e.GR(amd64.VMOVDStore, r, scratch, amd64.Opt{})
		}
	case v.class == splat:
		if v.nan {
			r := e.canonical(v, e.vectorIn(v, 0, temp2), temp2)
			e.GR(amd64.VMOVQStore, r, scratch, amd64.Opt{})
			if !v.wide() {
				e.MovRR(amd64.W32, scratch, scratch)
			}
			return scratch
		}
		e.MovRM(width(v), scratch, amd64.At(frameReg, v.home.slot))
	case v.class == twin && e.half > 0:
		e.MovRM(amd64.W64, scratch, twinPlace(v, e.half-1))
	case v.class == scalar && v.d != 0 && e.half == 2:
		return e.secondHalf(v, scratch)
	case v.class != scalar && v.class != flag:
		e.fail("value v%d has no scalar form", v.v.ID)
	case v.home.kind == inRegister:
		return amd64.Reg(v.home.reg)
	default:
		e.MovRM(amd64.W64, scratch, amd64.At(frameReg, v.home.slot))
	}
	return scratch
}

// scalarInto puts a uniform value into a register.
func (e *emitter) scalarInto(v *value, r amd64.Reg) {
	if from := e.scalarIn(v, r); from != r {
		e.MovRR(amd64.W64, r, from)
	}
}

// scalarOut gives a scalar, flag or splat its value, which has zeroes above its width.
func (e *emitter) scalarOut(v *value, r amd64.Reg) {
	switch {
	case v.class == unused || v.home.kind == nowhere:
	case v.class == twin:
		e.MovMR(amd64.W64, twinPlace(v, e.half-1), r)
	case v.class == splat:
		row := amd64.VPBROADCASTDG
		if v.wide() {
			row = amd64.VPBROADCASTQG
		}
		d := e.dst(v, 0)
		e.RG(row, d, r, zmm)
		e.out(v, 0, d)
	case v.class == vector:
		for part := range v.parts() {
			row := amd64.VPBROADCASTDG
			if v.wide() {
				row = amd64.VPBROADCASTQG
			}
			d := e.dst(v, part)
			e.RG(row, d, r, zmm)
			e.out(v, part, d)
		}
	case v.home.kind == inRegister:
		if amd64.Reg(v.home.reg) != r {
			e.MovRR(amd64.W64, amd64.Reg(v.home.reg), r)
		}
	default:
		e.MovMR(amd64.W64, amd64.At(frameReg, v.home.slot), r)
	}
}

// vectorIn returns a register with one part of a value.
func (e *emitter) vectorIn(v *value, part int, scratch amd64.VReg) amd64.VReg {
	if v.home.kind == inRegister && v.class == vector {
		return amd64.VReg(v.home.reg + uint8(part))
	}
	if v.home.kind == inRegister && (v.class == splat || v.class == repeated) {
		return amd64.VReg(v.home.reg)
	}
	switch v.class {
	case constant:
		if v.imm == 0 {
			e.RRR(amd64.VPXORD, scratch, scratch, scratch, zmm)
			return scratch
		}
		e.broadcast(v, scratch, amd64.At(blockReg, e.constant(v.imm)))
	case splat, repeated:
		e.RRM(amd64.VMOVUPS, scratch, 0, amd64.At(frameReg, v.home.slot), zmm)
	case vector:
		e.RRM(amd64.VMOVUPS, scratch, 0, amd64.At(frameReg, v.home.slot+int32(64*part)), zmm)
	case twin:
		e.broadcast(v, scratch, twinPlace(v, 2*part/v.parts()))
		e.addPattern(v, part, scratch)
	case scalar:
		row := amd64.VPBROADCASTDG
		if v.wide() {
			row = amd64.VPBROADCASTQG
		}
		if v.startsAt0() && !v.uniform() {
			e.RRM(amd64.VMOVUPS, scratch, 0, e.pattern(v, part), zmm)
			return scratch
		}
		if v.home.kind == inRegister {
			e.RG(row, scratch, amd64.Reg(v.home.reg), zmm)
		} else {
			e.broadcast(v, scratch, amd64.At(frameReg, v.home.slot))
		}
		e.addPattern(v, part, scratch)
	default:
		e.fail("value v%d has no vector form", v.v.ID)
	}
	return scratch
}

// addPattern adds the offsets of the lanes of one part to d.
func (e *emitter) addPattern(v *value, part int, d amd64.VReg) {
	if v.s == 0 && v.d == 0 {
		return
	}
	add := amd64.VPADDD
	if v.wide() {
		add = amd64.VPADDQ
	}
	e.RRM(add, d, d, e.pattern(v, part), zmm)
}

func (e *emitter) broadcast(v *value, d amd64.VReg, m amd64.Mem) {
	if v.wide() {
		e.RRM(amd64.VBROADCASTSD, d, 0, m, zmm)
	} else {
		e.RRM(amd64.VBROADCASTSS, d, 0, m, zmm)
	}
}

// bitsIn is vectorIn for whoever looks at the bits: NaNs are canonical.
func (e *emitter) bitsIn(v *value, part int, scratch amd64.VReg) amd64.VReg {
	r := e.vectorIn(v, part, scratch)
	if v.nan && v.class != constant {
		return e.canonical(v, r, scratch)
	}
	return r
}

// canonical returns r with canonical NaNs: in scratch, or in place if it is where v lives.
func (e *emitter) canonical(v *value, r, scratch amd64.VReg) amd64.VReg {
	cmp, move, cast, nan := amd64.VCMPPS, amd64.VMOVUPS, amd64.VBROADCASTSS, uint64(nan32)
	if v.wide() {
		cmp, cast, nan = amd64.VCMPPD, amd64.VBROADCASTSD, nan64
	}
	const unordered = 3
	e.KRRI(cmp, 7, r, r, unordered, zmm)
	if (v.class == vector || v.class == splat) && v.home.kind == inRegister && amd64.VReg(v.home.reg) <= r && r < amd64.VReg(v.home.reg)+amd64.VReg(v.parts()) {
		scratch = r // whoever looks at the value sees the canonical NaN
	}
	if r != scratch {
		e.RRR(move, scratch, 0, r, zmm)
	}
	e.RRM(cast, scratch, 0, amd64.At(blockReg, e.constant(nan)), amd64.Opt{L: amd64.L512, K: 7})
	return scratch
}

// plus emits d = r + n, if that changes anything. The flags are left alone.
func (e *emitter) plus(w amd64.Width, d, r amd64.Reg, n int32) {
	if d != r || n != 0 || w != amd64.W64 {
		e.Lea(w, d, amd64.At(r, n))
	}
}

// operand is a register or a memory operand.
type operand struct {
	reg  amd64.VReg
	mem  amd64.Mem
	at   bool // in memory
	cast bool
}

// operandIn is vectorIn for an instruction that can take its operand from memory.
func (e *emitter) operandIn(v *value, part int, scratch amd64.VReg) operand {
	switch {
	case v.class == constant && v.imm != 0:
		return operand{mem: amd64.At(blockReg, e.constant(v.imm)), at: true, cast: true}
	case v.class == scalar && v.home.kind == inFrame && v.uniform():
		return operand{mem: amd64.At(frameReg, v.home.slot), at: true, cast: true}
	case v.class == twin && v.s == 0:
		return operand{mem: twinPlace(v, 2*part/v.parts()), at: true, cast: true}
	case (v.class == splat || v.class == repeated) && v.home.kind == inFrame:
		return operand{mem: amd64.At(frameReg, v.home.slot), at: true}
	case v.class == vector && v.home.kind == inFrame:
		return operand{mem: amd64.At(frameReg, v.home.slot+int32(64*part)), at: true}
	}
	return operand{reg: e.vectorIn(v, part, scratch)}
}

// three emits d = op(x, o).
func (e *emitter) three(row *amd64.Row, d, x amd64.VReg, o operand) {
	if !o.at {
		e.RRR(row, d, x, o.reg, zmm)
		return
	}
	opt := zmm
	opt.Bcast = o.cast
	e.RRM(row, d, x, o.mem, opt)
}

// dst returns the register in which to compute a part of v.
func (e *emitter) dst(v *value, part int) amd64.VReg {
	if v.home.kind != inRegister || v.masked {
		return temp3
	}
	switch {
	case v.class == splat || v.class == repeated && part == 0:
		return amd64.VReg(v.home.reg)
	case v.class == vector:
		return amd64.VReg(v.home.reg + uint8(part))
	}
	return temp3
}

// out gives a part of v its value, which was computed in d.
func (e *emitter) out(v *value, part int, d amd64.VReg) {
	opt := zmm
	if v.masked {
		opt.K = e.lanes(v, part, 1)
	}
	if v.class == repeated && part == 1 { // what the first half has goes for lanes that do not execute
		opt.K, part = 2, 0
	}
	e.outUnder(v, part, d, opt)
}

func (e *emitter) outUnder(v *value, part int, d amd64.VReg, opt amd64.Opt) {
	move, store := amd64.VMOVDQA32, amd64.VMOVDQU32Store
	if v.wide() {
		move, store = amd64.VMOVDQA64, amd64.VMOVDQU64Store
	}
	switch {
	case v.home.kind == inFrame:
		e.RRM(store, d, 0, amd64.At(frameReg, v.home.slot+int32(64*part)), opt)
	case v.home.kind == inRegister && amd64.VReg(v.home.reg+uint8(part)) != d:
		e.RRR(move, amd64.VReg(v.home.reg+uint8(part)), 0, d, opt)
	}
}

// lanes returns the mask register for a part of v: of the lanes in base and base+1.
func (e *emitter) lanes(v *value, part int, base amd64.KReg) amd64.KReg {
	if !v.wide() {
		return base + amd64.KReg(part)
	}
	k := base + amd64.KReg(part/2)
	if part%2 == 0 {
		return k
	}
	e.KKI(amd64.KSHIFTRW, 7, k, 8)
	return 7
}

// maskIn returns a mask register with one half of a predicate: all ones or zeroes for a uniform one.
func (e *emitter) maskIn(v *value, half int, scratch amd64.KReg) amd64.KReg {
	switch {
	case v.class == mask && v.home.kind == inRegister:
		return amd64.KReg(v.home.reg) + amd64.KReg(half)
	case v.class == mask:
		e.KM(amd64.KMOVW, scratch, amd64.At(frameReg, v.home.slot+int32(2*half)))
	case v.class == constant && v.imm == 0:
		e.KKK(amd64.KXORW, scratch, scratch, scratch)
	case v.class == constant:
		e.KKK(amd64.KXNORW, scratch, scratch, scratch)
	case v.class == flag:
		e.scalarInto(v, amd64.RAX)
		e.NegR(amd64.W32, amd64.RAX)
		e.KG(amd64.KMOVWG, scratch, amd64.RAX)
	default:
		e.fail("value v%d is no predicate", v.v.ID)
	}
	return scratch
}

// maskDst returns the mask register in which to compute one half of a predicate.
func (e *emitter) maskDst(v *value, half int) amd64.KReg {
	if v.home.kind == inRegister && !v.masked {
		return amd64.KReg(v.home.reg) + amd64.KReg(half)
	}
	return 0
}

// maskOut gives one half of a predicate its value, which may be in k0 but not in k7.
func (e *emitter) maskOut(v *value, half int, k amd64.KReg) {
	e.maskOutUnder(v, half, k, 1)
}

// maskOutUnder is maskOut for the lanes in base and base+1, where v is written for some lanes only.
func (e *emitter) maskOutUnder(v *value, half int, k, base amd64.KReg) {
	if v.home.kind == nowhere {
		return
	}
	if v.masked {
		cur := base + amd64.KReg(half)
		e.KKK(amd64.KANDW, 0, k, cur)
		old := e.maskIn(v, half, 7)
		e.KKK(amd64.KANDNW, 7, cur, old)
		e.KKK(amd64.KORW, 0, 0, 7)
		k = 0
	}
	if v.home.kind == inFrame {
		e.KM(amd64.KMOVWStore, k, amd64.At(frameReg, v.home.slot+int32(2*half)))
		return
	}
	if d := amd64.KReg(v.home.reg) + amd64.KReg(half); d != k {
		e.KKK(amd64.KMOVW, d, 0, k)
	}
}

func (e *emitter) pend(block int) int32 { return framePend + int32(4*block) }

// code emits everything.
func (e *emitter) code() {
	f := e.p.f
	for range f.Blocks {
		e.head = append(e.head, e.NewLabel())
		e.body = append(e.body, e.NewLabel())
	}
	e.done, e.save, e.resume, e.next = e.NewLabel(), e.NewLabel(), e.NewLabel(), e.NewLabel()
	e.loops = make([]bool, len(f.Blocks))
	for _, l := range e.p.loops {
		e.loops[l.first] = true
	}
	if e.light {
		e.passing = e.p.findBarriers()
	}
	e.begin = e.NewLabel()
	e.Bind(e.begin)
	e.MovRM(amd64.W64, sharedReg, amd64.At(blockReg, areaShared))
	e.MovRM(amd64.W32, amd64.RAX, amd64.At(frameReg, frameAll))
	e.MovMR(amd64.W32, amd64.At(frameReg, frameLive), amd64.RAX)
	e.KM(amd64.KMOVW, 1, amd64.At(frameReg, frameAll))
	e.KM(amd64.KMOVW, 2, amd64.At(frameReg, frameAll+2))
	e.Jmp(e.body[0])
	e.marks.own(len(e.cold), nil)
	for i, b := range f.Blocks {
		e.block = b
		e.BindNext(e.body[i])
		e.marks.block(e.Len(), b)
		e.later(func() {
			e.Bind(e.head[i])
			e.KM(amd64.KMOVW, 1, amd64.At(frameReg, e.pend(i)))
			e.KM(amd64.KMOVW, 2, amd64.At(frameReg, e.pend(i)+2))
			e.MovMI(amd64.W32, amd64.At(frameReg, e.pend(i)), 0)
			e.Jmp(e.body[i])
		})
		if e.loops[i] {
			e.pc = 0
			e.poll()
		}
		e.quiet = len(e.sites)
		e.count(b)
		e.marks.own(len(e.cold), nil)
		e.findGroups(b)
		e.findIndexGroups(b)
		e.second = map[int]amd64.Label{}
		for k, in := range b.Instrs {
			e.at(k, in)
		}
		if len(e.second) > 0 {
			second := e.second
			e.later(func() { e.clone(second) })
		}
		e.start += 2 * len(b.Instrs)
	}
	for i := 0; i < len(e.cold); i++ {
		e.marks.piece(i, e.Len(), e.cold[i], func() int { return len(e.cold) })
	}
	e.laneChecks()
	e.marks.shared(e.Len(), "between warps")
	e.schedule()
	e.saveAll()
	e.Bind(e.resume)
	e.restoreAll()
}

// count adds the operations of a block to those that were executed, if somebody wants to know.
func (e *emitter) count(b *ir.Block) {
	if e.o.Count {
		e.countLanes(1, len(b.Instrs))
	}
}

// countLanes adds n operations of each lane of k and k+1.
func (e *emitter) countLanes(k amd64.KReg, n int) {
	e.laneBits(amd64.RAX, k)
	e.Popcnt(amd64.W64, amd64.RAX, amd64.RAX)
	e.ImulRI(amd64.W64, amd64.RAX, amd64.RAX, int32(n))
	e.AluMR(amd64.W64, amd64.ADD, amd64.At(blockReg, areaExecuted), amd64.RAX)
}

// at emits instruction k of the block.
func (e *emitter) at(k int, in *ir.Instr) {
	e.pc = k
	e.marks.begin(e.Len(), in)
	if in.Op.Terminator() {
		e.terminator(in)
	} else if !e.p.decided[in] && !e.p.late[in] {
		e.instruction(in)
	}
	e.marks.own(len(e.cold), in)
}

// clone emits the second version of the block, from the first label on.
func (e *emitter) clone(second map[int]amd64.Label) {
	e.cloned = true
	defer func() { e.cloned = false }()
	emitting := false
	for k, in := range e.block.Instrs {
		if l, ok := second[k]; ok {
			e.Bind(l)
			emitting = true
		}
		if emitting {
			e.at(k, in)
		}
	}
}

// instruction emits anything but a terminator.
func (e *emitter) instruction(in *ir.Instr) {
	if !in.Op.Effect() {
		dead := true
		for _, r := range in.Results {
			dead = dead && e.of(r).class <= constant
		}
		if dead {
			return
		}
	}
	for _, s := range e.p.steps[in] {
		e.watch(in, s)
	}
	n := nativeOf(in)
	switch {
	case in.Op == ir.OpSpecial && e.special(in):
	case in.Op == ir.OpLoad && e.load(in):
	case in.Op == ir.OpStore && e.store(in):
	case (in.Op == ir.OpAtom || in.Op == ir.OpRed) && e.atomic(in):
	case in.Op == ir.OpShfl && e.shuffle(in):
	case in.Op == ir.OpVote && e.vote(in):
	case in.Op == ir.OpWarpSync && e.warpSync(in):
	case in.Op == ir.OpFence:
		e.Mfence()
	case plainBarrier(in):
		e.barrier(in)
	case in.Op == ir.OpBar || in.Op == ir.OpGridSync || in.Op == ir.OpCall || in.Op == ir.OpCallIndirect:
		out, back := e.NewLabel(), e.NewLabel()
		e.Jmp(out)
		e.Bind(back)
		e.leave(out, back, site{kind: siteLeave, in: in})
	case in.Op == ir.OpActiveMask && e.of(in.Results[0]).class == scalar && in.Guard == nil:
		e.laneBits(amd64.RAX, 1)
		e.scalarOut(e.of(in.Results[0]), amd64.RAX)
	case len(in.Results) == 1 && in.Op != ir.OpLoad && e.scalarResult(in):
		e.scalar(in)
	case len(in.Results) == 1 && e.of(in.Results[0]).class == twin:
		e.twice(in)
	case n.emit != nil:
		n.emit(e, in)
		e.giveBack()
	default:
		e.escape(in)
	}
}

func (e *emitter) scalarResult(in *ir.Instr) bool {
	c := e.of(in.Results[0]).class
	return c == scalar || c == flag && scalarNative(in)
}

// escape emits a return to Go that executes in there.
func (e *emitter) escape(in *ir.Instr) {
	run, err := ops.Compile(in)
	if err != nil {
		e.fail("%v", err)
		return
	}
	out, back := e.NewLabel(), e.NewLabel()
	e.Jmp(out)
	e.Bind(back)
	e.leave(out, back, site{kind: siteEscape, in: in, run: run, member: ops.MemberMask(in)})
}

// laneBits puts the lanes of k and k+1 into the low 32 bits of a register that is not RCX, which it destroys.
func (e *emitter) laneBits(r amd64.Reg, k amd64.KReg) {
	e.GK(amd64.KMOVWToG, r, k+1)
	e.ShiftRI(amd64.W32, amd64.SHL, r, 16)
	e.GK(amd64.KMOVWToG, amd64.RCX, k)
	e.AluRR(amd64.W32, amd64.OR, r, amd64.RCX)
}
