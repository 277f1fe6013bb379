package lower

import (
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// geometries by modifier.
var geometries = map[string]ir.TexGeometry{
	"1d": ir.Tex1D, "2d": ir.Tex2D, "3d": ir.Tex3D, "a1d": ir.TexA1D, "a2d": ir.TexA2D, "cube": ir.TexCube, "acube": ir.TexACube,
}

// object lowers [texture or surface, coordinates] to the operands of a texture or surface instruction. A vector of
// coordinates may be longer than the geometry needs. A reference, which is a variable, holds a handle: the host device lets
// programs write it. Textures apart from their samplers are not supported.
func (l *fn) object(a *check.Arg, g ir.TexGeometry) ([]*ir.Value, bool) {
	if g.Coordinates() == 0 || len(a.Elems) != 1 || a.Imm != 0 {
		return nil, false
	}
	var handle *ir.Value
	switch {
	case a.Reg != check.NoReg:
		handle = l.read(l.regSlot(a))
	case a.Var != nil && a.Var.Space == ptx.ParamSpace && a.Var.Decl.Type.Class() != ptx.OpaqueType:
		at, ok := l.offsets[a.Var]
		if !ok {
			return nil, false
		}
		ld := &ir.Instr{Op: ir.OpLoad, As: ir.B64, Mods: ir.Mods{Space: ir.SpaceParam}, Imm: uint64(at), Args: []*ir.Value{l.constant(ir.B64, 0)}}
		handle = l.effect(ld, ir.B64).Results[0]
	case a.Var != nil && a.Var.Space == ptx.GlobalSpace && a.Var.Size == 8:
		ld := &ir.Instr{Op: ir.OpLoad, As: ir.B64, Mods: ir.Mods{Space: ir.SpaceGlobal}, Args: []*ir.Value{l.variable(a.Var, 0)}}
		handle = l.effect(ld, ir.B64).Results[0]
	default:
		return nil, false
	}
	n := g.Coordinates()
	if g.Layered() {
		n++
	}
	coords := elements(&a.Elems[0])
	if len(coords) < n || handle.Type != ir.B64 {
		return nil, false
	}
	return append([]*ir.Value{handle}, l.values(coords[:n])...), true
}

// texModes by modifier: what tex and tld4 read.
var texModes = map[string]uint64{
	"": ir.TexFetch, "base": ir.TexFetch, "level": ir.TexLevel, "grad": ir.TexGrad,
	"r": ir.TexGather, "g": ir.TexGather + 1, "b": ir.TexGather + 2, "a": ir.TexGather + 3,
}

// tex lowers tex and tld4. Offsets and depth comparisons are not supported.
func (l *fn) tex(in *check.Instr) bool {
	f := in.Form
	mode := texModes[f.Mod(check.Mode)]
	t := &ir.Instr{Op: ir.OpTex, As: irType(f.Type(0)), From: irType(f.Type(1)), Imm: mode}
	as, more := t.As, map[uint64]int{ir.TexLevel: 1, ir.TexGrad: 2}[mode]
	if as.Bits() != 32 || as == ir.F16x2 || f.Vec != 4 || len(in.Args) != 2+more {
		return false
	}
	g := geometries[f.Mod(check.Geometry)]
	if f.Op == "tld4" && g != ir.Tex2D && g != ir.TexA2D {
		return false
	}
	var ok bool
	if t.Args, ok = l.object(&in.Args[1], g); !ok {
		return false
	}
	for i := range in.Args[2:] {
		chosen, n := elements(&in.Args[2+i]), 1
		if mode == ir.TexGrad {
			n = g.Coordinates()
		}
		if len(chosen) < n {
			return false
		}
		t.Args = append(t.Args, l.values(chosen[:n])...)
	}
	t.Sub = uint8(g)
	results := l.effect(t, ir.B32, ir.B32, ir.B32, ir.B32).Results
	d := &in.Args[0]
	if d.Kind == check.ArgPair { // the texels are resident
		l.set(&d.Elems[1], l.constant(ir.Pred, 1), ir.Pred)
		d = &d.Elems[0]
	}
	for i := range d.Elems {
		l.set(&d.Elems[i], results[i], as)
	}
	return true
}

var surfaceClamps = map[string]uint64{"trap": ir.SurfTrap, "clamp": ir.SurfClamp, "zero": ir.SurfZero}

// surface lowers suld.b and sust.b.
func (l *fn) surface(in *check.Instr) bool {
	f := in.Form
	g := geometries[f.Mod(check.Geometry)]
	s := &ir.Instr{Op: ir.OpSuld, As: irType(f.Type(0)), Imm: surfaceClamps[f.Mod(check.Mode2)]}
	if f.Mod(check.Mode) != "b" {
		return false
	}
	s.Sub = uint8(g)
	at, data := &in.Args[1], elements(&in.Args[0])
	if f.Op == "sust" {
		s.Op, at, data = ir.OpSust, &in.Args[0], elements(&in.Args[1])
	}
	var ok bool
	if s.Args, ok = l.object(at, g); !ok {
		return false
	}
	if s.Op == ir.OpSust {
		s.Args = append(s.Args, l.values(data)...)
		l.effect(s)
		return true
	}
	types := make([]ir.Type, len(data))
	for i := range types {
		types[i] = s.As.Value()
	}
	for i, v := range l.effect(s, types...).Results {
		l.set(&data[i], v, s.As)
	}
	return true
}
