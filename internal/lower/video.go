package lower

import (
	"slices"
	"strings"

	"github.com/tandem-go/tandem/internal/intmath"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// Scalar video instructions are lowered to operations of 64 bits, in which no intermediate result overflows; SIMD video
// instructions are one operation each.

// simdVideo are the SIMD video instructions without the number of lanes.
var simdVideo = map[string]intmath.VideoOp{
	"vadd": intmath.VAdd, "vsub": intmath.VSub, "vavrg": intmath.VAvrg, "vabsdiff": intmath.VAbsDiff, "vmin": intmath.VMin, "vmax": intmath.VMax,
}

var simdCompare = map[string]intmath.VideoOp{
	"eq": intmath.VSetEQ, "ne": intmath.VSetNE, "lt": intmath.VSetLT, "le": intmath.VSetLE, "gt": intmath.VSetGT, "ge": intmath.VSetGE,
}

// video4 lowers vadd4, vadd2 and the like (PTX ISA, SIMD Video Instructions).
func (l *fn) video4(in *check.Instr) bool {
	f := in.Form
	name := f.Op[:len(f.Op)-1]
	v := intmath.Video{Bytes: f.Op[len(f.Op)-1] == '4', Sat: f.Has(check.Sat), Add: f.Mod(check.Mode) == "add"}
	types := f.Types
	if name == "vset" {
		v.Op = simdCompare[f.Mod(check.Cmp)]
	} else {
		v.Op = simdVideo[name]
		v.DSigned, types = irType(types[0]).Signed(), types[1:]
	}
	v.ASigned, v.BSigned = irType(types[0]).Signed(), irType(types[1]).Signed()
	var ok [3]bool
	v.ASelect, ok[0] = selectors(in.Args[1].Sel, v.Bytes)
	v.BSelect, ok[1] = selectors(in.Args[2].Sel, v.Bytes)
	v.NotMask, ok[2] = notMask(in.Args[0].Sel, v.Bytes)
	if ok != [3]bool{true, true, true} {
		return false
	}
	op := &ir.Instr{Op: ir.OpVideo, As: ir.B32, From: ir.B32, Imm: v.Encode(), Args: l.values(in.Args[1:])}
	l.set(&in.Args[0], l.emit(op, ir.B32).Results[0], ir.B32)
	return true
}

// selectors reads b3210 or h10, which name the highest lane first: nil if there is none, and false if it is not one for
// all lanes.
func selectors(sel string, bytes bool) ([]uint8, bool) {
	letter, lanes := byte('h'), 2
	if bytes {
		letter, lanes = 'b', 4
	}
	if sel == "" {
		return nil, true
	}
	if sel[0] != letter || len(sel) != lanes+1 {
		return nil, false
	}
	var list []uint8
	for _, d := range []byte(sel[1:]) {
		list = append(list, d-'0')
	}
	slices.Reverse(list)
	return list, true
}

// notMask reads the mask behind the destination: the lanes that it does not name.
func notMask(sel string, bytes bool) (uint8, bool) {
	letter, lanes := "h", 2
	if bytes {
		letter, lanes = "b", 4
	}
	named, ok := strings.CutPrefix(sel, letter)
	if sel == "" {
		return 0, true
	}
	not := uint8(1)<<lanes - 1
	for _, d := range []byte(named) {
		if int(d-'0') >= lanes {
			return 0, false
		}
		not &^= 1 << (d - '0')
	}
	return not, ok
}

// selected is a source of a scalar video instruction: the byte, half or word that it names, as 64 bits.
func (l *fn) selected(a *check.Arg, t ir.Type) (*ir.Value, bool) {
	v := l.value(a)
	if a.Sel != "" {
		pos, n, ok := selection(a.Sel)
		if !ok {
			return nil, false
		}
		v = l.op(ir.OpBfe, t, v, l.constant(ir.B32, pos), l.constant(ir.B32, n))
	}
	return l.extend(v, t, ir.S64), true
}

// selection is the place of b0 to b3, h0 and h1.
func selection(sel string) (pos, n uint64, ok bool) {
	if len(sel) != 2 {
		return 0, 0, false
	}
	n = 8
	if sel[0] == 'h' {
		n = 16
	}
	pos = uint64(sel[1]-'0') * n
	return pos, n, pos < 32
}

// scalarVideo lowers vadd, vsub, vabsdiff, vmin, vmax, vshl, vshr and vset (PTX ISA, Scalar Video Instructions).
func (l *fn) scalarVideo(in *check.Instr) bool {
	f := in.Form
	td, types := ir.U32, f.Types
	if f.Op != "vset" {
		td, types = irType(f.Type(0)), f.Types[1:]
	}
	ta, tb := irType(types[0]), irType(types[1])
	a, oka := l.selected(&in.Args[1], ta)
	b, okb := l.selected(&in.Args[2], tb)
	if !oka || !okb {
		return false
	}
	var v *ir.Value
	wide := ir.S64
	switch f.Op {
	case "vadd":
		v = l.op(ir.OpAdd, ir.S64, a, b)
	case "vsub":
		v = l.op(ir.OpSub, ir.S64, a, b)
	case "vabsdiff":
		v = l.op(ir.OpSad, ir.S64, a, b, l.constant(ir.B64, 0))
	case "vmin":
		v = l.op(ir.OpMin, ir.S64, a, b)
	case "vmax":
		v = l.op(ir.OpMax, ir.S64, a, b)
	case "vset":
		p := l.compare(comparisons[f.Mod(check.Cmp)], ir.S64, ir.Mods{}, a, b)
		v = l.op(ir.OpSelect, ir.B64, p, l.constant(ir.B64, 1), l.constant(ir.B64, 0))
	case "vshl", "vshr":
		if !ta.Signed() {
			wide = ir.U64 // 32 bits shifted by 32
		}
		v = l.videoShift(in, a, b)
	}
	return l.videoResult(in, v, wide, td)
}

// videoShift is the shift of vshl and vshr.
func (l *fn) videoShift(in *check.Instr, a, b *ir.Value) *ir.Value {
	n := l.convert(b, ir.U64, ir.U32)
	if in.Form.Mod(check.Mode2) == "wrap" {
		n = l.op(ir.OpAnd, ir.B32, n, l.constant(ir.B32, 31))
	} else {
		n = l.op(ir.OpMin, ir.U32, n, l.constant(ir.B32, 32))
	}
	if in.Form.Op == "vshl" {
		return l.op(ir.OpShl, ir.B64, a, n)
	}
	return l.op(ir.OpShr, ir.S64, a, n)
}

// videoResult saturates v, of type wide, combines it with the third source and writes it.
func (l *fn) videoResult(in *check.Instr, v *ir.Value, wide, td ir.Type) bool {
	d := &in.Args[0]
	pos, n := uint64(0), uint64(32)
	if d.Sel != "" {
		var ok bool
		if pos, n, ok = selection(d.Sel); !ok {
			return false
		}
	}
	if in.Form.Has(check.Sat) {
		v = l.clamp(v, wide, td.Signed(), n)
	}
	v = l.convert(v, ir.B64, ir.B32)
	if len(in.Args) < 4 {
		l.set(d, v, td)
		return true
	}
	c := l.value(&in.Args[3])
	switch in.Form.Mod(check.Mode) {
	case "add":
		v = l.op(ir.OpAdd, td, v, c)
	case "min":
		v = l.op(ir.OpMin, td, v, c)
	case "max":
		v = l.op(ir.OpMax, td, v, c)
	}
	if d.Sel != "" {
		v = l.op(ir.OpBfi, ir.B32, v, c, l.constant(ir.B32, pos), l.constant(ir.B32, n))
	}
	l.set(d, v, td)
	return true
}

// clamp is v, of type t, in the range of n bits.
func (l *fn) clamp(v *ir.Value, t ir.Type, signed bool, n uint64) *ir.Value {
	low, high := int64(0), int64(1)<<n-1
	if signed {
		low, high = -1<<(n-1), 1<<(n-1)-1
	}
	if t.Signed() {
		v = l.op(ir.OpMax, t, v, l.constant(ir.B64, uint64(low)))
	}
	return l.op(ir.OpMin, t, v, l.constant(ir.B64, uint64(high)))
}

// vmad lowers vmad: a × b + c with signs, one more with .po, shifted right, saturated.
func (l *fn) vmad(in *check.Instr) bool {
	f := in.Form
	ta, tb := irType(f.Type(1)), irType(f.Type(2))
	a, oka := l.selected(&in.Args[1], ta)
	b, okb := l.selected(&in.Args[2], tb)
	c := &in.Args[3]
	if !oka || !okb || in.Args[0].Sel != "" || c.Sel != "" {
		return false
	}
	plusOne := f.Mod(check.Mode2) == "po"
	negative := in.Args[1].Minus != in.Args[2].Minus
	if plusOne && (negative || c.Minus) || negative && c.Minus {
		return false // PTX ISA: at most one of them
	}
	signed := ta.Signed() || tb.Signed() || negative || c.Minus
	wide, tc := ir.U64, ir.U32
	if signed {
		wide, tc = ir.S64, ir.S32
	}
	product := l.op(ir.OpMul, ir.B64, a, b)
	if signed && f.Has(check.Sat) && !ta.Signed() && !tb.Signed() {
		// Products above 2^63 saturate as 2^62 does, whatever is added and however far it is shifted.
		product = l.op(ir.OpMin, ir.U64, product, l.constant(ir.B64, 1<<62))
	}
	addend := l.extend(l.value(c), tc, ir.S64)
	switch {
	case negative:
		product = l.op(ir.OpNeg, ir.S64, product)
	case c.Minus:
		addend = l.op(ir.OpNeg, ir.S64, addend)
	}
	v := l.op(ir.OpAdd, ir.B64, product, addend)
	if plusOne {
		v = l.op(ir.OpAdd, ir.B64, v, l.constant(ir.B64, 1))
	}
	if shift := map[string]uint64{"shr7": 7, "shr15": 15}[f.Mod(check.Mode)]; shift > 0 {
		v = l.op(ir.OpShr, wide, v, l.constant(ir.B32, shift))
	}
	if f.Has(check.Sat) {
		v = l.clamp(v, wide, signed, 32)
	}
	l.set(&in.Args[0], l.convert(v, ir.B64, ir.B32), irType(f.Type(0)))
	return true
}

// clampedPack lowers cvt.pack: b in the low and a in the next bits, both saturated, and c above them.
func (l *fn) clampedPack(in *check.Instr) bool {
	t := in.Form.Type(0)
	n, signed := uint64(t.Bits()), t.Class() == ptx.Signed
	low, high := uint64(0), uint64(1)<<n-1
	if signed {
		low, high = 1<<32-1<<(n-1), 1<<(n-1)-1
	}
	saturated := func(a *check.Arg) *ir.Value {
		v := l.op(ir.OpMax, ir.S32, l.value(a), l.constant(ir.B32, low))
		return l.op(ir.OpMin, ir.S32, v, l.constant(ir.B32, high))
	}
	a, b := saturated(&in.Args[1]), saturated(&in.Args[2])
	width := l.constant(ir.B32, n)
	var d *ir.Value
	if len(in.Args) > 3 {
		d = l.op(ir.OpShl, ir.B32, l.value(&in.Args[3]), l.constant(ir.B32, 2*n))
	} else {
		d = l.constant(ir.B32, 0)
	}
	d = l.op(ir.OpBfi, ir.B32, a, d, width, width)
	d = l.op(ir.OpBfi, ir.B32, b, d, l.constant(ir.B32, 0), width)
	l.set(&in.Args[0], d, ir.B32)
	return true
}
