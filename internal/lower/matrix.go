package lower

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// Matrices that a warp holds in pieces (PTX ISA, Warp Level Matrix Instructions). Which elements a lane has of a wmma
// fragment is the implementation's: here a fragment is a row of the fragments of mma, of 16 or 8 rows and 8 columns, so
// that wmma.load and wmma.store become loads and stores, and wmma.mma becomes one product for each of them. Registers
// that are left over hold the same elements again.

// mmaTypes are the element types.
var mmaTypes = map[ptx.Type]ir.MmaType{
	ptx.F16: ir.MmaF16, ptx.BF16: ir.MmaBF16, ptx.TF32: ir.MmaTF32, ptx.F32: ir.MmaF32, ptx.F64: ir.MmaF64,
	ptx.S8: ir.MmaS8, ptx.U8: ir.MmaU8, ptx.S4: ir.MmaS4, ptx.U4: ir.MmaU4, ptx.B1: ir.MmaB1, ptx.S32: ir.MmaS32,
}

// shape is the extent of a product: A is m by k, B is k by n.
type shape struct{ m, n, k int }

func shapeOf(f *check.Form) (s shape, ok bool) {
	n, err := fmt.Sscanf(f.Mod(check.Shape), "m%dn%dk%d", &s.m, &s.n, &s.k)
	return s, n == 3 && err == nil
}

// rows is the number of rows of the products that one of this shape is made of.
func (s shape) rows() int { return min(s.m, 16) }

// element is the place in a matrix of the first of the elements in a register: row and column of lane 0.
type element struct{ row, column int }

// registers lists the registers of fragment a, b, c or d. What is added to the place of each in lane l, with g = l/4,
// t = l%4 and p elements in a register: for a g rows and p·t columns, for b p·t rows and g columns, and for c and d g rows
// and 2·t columns. Elements of a register follow each other in a row; those of b in a column.
func (s shape) registers(which byte, t ir.MmaType) (list []element) {
	p, halves := t.Packed(), s.rows()/8
	switch which {
	case 'a':
		for tile := 0; tile < s.m; tile += s.rows() {
			for r := range halves * s.k / (4 * p) {
				list = append(list, element{tile + 8*(r%halves), 4 * p * (r / halves)})
			}
		}
	case 'b':
		for tile := 0; tile < s.n; tile += 8 {
			for r := range s.k / (4 * p) {
				list = append(list, element{4 * p * r, tile})
			}
		}
	default:
		for row := 0; row < s.m; row += s.rows() {
			for column := 0; column < s.n; column += 8 {
				for i := 0; i < 2*halves; i += p {
					list = append(list, element{row + 8*(i/2), column + i%2})
				}
			}
		}
	}
	return list
}

// fragment is what wmma.load and wmma.store move.
type fragment struct {
	which byte
	t     ir.MmaType
	// byRow is whether the matrix lies in memory row by row.
	byRow bool
	regs  []element
	// base is the address, as 64 bits, offset is added to it, and pitch the distance of rows or columns in elements.
	base, pitch *ir.Value
	offset      uint64
	mods        ir.Mods
	// row and column are what the lane adds to the places of registers.
	row, column *ir.Value
}

// quad returns g and t of the lane.
func (l *fn) quad() (g, t *ir.Value) {
	lane := l.emit(&ir.Instr{Op: ir.OpSpecial, As: ir.B32, Index: int(ir.LaneID)}, ir.B32).Results[0]
	return l.op(ir.OpShr, ir.B32, lane, l.constant(ir.B32, 2)), l.op(ir.OpAnd, ir.B32, lane, l.constant(ir.B32, 3))
}

// fragment prepares wmma.load or wmma.store, whose memory operand is mem and whose pitch, if given, is in pitch.
func (l *fn) fragment(in *check.Instr, mem *check.Arg, pitch []check.Arg) (fr fragment, ok bool) {
	f := in.Form
	s, ok := shapeOf(f)
	fr = fragment{which: f.Mod(check.Mode2)[0], t: mmaTypes[f.Type(0)], byRow: f.Mod(check.LayoutA) == "row"}
	fr.mods.Space = spaces[f.Space]
	if !ok || fr.t.Bits() == 0 {
		return fr, false
	}
	fr.regs = s.registers(fr.which, fr.t)
	rows, columns := s.m, s.n
	g, t := l.quad()
	step := func(n int) *ir.Value { return l.op(ir.OpMul, ir.U32, t, l.constant(ir.B32, uint64(n))) }
	switch fr.which {
	case 'a':
		columns = s.k
		fr.row, fr.column = g, step(fr.t.Packed())
	case 'b':
		rows = s.k
		fr.row, fr.column = step(fr.t.Packed()), g
	default:
		fr.row, fr.column = g, step(2)
	}
	extent := rows
	if fr.byRow {
		extent = columns
	}
	fr.pitch = l.constant(ir.B64, uint64(extent))
	if len(pitch) > 0 {
		fr.pitch = l.convert(l.value(&pitch[0]), ir.U32, ir.U64)
	}
	base, offset := l.memory(mem, fr.mods.Space)
	fr.base, fr.offset = l.convert(base, ir.U64, ir.B64), offset
	if base.Type == ir.B32 {
		fr.base = l.extend(base, ir.U32, ir.B64)
	}
	fr.row, fr.column = l.extend(fr.row, ir.U32, ir.B64), l.extend(fr.column, ir.U32, ir.B64)
	return fr, true
}

// element is the address of the lane's element at place e of a register.
func (l *fn) element(fr *fragment, e element) *ir.Value {
	plus := func(v *ir.Value, n int) *ir.Value {
		if n == 0 {
			return v
		}
		return l.op(ir.OpAdd, ir.U64, v, l.constant(ir.B64, uint64(n)))
	}
	outer, inner := plus(fr.row, e.row), plus(fr.column, e.column)
	if !fr.byRow {
		outer, inner = inner, outer
	}
	index := l.op(ir.OpAdd, ir.U64, l.op(ir.OpMul, ir.U64, outer, fr.pitch), inner)
	bits := l.op(ir.OpMul, ir.U64, index, l.constant(ir.B64, uint64(fr.t.Bits())))
	return l.op(ir.OpAdd, ir.U64, fr.base, l.op(ir.OpShr, ir.U64, bits, l.constant(ir.B32, 3)))
}

// next is the place of element i of a register.
func (fr *fragment) next(e element, i int) element {
	if fr.which == 'b' {
		return element{e.row + i, e.column}
	}
	return element{e.row, e.column + i}
}

// contiguous is whether the elements of a register lie side by side in memory.
func (fr *fragment) contiguous() bool { return fr.t.Packed() == 1 || fr.byRow != (fr.which == 'b') }

// word is the type of a register of elements of type t.
func word(t ir.MmaType) ir.Type {
	if t == ir.MmaF64 {
		return ir.B64
	}
	return ir.B32
}

// wmma lowers wmma.load, wmma.store and wmma.mma.
func (l *fn) wmma(in *check.Instr) bool {
	switch in.Form.Mod(check.Mode) {
	case "load":
		return l.wmmaLoad(in)
	case "store":
		return l.wmmaStore(in)
	}
	f := in.Form
	types := [4]ptx.Type{f.Type(0), f.Type(1), f.Type(2), f.Type(3)}
	if f.Type(2) == ptx.NoType {
		types = [4]ptx.Type{f.Type(0), ptx.F16, ptx.F16, f.Type(1)}
	}
	return l.products(in, types)
}

func (l *fn) wmmaLoad(in *check.Instr) bool {
	fr, ok := l.fragment(in, &in.Args[1], in.Args[2:])
	if !ok || !fr.contiguous() && fr.t.Bits() < 8 {
		return false
	}
	as := word(fr.t)
	narrow := map[int]ir.Type{8: ir.U8, 16: ir.B16}[fr.t.Bits()]
	load := func(as ir.Type, e element) *ir.Value {
		ld := &ir.Instr{Op: ir.OpLoad, As: as, Mods: fr.mods, Imm: fr.offset, Args: []*ir.Value{l.element(&fr, e)}}
		return l.effect(ld, as.Value()).Results[0]
	}
	values := make([]*ir.Value, len(fr.regs))
	for i, e := range fr.regs {
		if fr.contiguous() {
			values[i] = load(as, e)
			continue
		}
		parts := make([]*ir.Value, fr.t.Packed())
		for k := range parts {
			parts[k] = load(narrow, fr.next(e, k))
		}
		values[i] = l.op(ir.OpPack, as, parts...)
	}
	for i, d := range elements(&in.Args[0]) {
		l.set(&d, values[i%len(values)], as)
	}
	return true
}

func (l *fn) wmmaStore(in *check.Instr) bool {
	fr, ok := l.fragment(in, &in.Args[0], in.Args[2:])
	if !ok || !fr.contiguous() && fr.t.Bits() < 16 {
		return false
	}
	as := word(fr.t)
	store := func(as ir.Type, e element, v *ir.Value) {
		l.effect(&ir.Instr{Op: ir.OpStore, As: as, Mods: fr.mods, Imm: fr.offset, Args: []*ir.Value{l.element(&fr, e), v}})
	}
	from := elements(&in.Args[1])
	for i, e := range fr.regs {
		v := l.value(&from[i])
		if fr.contiguous() {
			store(as, e, v)
			continue
		}
		low, high := l.halves(v)
		store(ir.B16, e, low)
		store(ir.B16, fr.next(e, 1), high)
	}
	return true
}

// mma lowers mma.
func (l *fn) mma(in *check.Instr) bool {
	f := in.Form
	if f.Has(check.LayoutA) && f.Mod(check.Shape) == "m8n8k4" && f.Type(1) == ptx.F16 {
		return false // four products of quarters of the warp
	}
	return l.products(in, [4]ptx.Type(f.Types[:4]))
}

// products lowers a product to one for each 8 columns and 16 rows. Types are those of d, a, b and c.
func (l *fn) products(in *check.Instr, types [4]ptx.Type) bool {
	f := in.Form
	s, ok := shapeOf(f)
	round, known := rounds[f.Mod(check.Round)]
	m := ir.Mma{
		M: s.rows(), K: s.k, D: mmaTypes[types[0]], A: mmaTypes[types[1]], B: mmaTypes[types[2]], C: mmaTypes[types[3]],
		Saturate: f.Mod(check.Sat) == "satfinite" && types[0] == ptx.S32, And: f.Mod(check.Mode3) == "and",
	}
	if !ok || !known || m.A.Bits() == 0 || m.B.Bits() == 0 || f.Mod(check.Sat) != "" && !m.Saturate {
		return false
	}
	na, nb, nc, nd := m.Registers()
	var parts [4][]*ir.Value
	for i := 1; i < 4; i++ {
		parts[i] = l.values(elements(&in.Args[i]))
		for j, v := range parts[i] { // a constant may stand for a register
			parts[i][j] = l.convert(v, bitsOf(v.Type.Bits()), word(mmaTypes[types[i]]))
		}
	}
	dst := elements(&in.Args[0])
	results := make([]*ir.Value, 0, len(dst))
	for i := range s.m / s.rows() {
		for j := range s.n / 8 {
			c := parts[3][(i*(s.n/8)+j)*nc:][:nc]
			results = append(results, l.product1(m, round, parts[1][i*na:][:na], parts[2][j*nb:][:nb], c)...)
		}
	}
	for i := range dst[:len(results)] {
		l.set(&dst[i], results[i], word(m.D))
	}
	return len(results) == len(dst) && nd > 0
}

// product1 is one product. Those of f64 are done for 8 of the inner indices at a time, which rounds as often.
func (l *fn) product1(m ir.Mma, round ir.Round, a, b, c []*ir.Value) []*ir.Value {
	for m.A == ir.MmaF64 && m.K > 8 {
		half := m
		half.K = 8
		na, nb, _, _ := half.Registers()
		c = l.product1(half, round, a[:na], b[:nb], c)
		a, b, m.K = a[na:], b[nb:], m.K-8
	}
	as := map[ir.MmaType]ir.Type{ir.MmaF16: ir.F16, ir.MmaF32: ir.F32, ir.MmaF64: ir.F64, ir.MmaS32: ir.S32}[m.D]
	in := &ir.Instr{Op: ir.OpMma, As: as, Imm: m.Encode(), Mods: ir.Mods{Round: round}}
	in.Args = append(append(append(in.Args, a...), b...), c...)
	in.Args = append(in.Args, l.constant(ir.B32, 1<<32-1))
	_, _, _, nd := m.Registers()
	types := make([]ir.Type, nd)
	for i := range types {
		types[i] = word(m.D)
	}
	return l.effect(in, types...).Results
}

// ldmatrix lowers ldmatrix and stmatrix: lane 8·i + r has the address of row r of matrix i, and each lane loads or stores
// two elements of each matrix: 2·t and 2·t+1 of row g, with .trans of column g.
func (l *fn) ldmatrix(in *check.Instr) bool {
	f := in.Form
	store := f.Op == "stmatrix"
	mem, regs := &in.Args[1], elements(&in.Args[0])
	if store {
		mem, regs = &in.Args[0], elements(&in.Args[1])
	}
	mods := ir.Mods{Space: spaces[f.Space]}
	addr, offset := l.memory(mem, mods.Space)
	g, t := l.quad()
	twice := l.op(ir.OpShl, ir.B32, t, l.constant(ir.B32, 1))
	var values []*ir.Value
	if store {
		values = l.values(regs)
	}
	for i := range regs {
		var v *ir.Value
		if store {
			v = values[i]
		}
		row := func(r *ir.Value, byteAt *ir.Value) *ir.Value {
			from := l.op(ir.OpAdd, ir.U32, r, l.constant(ir.B32, uint64(8*i)))
			return l.op(ir.OpAdd, ir.U64, l.fromLane(addr, from), l.extend(byteAt, ir.U32, ir.B64))
		}
		if !f.Has(check.Trans) {
			at := row(g, l.op(ir.OpShl, ir.B32, t, l.constant(ir.B32, 2)))
			v = l.transfer(ir.B32, mods, at, offset, v)
		} else {
			across := l.op(ir.OpShl, ir.B32, g, l.constant(ir.B32, 1))
			odd := l.op(ir.OpAdd, ir.U32, twice, l.constant(ir.B32, 1))
			at0, at1 := row(twice, across), row(odd, across)
			var low, high *ir.Value
			if store {
				low, high = l.halves(v)
			}
			low, high = l.transfer(ir.B16, mods, at0, offset, low), l.transfer(ir.B16, mods, at1, offset, high)
			if !store {
				v = l.join(low, high)
			}
		}
		if !store {
			l.set(&regs[i], v, ir.B32)
		}
	}
	return true
}

// transfer stores v, or loads if v is nil.
func (l *fn) transfer(as ir.Type, m ir.Mods, at *ir.Value, offset uint64, v *ir.Value) *ir.Value {
	if v != nil {
		l.effect(&ir.Instr{Op: ir.OpStore, As: as, Mods: m, Imm: offset, Args: []*ir.Value{at, v}})
		return v
	}
	return l.effect(&ir.Instr{Op: ir.OpLoad, As: as, Mods: m, Imm: offset, Args: []*ir.Value{at}}, as).Results[0]
}

// fromLane is v, of 32 or 64 bits, as another lane has it, as 64 bits.
func (l *fn) fromLane(v, lane *ir.Value) *ir.Value {
	one := func(v *ir.Value) *ir.Value {
		s := &ir.Instr{Op: ir.OpShfl, As: ir.B32, Mods: ir.Mods{Sub: uint8(ir.ShflIdx)}}
		s.Args = []*ir.Value{v, lane, l.constant(ir.B32, 31), l.constant(ir.B32, 1<<32-1)}
		return l.effect(s, ir.B32, ir.Pred).Results[0]
	}
	if v.Type == ir.B32 {
		return l.extend(one(v), ir.U32, ir.B64)
	}
	low, high := l.halves(v)
	return l.join(one(low), one(high))
}

// movmatrix lowers movmatrix: the transpose of a matrix of 8 by 8 elements of 16 bits.
func (l *fn) movmatrix(in *check.Instr) bool {
	v := l.value(&in.Args[1])
	g, t := l.quad()
	part := func(odd uint64) *ir.Value { // element 2t+odd of column g: row 2t+odd is in the lanes from 8t+4·odd on
		from := l.op(ir.OpAdd, ir.U32, l.op(ir.OpShl, ir.B32, t, l.constant(ir.B32, 3)), l.constant(ir.B32, 4*odd))
		from = l.op(ir.OpAdd, ir.U32, from, l.op(ir.OpShr, ir.U32, g, l.constant(ir.B32, 1)))
		low, high := l.halves(l.convert(l.fromLane(v, from), ir.B64, ir.B32))
		isOdd := l.op(ir.OpAnd, ir.B32, g, l.constant(ir.B32, 1))
		p := l.compare(ir.Ne, ir.B32, ir.Mods{}, isOdd, l.constant(ir.B32, 0))
		return l.op(ir.OpSelect, ir.B16, p, high, low)
	}
	l.set(&in.Args[0], l.join(part(0), part(1)), ir.B32)
	return true
}
