package check

import (
	"slices"

	"github.com/tandem-go/tandem/internal/ptx"
)

// hooks check what tables cannot say.
var hooks = map[string]hook{
	"mov": checkMov, "cvt": checkCvt, "tex": checkTex, "surf": checkSurf, "barrier": checkBarrier,
	"video": checkVideo, "wmma": checkWmma, "wmmaf16": checkWmmaF16, "wmmax": checkMma, "mma": checkMma, "ldmatrix": checkLdmatrix,
}

// checkMov: PTX ISA, mov. A value, an address, or the parts of a register from or into a vector.
func checkMov(c *funcChecker, in *Instr) {
	t := in.Form.Type(0)
	dst, src := &in.Args[0], &in.Args[1]
	od, os := &in.Src.Operands[0], &in.Src.Operands[1]
	if dst.Kind == ArgVec && src.Kind == ArgVec {
		c.errorf(od.Pos, "%s: vectors on both sides", in.Src.Name)
		return
	}
	switch {
	case dst.Kind == ArgVec:
		c.parts(in, dst, t, true)
	case dst.Kind == ArgReg && !dst.Not && !dst.Minus:
		c.fitsRegister(in, od, dst, want{typ: t}, true)
	default:
		c.errorf(od.Pos, "%s: destination %s is not a register", in.Src.Name, od)
	}
	if src.Kind == ArgVec {
		c.parts(in, src, t, false)
		return
	}
	c.retype(in, os, src, &argSpec{kind: valueArg}, want{typ: t})
}

// retype checks a source that has been resolved already.
func (c *funcChecker) retype(in *Instr, o *ptx.Operand, arg *Arg, a *argSpec, w want) {
	c.source(arg, in, o, a, w)
}

// parts checks a vector whose elements together have the width of t.
func (c *funcChecker) parts(in *Instr, v *Arg, t ptx.Type, dst bool) {
	n := len(v.Elems)
	part := partTypes[[2]int{t.Bits(), n}]
	if part == ptx.NoType || t.Class() != ptx.Bits {
		c.errorf(v.Pos, "%s: a vector of %d does not make up .%s", in.Src.Name, n, t)
		return
	}
	for i := range v.Elems {
		e := &v.Elems[i]
		o := &ptx.Operand{Pos: e.Pos}
		if src := in.Src.Operands; !dst && src[1].Kind == ptx.KindVector {
			o = &src[1].Elems[i]
		} else if dst && src[0].Kind == ptx.KindVector {
			o = &src[0].Elems[i]
		}
		switch {
		case e.Kind == ArgReg || e.Kind == ArgSpecial && !dst:
			c.fitsRegister(in, o, e, want{typ: part}, dst)
		case e.Kind == ArgSink && dst:
		case e.Kind == ArgImm && !dst:
			c.convert(in, o, e, want{typ: part})
		default:
			c.errorf(e.Pos, "%s: element %s of a vector is %s", in.Src.Name, o, e.describe())
		}
	}
}

// partTypes are the types of the elements by width of the whole and number.
var partTypes = map[[2]int]ptx.Type{
	{16, 2}: ptx.B8, {32, 2}: ptx.B16, {32, 4}: ptx.B8, {64, 2}: ptx.B32, {64, 4}: ptx.B16, {128, 2}: ptx.B64, {128, 4}: ptx.B32,
}

// checkCvt: PTX ISA, cvt, on rounding: which conversions need which.
func checkCvt(c *funcChecker, in *Instr) {
	f := in.Form
	to, from := f.Type(0), f.Type(1)
	toFloat, fromFloat := to.Class() == ptx.Float, from.Class() == ptx.Float
	round := f.Mod(Round)
	integral := len(round) == 3
	name := in.Src.Name
	switch {
	case !toFloat && !fromFloat:
		if round != "" {
			c.errorf(in.Src.Pos, "%s: a conversion between integers does not round", name)
		}
	case !toFloat:
		if !integral {
			c.errorf(in.Src.Pos, "%s: a conversion to an integer needs .rni, .rzi, .rmi or .rpi", name)
		}
	case !fromFloat || to.Bits() < from.Bits() || to != from && to.Bits() == 16 && from.Bits() == 16:
		if round == "" || integral {
			c.errorf(in.Src.Pos, "%s: this conversion needs .rn, .rz, .rm or .rp", name)
		}
	case to == from:
		if round != "" && !integral {
			c.errorf(in.Src.Pos, "%s: rounding to an integer is .rni, .rzi, .rmi or .rpi", name)
		}
	case round != "":
		c.errorf(in.Src.Pos, "%s: a conversion to a wider format does not round", name)
	}
	if f.Has(FTZ) && to != ptx.F32 && from != ptx.F32 {
		c.errorf(in.Src.Pos, "%s: .ftz is for .f32", name)
	}
}

// checkBarrier: PTX ISA, bar: sixteen barriers, and threads in whole warps.
func checkBarrier(c *funcChecker, in *Instr) {
	args := in.Args
	if in.Form.Mod(Mode) == "red" {
		args = args[1 : len(args)-1]
	}
	if a := &args[0]; a.Kind == ArgImm && a.Imm > 15 {
		c.errorf(a.Pos, "%s: barrier %d is not in the range 0 to 15", in.Src.Name, int32(a.Imm))
	}
	if len(args) > 1 && args[1].Kind == ArgImm && (args[1].Imm%32 != 0 || args[1].Imm == 0) {
		c.errorf(args[1].Pos, "%s: %d threads are not a multiple of the warp size", in.Src.Name, int32(args[1].Imm))
	}
}

// checkVideo: a third source comes with a second operation or with a part of the destination, and only then.
func checkVideo(c *funcChecker, in *Instr) {
	merges := in.Form.Has(Mode) || in.Args[0].Sel != ""
	if merges != (len(in.Args) == 4) {
		c.errorf(in.Src.Pos, "%s: a second operation and a third source come together", in.Src.Name)
	}
}

// coordinates are the numbers of coordinates by geometry; a vector may be padded to four.
var coordinates = map[string][]int{
	"1d": {1}, "2d": {2}, "3d": {3, 4}, "a1d": {2}, "a2d": {3, 4}, "cube": {3, 4}, "acube": {4}, "2dms": {3, 4}, "a2dms": {4},
}

// handle checks [texture or surface, (sampler,) coordinates] and returns the coordinates.
func (c *funcChecker) handle(in *Instr, a *Arg, opaque ptx.Type) []Arg {
	name := in.Src.Name
	if a.Kind != ArgMem || len(a.Elems) < 1 || len(a.Elems) > 2 || len(a.Elems) == 2 && opaque == ptx.SurfRef {
		c.errorf(a.Pos, "%s: want a handle and coordinates in brackets", name)
		return nil
	}
	switch {
	case a.Reg != NoReg && a.Type.Bits() != 64:
		c.errorf(a.Pos, "%s: a handle is in a register of 64 bits", name)
	case a.Var != nil && a.Var.Decl.Type != opaque && !(a.Var.Space == ptx.ParamSpace && a.Var.Size == 8):
		c.errorf(a.Pos, "%s: %s is not a .%s", name, a.Var.Name, opaque)
	}
	co := &a.Elems[len(a.Elems)-1]
	list := []Arg{*co}
	if co.Kind == ArgVec {
		list = co.Elems
	}
	if n := coordinates[in.Form.Mod(Geometry)]; !slices.Contains(n, len(list)) {
		c.errorf(co.Pos, "%s: %d coordinates, want %d", name, len(list), n[0])
		return nil
	}
	return list
}

// checkTex: PTX ISA, tex and tld4.
func checkTex(c *funcChecker, in *Instr) {
	f := in.Form
	dst := &in.Args[0]
	if dst.Kind == ArgPair {
		if p := &dst.Elems[1]; p.Kind != ArgSink && (p.Kind != ArgReg || p.Type != ptx.Pred) {
			c.errorf(p.Pos, "%s: what stands behind | is not a predicate", in.Src.Name)
		}
		dst = &dst.Elems[0]
	}
	c.results(in, dst, f.Vec, f.Type(0))
	list := c.handle(in, &in.Args[1], ptx.TexRef)
	layered := 0 // coordinates that are indices
	switch f.Mod(Geometry) {
	case "a1d", "a2d", "acube", "2dms":
		layered = 1
	case "a2dms":
		layered = 2
	}
	for i := range list {
		t := f.Type(1)
		if i < layered {
			t = ptx.U32
		}
		c.coordinate(in, &list[i], t)
	}
	if f.Mod(Mode) == "level" {
		c.coordinate(in, &in.Args[2], f.Type(1))
	}
	if f.Mod(Mode) == "grad" {
		for i := 2; i < 4; i++ {
			if a := &in.Args[i]; a.Kind == ArgVec {
				for j := range a.Elems {
					c.coordinate(in, &a.Elems[j], ptx.F32)
				}
			} else {
				c.coordinate(in, a, ptx.F32)
			}
		}
	}
}

// results checks a vector of n registers that can take values of type t.
func (c *funcChecker) results(in *Instr, a *Arg, n int, t ptx.Type) {
	if a.Kind != ArgVec || len(a.Elems) != n {
		c.errorf(a.Pos, "%s: want a vector of %s", in.Src.Name, plural(n, "register"))
		return
	}
	for i := range a.Elems {
		e := &a.Elems[i]
		if e.Kind == ArgSink || e.Kind == ArgReg && fits(t, e.Type, false) {
			continue
		}
		c.errorf(e.Pos, "%s: element %d of the result does not take .%s", in.Src.Name, i, t)
	}
}

func (c *funcChecker) coordinate(in *Instr, a *Arg, t ptx.Type) {
	switch {
	case (a.Kind == ArgReg || a.Kind == ArgSpecial) && (fits(t, a.Type, false) || a.Type.Bits() == 32 && a.Type.Class() == ptx.Bits):
	case a.Kind == ArgImm:
		o := ptx.Operand{Pos: a.Pos, Kind: ptx.KindInt, Val: a.Imm}
		switch a.Type {
		case ptx.F32:
			o.Kind = ptx.KindFloat32
		case ptx.F64:
			o.Kind = ptx.KindFloat64
		}
		c.convert(in, &o, a, want{typ: t})
	default:
		c.errorf(a.Pos, "%s: coordinate of type .%s wanted", in.Src.Name, t)
	}
}

// checkSurf: PTX ISA, suld, sust and sured.
func checkSurf(c *funcChecker, in *Instr) {
	a := &in.Args[0]
	if in.Form.Op == "suld" {
		a = &in.Args[1]
	}
	list := c.handle(in, a, ptx.SurfRef)
	for i := range list {
		c.coordinate(in, &list[i], ptx.S32)
	}
}
