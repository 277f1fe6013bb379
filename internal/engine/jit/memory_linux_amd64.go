package jit

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/ir"
)

// access is a load, store or atomic operation in compiled code.
type access struct {
	in      *ir.Instr
	a       *value
	size    int64 // bytes of an element
	n       int   // elements of a lane
	offset  int64
	lanes   amd64.KReg // the first of the two mask registers of the lanes that execute
	guarded bool       // by a predicate that differs from lane to lane
	none    amd64.Label
	done    amd64.Label
	slow    amd64.Label // where the addresses are not all legal, or not known to be
	fail    amd64.Label // where Go decides
	known   int32
	each    int32 // place of the limit for single lanes
	// far: the address of each lane counts by itself; else they are a constant distance apart.
	far  bool
	wide bool
	// base is where lane 0 has its first byte; other is where lane 16 has, at the address of a twin.
	base, other amd64.Mem
	// index are, in local memory, the places of 16 lanes each, from RDX on.
	index []amd64.VReg
	// row tells that the lanes' distances from RDX on are known.
	row bool
	// parts are those of an address that is not computed; left is by how much its indices are shifted, and scale what gathers
	// multiply them by.
	parts *index
	left  uint8
	scale uint8
}

// open prepares an access and emits the choice of its lanes; false if it is not compiled.
func (e *emitter) open(in *ir.Instr, values []*ir.Value) (*access, bool) {
	a := e.of(in.Args[0])
	x := &access{in: in, a: a, size: int64(in.As.Bytes()), n: len(values), offset: int64(in.Imm), lanes: 1, known: -1, wide: a.wide(), scale: 1, parts: e.p.indexOf(in)}
	if x.size > 8 || in.Space == ir.SpaceParam {
		return nil, false
	}
	total := x.size * int64(x.n)
	if x.offset > math.MaxInt32/2 || x.offset < math.MinInt32/2 || a.class == splat || a.class == constant && a.imm > math.MaxInt64 {
		return nil, false
	}
	if !a.wide() && in.Space != ir.SpaceShared && in.Space != ir.SpaceLocal {
		return nil, false
	}
	x.far = x.parts != nil || a.class == vector || a.table != nil || a.s%total != 0 || a.d%total != 0 || in.Space == ir.SpaceLocal
	for _, v := range values {
		if y := e.of(v); v.Type.Bits() > 64 || v.Type.Bytes() < min(4, int(x.size)) || x.size == 8 && !y.wide() || y.class == mask || y.class == flag {
			return nil, false
		}
	}
	run, err := ops.Compile(in)
	if err != nil {
		return nil, false
	}
	x.none, x.done, x.slow, x.fail = e.NewLabel(), e.NewLabel(), e.NewLabel(), e.NewLabel()
	s := site{kind: siteAccess, in: in, run: run, access: -1, each: -1, size: int(total), member: -1}
	if in.Space != ir.SpaceShared && in.Space != ir.SpaceLocal {
		x.known = e.slot(knownBytes)
		x.each = x.known + 16
		e.known = append(e.known, x.known)
		s.access, s.each = int(x.known), int(x.each)
	}
	if x.parts != nil {
		e.indexLeft(x)
		s.left = x.left
	} else {
		s.least, s.most = a.span()
	}
	retry := e.NewLabel()
	e.Bind(retry)
	e.retries[len(e.sites)] = retry
	e.leave(x.fail, x.done, s)
	e.guard(x)
	return x, true
}

// guard emits the choice of the lanes of a guarded access. At none no lane is left.
func (e *emitter) guard(x *access) {
	if x.in.Guard == nil {
		return
	}
	g := e.of(x.in.Guard)
	if g.uniform() {
		r := e.scalarIn(g, amd64.RAX)
		e.TestRR(amd64.W32, r, r)
		e.Jcc(amd64.E, x.none)
		return
	}
	x.guarded, x.lanes = true, 5
	for half := range 2 {
		e.KKK(amd64.KANDW, amd64.KReg(5+half), e.maskIn(g, half, 7), amd64.KReg(1+half))
	}
	e.KKK(amd64.KORTESTW, 5, 0, 6)
	e.Jcc(amd64.E, x.none)
}

// limit returns the place of the number of shared bytes, less n, plus one, or zero if that is negative: addresses below
// it begin n bytes of shared memory.
func (e *emitter) limit(n int64) amd64.Mem { return e.limitOf(limit{n, 0}) }

func (e *emitter) limitOf(l limit) amd64.Mem {
	at, ok := e.limits[l]
	if !ok {
		at = e.slot(8)
		e.limits[l] = at
	}
	return amd64.At(blockReg, at)
}

// checkScalar emits the check of an access at scalar addresses. It uses RAX for the base.
func (e *emitter) checkScalar(x *access) {
	least, most := x.a.span()
	total := x.size * int64(x.n)
	w := width(x.a)
	if x.a.class == constant {
		at := x.a.imm + uint64(x.offset)
		if w == amd64.W32 {
			at = uint64(uint32(at))
		}
		e.MovRI(amd64.RAX, at)
	} else {
		r := e.scalarIn(x.a, amd64.RAX)
		e.plus(w, amd64.RAX, r, int32(x.offset+least))
	}
	e.checkAligned(x, x.slow)
	x.base = amd64.At(amd64.RAX, int32(-least))
	if x.in.Space == ir.SpaceShared {
		if addressChecks {
			e.AluRM(amd64.W64, amd64.CMP, amd64.RAX, e.limit(most-least+total))
			e.Jcc(amd64.AE, x.slow)
		}
		x.base = amd64.AtIndex(sharedReg, amd64.RAX, 1, int32(-least))
		return
	}
	if !addressChecks {
		return
	}
	e.MovRR(amd64.W64, amd64.RDX, amd64.RAX)
	e.AluRM(amd64.W64, amd64.SUB, amd64.RDX, amd64.At(blockReg, x.known))
	e.AluRM(amd64.W64, amd64.CMP, amd64.RDX, amd64.At(blockReg, x.known+8))
	e.Jcc(amd64.AE, x.slow)
}

// checkAligned emits a jump to other where RAX, the address of one lane, and so those of all are no multiples of what a lane accesses.
func (e *emitter) checkAligned(x *access, other amd64.Label) {
	total := x.size * int64(x.n)
	if total > 1 && (x.a.class == constant || x.a.align%uint64(total) != 0 || x.offset%total != 0) {
		e.TestRI(amd64.W8, amd64.RAX, int32(total-1))
		e.Jcc(amd64.NE, other)
	}
}

// checkVector emits the check of an access at vectors of addresses. RDX is then what is to be added to them.
func (e *emitter) checkVector(x *access) {
	switch {
	case x.in.Space == ir.SpaceLocal:
		e.checkLocal(x)
		return
	case x.parts != nil:
		e.checkIndexed(x)
		return
	}
	total := x.size * int64(x.n)
	add, cmp, test, flat := amd64.VPADDD, amd64.VPCMPUD, amd64.VPTESTMD, amd64.VPSUBD
	if x.a.wide() {
		add, cmp, test, flat = amd64.VPADDQ, amd64.VPCMPUQ, amd64.VPTESTMQ, amd64.VPSUBQ
	}
	cast := zmm
	cast.Bcast = true
	e.KKK(amd64.KXORW, 0, 0, 0)
	for part := 0; part < x.a.parts() && addressChecks; part++ {
		r := e.vectorIn(x.a, part, temp0)
		if x.offset != 0 {
			e.RRM(add, temp0, r, amd64.At(blockReg, e.constant(uint64(x.offset))), cast)
			r = temp0
		}
		if total > 1 {
			o := cast
			o.K = e.lanes(x.a, part, x.lanes)
			e.rrk(test, 7, r, amd64.At(blockReg, e.constant(uint64(total-1))), o)
			e.KKK(amd64.KORW, 0, 0, 7)
		}
		bound := amd64.At(blockReg, x.each)
		if x.in.Space == ir.SpaceShared {
			bound = e.limit(total)
		} else {
			e.RRM(flat, temp1, r, amd64.At(blockReg, x.known), cast)
			r = temp1
		}
		o := cast
		o.K = e.lanes(x.a, part, x.lanes)
		const notLess = 5
		e.KRMI(cmp, 7, r, bound, notLess, o)
		e.KKK(amd64.KORW, 0, 0, 7)
	}
	if addressChecks {
		e.KKK(amd64.KORTESTW, 0, 0, 0)
		e.Jcc(amd64.NE, x.fail)
	}
	if x.in.Space == ir.SpaceShared {
		e.MovRM(amd64.W64, amd64.RDX, amd64.At(blockReg, areaShared))
	} else {
		e.AluRR(amd64.W32, amd64.XOR, amd64.RDX, amd64.RDX)
	}
}

// rrk emits k = op(x, memory) without an immediate.
func (e *emitter) rrk(row *amd64.Row, k amd64.KReg, x amd64.VReg, m amd64.Mem, o amd64.Opt) {
	e.RRM(row, amd64.VReg(k), x, m, o)
}

// load emits a load; false if it is not compiled.
func (e *emitter) load(in *ir.Instr) bool {
	if in.Space == ir.SpaceParam {
		return e.loadParam(in)
	}
	if x := e.member(in, in.Results); x != nil {
		switch {
		case x.a.uniform():
			e.loadUniform(x)
		case !e.foldLoad(x):
			e.loadRow(x)
		}
		return true
	}
	if e.gatherTogether(in) {
		return true
	}
	x, ok := e.open(in, in.Results)
	if !ok {
		return false
	}
	w := e.p.windowOf(in, 16)
	switch {
	case w != nil:
		e.checkWindow(x, w)
		e.loadWindow(x, w)
	case x.far:
		e.loadRows(x)
		e.checkVector(x)
		e.gather(x)
	case x.a.uniform():
		e.checkScalar(x)
		e.loadUniform(x)
	default:
		e.checkRows(x)
		e.loadRow(x)
	}
	e.conclude(x, func() { e.gather(x) })
	if in.Guard != nil {
		e.later(func() {
			e.Bind(x.none)
			e.zero(in.Results)
			e.Jmp(x.done)
		})
	}
	return true
}

// zero gives results the value 0 in the lanes that execute.
func (e *emitter) zero(results []*ir.Value) {
	e.AluRR(amd64.W32, amd64.XOR, amd64.RAX, amd64.RAX)
	for _, r := range results {
		e.scalarOut(e.of(r), amd64.RAX)
	}
}

func (e *emitter) loadParam(in *ir.Instr) bool {
	a := e.of(in.Args[0])
	at := a.imm + in.Imm
	if a.class != constant || in.Guard != nil || in.As.Bytes() > 8 || at > uint64(e.k.Params) || at+uint64(in.As.Bytes()*len(in.Results)) > uint64(e.k.Params) {
		return false
	}
	if at%uint64(in.As.Bytes()*len(in.Results)) != 0 {
		return false
	}
	for i, r := range in.Results {
		e.loadScalar(e.of(r), in.As, amd64.At(blockReg, areaParams+int32(at)+int32(i*in.As.Bytes())))
	}
	return true
}

// loadScalar loads one element from memory for all lanes.
func (e *emitter) loadScalar(v *value, as ir.Type, m amd64.Mem) {
	if v.home.kind == nowhere {
		return
	}
	if (v.class == splat || v.class == vector) && as.Bytes() == v.v.Type.Bytes() && as.Bytes() >= 4 {
		for part := range v.parts() {
			d := e.dst(v, part)
			e.broadcast(v, d, m)
			e.out(v, part, d)
		}
		return
	}
	r := amd64.RCX
	if v.class == scalar && v.home.kind == inRegister {
		r = amd64.Reg(v.home.reg)
	}
	from := amd64.Width(as.Bytes())
	switch {
	case from == amd64.W32 && as.Signed() && v.wide():
		e.MovSXM(amd64.W64, from, r, m)
	case from >= amd64.W32:
		e.MovRM(from, r, m)
	case as.Signed():
		e.MovSXM(width(v), from, r, m)
		if v.v.Type == ir.B16 {
			e.MovZX(amd64.W16, r, r)
		}
	default:
		e.MovZXM(from, r, m)
	}
	e.scalarOut(v, r)
}

// loadUniform loads from one address for all lanes.
func (e *emitter) loadUniform(x *access) {
	for i, r := range x.in.Results {
		v := e.of(r)
		e.loadScalar(v, x.in.As, x.at(int64(i)*x.size))
		if x.guarded {
			e.keepGuarded(x, v)
		}
	}
}

// keepGuarded sets the lanes of v to 0 that execute without being in the guard.
func (e *emitter) keepGuarded(x *access, v *value) {
	for part := range v.parts() {
		o := zmm
		o.K, o.Z = e.lanes(v, part, x.lanes), true
		d := e.dst(v, part)
		row := amd64.VMOVDQA32
		if v.wide() {
			row = amd64.VMOVDQA64
		}
		e.RRR(row, d, 0, e.vectorIn(v, part, temp0), o)
		e.out(v, part, d)
	}
}

// rowMem is the operand of the elements number i of the lanes in a half: the first byte of lane 0 or 16.
func (x *access) rowMem(half, i int) amd64.Mem {
	if half == 1 && x.a.class == twin {
		m := x.other
		m.Disp += int32(int64(i) * x.size)
		return m
	}
	return x.at(x.a.d*int64(half) + int64(i)*x.size)
}

// at is the operand so many bytes behind the first byte of lane 0.
func (x *access) at(offset int64) amd64.Mem {
	m := x.base
	m.Disp += int32(offset)
	return m
}

// turnsAhead is how many turns ahead of a loop that leaps a row is asked for.
const turnsAhead = 4

// prefetch asks for the row that a later warp, or the next block, will load or store, where it is likely to lie behind
// this one: outside loops, in global memory. Shared memory is in the cache. A line that was asked for on the way here is not asked
// for again. In a loop that leaps it asks for what the warp itself comes to.
func (e *emitter) prefetch(x *access, m amd64.Mem, write bool) {
	if x.in.Space == ir.SpaceShared || e.cloned || x.a.s != x.size*int64(x.n) || x.size < 4 || x.a.class == twin {
		return
	}
	if e.p.depth[e.block.Order] > 0 {
		if by, times := e.p.leaps(x.in.Args[0]); by != nil {
			e.scalarInto(e.of(by), amd64.RCX)
			if by.Type != ir.B64 {
				e.MovSX(amd64.W64, amd64.W32, amd64.RCX, amd64.RCX)
			}
			e.ImulRI(amd64.W64, amd64.RCX, amd64.RCX, int32(turnsAhead*times))
			e.Prefetch(amd64.AtIndex(m.Base, amd64.RCX, 1, m.Disp), write)
		}
		return
	}
	at := asked{e.block, x.in.Args[0], int64(m.Disp-x.base.Disp) + int64(x.in.Imm), write}
	if slices.ContainsFunc(e.asked, at.covered) {
		return
	}
	e.asked = append(e.asked, at)
	m.Disp += ahead
	e.Prefetch(m, write)
}

// asked is a prefetch in a block, so many bytes behind an address.
type asked struct {
	block  *ir.Block
	from   *ir.Value
	offset int64
	write  bool
}

// covered tells that the code that leads to a has asked for its line, or all but the edge of it.
func (a asked) covered(before asked) bool {
	if before.from != a.from || before.write != a.write || before.offset-a.offset >= lineBytes || a.offset-before.offset >= lineBytes {
		return false
	}
	for b := a.block; b != before.block; b = b.Preds[0] {
		if len(b.Preds) != 1 || b.Preds[0].Order >= b.Order {
			return false
		}
	}
	return true
}

// loadRow loads from addresses a constant distance apart. All of them were checked, lanes that do not execute included.
func (e *emitter) loadRow(x *access) {
	if e.loadPairs(x) {
		return
	}
	for i, r := range x.in.Results {
		v := e.of(r)
		if v.home.kind == nowhere {
			continue
		}
		if v.class == repeated {
			d := e.dst(v, 0)
			e.loadPart(x, v, d, x.rowMem(0, i), 0)
			e.out(v, 0, d)
			continue
		}
		if v.class != vector {
			e.fail("a load of a row into value v%d of class %d, address class %d s %d d %d", v.v.ID, v.class, x.a.class, x.a.s, x.a.d)
			return
		}
		if x.size < 8 && v.wide() {
			for half := range 2 {
				e.loadPart(x, v, temp2, x.rowMem(half, i), half)
				e.loaded(x, v, half, temp2)
			}
			continue
		}
		perHalf := v.parts() / 2
		for part := range v.parts() {
			half, sub := part/perHalf, part%perHalf
			d := e.dst(v, part)
			if before := part - perHalf; half == 1 && x.a.d == 0 && x.a.class != twin && !v.masked && !x.guarded && v.home.kind == inRegister {
				e.RRR(amd64.VMOVDQA32, d, 0, e.dst(v, before), zmm) // both halves are the same row
				continue
			}
			m := x.rowMem(half, i)
			m.Disp += int32(int64(sub) * 8 * x.a.s)
			e.loadPart(x, v, d, m, half)
			e.kept(x, v, part, d)
			e.out(v, part, d)
		}
	}
}

// kept makes zeroes of the lanes that execute a guarded access without being in the guard.
func (e *emitter) kept(x *access, v *value, part int, d amd64.VReg) {
	if !x.guarded {
		return
	}
	o := zmm
	o.K, o.Z = e.lanes(v, part, x.lanes), true
	row := amd64.VMOVDQA32
	if v.wide() {
		row = amd64.VMOVDQA64
	}
	e.RRR(row, d, 0, d, o)
}

// loaded gives one half of v 16 loaded elements, extended to 32 bits in r, which is not temp0 or temp3.
func (e *emitter) loaded(x *access, v *value, half int, r amd64.VReg) {
	if !v.wide() {
		e.kept(x, v, half, r)
		e.out(v, half, r)
		return
	}
	row := amd64.VPMOVZXDQ
	if x.in.As.Signed() {
		row = amd64.VPMOVSXDQ
	}
	for sub := range 2 {
		from := r
		if sub == 1 {
			e.RRRI(amd64.VEXTRACTI64X4, r, 0, temp0, 1, zmm)
			from = temp0
		}
		e.RRR(row, temp3, 0, from, zmm)
		e.kept(x, v, 2*half+sub, temp3)
		e.out(v, 2*half+sub, temp3)
	}
}

// vectorAt is the operand m with a vector of offsets.
func (e *emitter) vectorAt(m amd64.Mem, index amd64.VReg) amd64.Mem {
	if m.Index != amd64.NoReg {
		e.Lea(amd64.W64, amd64.RCX, m)
		m = amd64.At(amd64.RCX, 0)
	}
	return amd64.AtVector(m.Base, index, 1, m.Disp)
}

// loadPart loads 16 elements, or 8 of 64 bits.
func (e *emitter) loadPart(x *access, v *value, d amd64.VReg, m amd64.Mem, _ int) {
	as := x.in.As
	switch {
	case x.a.s == 0 && x.size == 8:
		e.RRM(amd64.VBROADCASTSD, d, 0, m, zmm)
	case x.a.s == 0 && x.size == 4:
		e.RRM(amd64.VBROADCASTSS, d, 0, m, zmm)
	case x.a.s == 0:
		if as.Signed() {
			e.MovSXM(amd64.W32, amd64.Width(x.size), amd64.RCX, m)
			if v.v.Type == ir.B16 {
				e.MovZX(amd64.W16, amd64.RCX, amd64.RCX)
			}
		} else {
			e.MovZXM(amd64.Width(x.size), amd64.RCX, m)
		}
		e.RG(amd64.VPBROADCASTDG, d, amd64.RCX, zmm)
	case x.a.s == x.size && x.size >= 4:
		e.prefetch(x, m, false)
		e.RRM(amd64.VMOVUPS, d, 0, m, zmm)
	case x.a.s == x.size:
		rows := map[int64][2]*amd64.Row{1: {amd64.VPMOVZXBD, amd64.VPMOVSXBD}, 2: {amd64.VPMOVZXWD, amd64.VPMOVSXWD}}[x.size]
		if !as.Signed() {
			e.RRM(rows[0], d, 0, m, zmm)
			break
		}
		e.RRM(rows[1], d, 0, m, zmm)
		if v.v.Type == ir.B16 {
			cast := zmm
			cast.Bcast = true
			e.RRM(amd64.VPANDD, d, d, amd64.At(blockReg, e.constant(0xffff)), cast)
		}
	case x.size >= 4:
		e.RRM(amd64.VMOVUPS, temp0, 0, e.stride(x.a.s, x.size), zmm)
		e.KKK(amd64.KXNORW, 7, 7, 7)
		m = e.vectorAt(m, temp0)
		o := zmm
		o.K = 7
		to := d
		if to == temp0 {
			to = temp1
		}
		if x.size == 8 {
			e.RRM(amd64.VPGATHERDQ, to, 0, m, o)
		} else {
			e.RRM(amd64.VPGATHERDD, to, 0, m, o)
		}
		if to != d {
			e.RRR(amd64.VMOVDQA32, d, 0, to, zmm)
		}
	default: // single bytes apart
		for l := range 16 {
			at := m
			at.Disp += int32(int64(l) * x.a.s)
			e.MovZXM(amd64.Width(x.size), amd64.RCX, at)
			if as.Signed() {
				e.MovSX(amd64.W32, amd64.Width(x.size), amd64.RCX, amd64.RCX)
				if v.v.Type == ir.B16 {
					e.MovZX(amd64.W16, amd64.RCX, amd64.RCX)
				}
			}
			e.MovMR(amd64.W32, amd64.At(frameReg, frameTemp+int32(4*l)), amd64.RCX)
		}
		e.RRM(amd64.VMOVUPS, d, 0, amd64.At(frameReg, frameTemp), zmm)
	}
}

// stride is a vector of the multiples of s.
func (e *emitter) stride(s, _ int64) amd64.Mem {
	var b []byte
	for l := range int64(16) {
		b = binary.LittleEndian.AppendUint32(b, uint32(l*s))
	}
	return amd64.At(blockReg, e.vectorConstant(b))
}

// store emits a store; false if it is not compiled.
func (e *emitter) store(in *ir.Instr) bool {
	if x := e.member(in, in.Args[1:]); x != nil {
		if x.a.uniform() {
			e.storeUniform(x)
		} else {
			e.storeRow(x)
		}
		return true
	}
	x, ok := e.open(in, in.Args[1:])
	if !ok {
		return false
	}
	if x.size < 4 && x.a.s != x.size && !x.a.uniform() {
		x.far = true
	}
	w := e.p.windowOf(in, 16)
	switch {
	case w != nil:
		e.checkWindow(x, w)
		e.storeWindow(x, w)
	case x.far:
		e.checkVector(x)
		e.scatter(x)
	case x.a.uniform():
		e.checkScalar(x)
		e.storeUniform(x)
	default:
		e.checkRows(x)
		e.storeRow(x)
	}
	e.conclude(x, func() { e.scatter(x) })
	if in.Guard != nil {
		e.later(func() {
			e.Bind(x.none)
			e.Jmp(x.done)
		})
	}
	return true
}

// storeUniform stores to one address: the value of the last lane stays.
func (e *emitter) storeUniform(x *access) {
	if x.base.Base == amd64.RAX || x.base.Index == amd64.RAX {
		e.MovRR(amd64.W64, amd64.RDX, amd64.RAX)
		if x.base.Base == amd64.RAX {
			x.base.Base = amd64.RDX
		} else {
			x.base.Index = amd64.RDX
		}
	}
	chosen := false
	for i, a := range x.in.Args[1:] {
		v := e.of(a)
		m := x.at(int64(i) * x.size)
		if v.uniform() {
			e.MovMR(amd64.Width(x.size), m, e.scalarIn(v, amd64.RAX))
			continue
		}
		if !chosen {
			chosen = true
			e.laneBits(amd64.RAX, x.lanes)
			e.Lzcnt(amd64.W32, amd64.RAX, amd64.RAX)
			e.MovRI(amd64.RCX, 31)
			e.AluRR(amd64.W32, amd64.SUB, amd64.RCX, amd64.RAX)
		}
		for part := range v.parts() {
			e.RRM(amd64.VMOVUPSStore, e.bitsIn(v, part, temp0), 0, amd64.At(frameReg, frameTemp+int32(64*part)), zmm)
		}
		e.MovRM(width(v), amd64.RAX, amd64.AtIndex(frameReg, amd64.RCX, uint8(width(v)), frameTemp))
		e.MovMR(amd64.Width(x.size), m, amd64.RAX)
	}
}

// stored returns 16 elements to store of 32 bits or less, or eight of 64: part of v, or its low halves. It may destroy
// temp0.
func (e *emitter) stored(x *access, v *value, part int, t amd64.VReg) amd64.VReg {
	if x.size == 8 || !v.wide() {
		return e.bitsIn(v, part, t)
	}
	e.narrow(v, part, v.class == splat)
	e.op(amd64.VMOVDQA32, t, 0, temp0)
	return t
}

// storeRow stores to addresses a constant distance apart.
func (e *emitter) storeRow(x *access) {
	stored := e.NewLabel()
	defer e.Bind(stored)
	e.storeLines(x, stored)
	if e.storePairs(x, func(half int) { e.storeHalf(x, half) }) || e.storeColumns(x) {
		return
	}
	for half := range 2 {
		e.storeHalf(x, half)
	}
}

// storeHalf is storeRow for half of the lanes.
func (e *emitter) storeHalf(x *access, half int) {
	for i, a := range x.in.Args[1:] {
		v := e.of(a)
		parts := 2
		if x.size == 8 {
			parts = 4
		}
		for sub := range parts / 2 {
			part := parts/2*half + sub
			m := x.rowMem(half, i)
			m.Disp += int32(int64(sub) * 8 * x.a.s)
			from, o := e.stored(x, v, part, temp1), zmm
			if x.size == 8 {
				o.K = e.lanes(v, part, x.lanes)
			} else {
				o.K = x.lanes + amd64.KReg(half)
			}
			e.prefetch(x, m, true)
			switch {
			case x.a.s == 4 && x.size == 4:
				e.RRM(amd64.VMOVDQU32Store, from, 0, m, o)
			case x.a.s == 8 && x.size == 8:
				e.RRM(amd64.VMOVDQU64Store, from, 0, m, o)
			case x.size == 2:
				e.RRM(amd64.VPMOVDW, from, 0, m, o)
			case x.size == 1:
				e.RRM(amd64.VPMOVDB, from, 0, m, o)
			default:
				e.RRM(amd64.VMOVUPS, temp0, 0, e.stride(x.a.s, x.size), zmm)
				if o.K != 7 {
					e.KKK(amd64.KMOVW, 7, 0, o.K)
					o.K = 7
				}
				row := amd64.VPSCATTERDD
				if x.size == 8 {
					row = amd64.VPSCATTERDQ
				}
				e.RRM(row, from, 0, e.vectorAt(m, temp0), o)
			}
		}
	}
}
