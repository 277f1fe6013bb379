package check

import (
	"strconv"
	"strings"

	"github.com/tandem-go/tandem/internal/ptx"
)

// dims reads a shape such as m16n8k16.
func dims(shape string) (m, n, k int) {
	a, rest, _ := strings.Cut(strings.TrimPrefix(shape, "m"), "n")
	b, d, _ := strings.Cut(rest, "k")
	m, _ = strconv.Atoi(a)
	n, _ = strconv.Atoi(b)
	k, _ = strconv.Atoi(d)
	return m, n, k
}

// fragment returns type and number of the registers that hold one thread's share of a matrix: a, b, c or d of that
// shape and element type (PTX ISA, Matrix Fragments for WMMA; Matrix Fragments for mma).
func fragment(shape string, which byte, t ptx.Type, wmma bool) (reg ptx.Type, count int) {
	m, n, k := dims(shape)
	elems := m * n
	switch which {
	case 'a':
		elems = m * k
	case 'b':
		elems = n * k
	}
	switch {
	case t == ptx.F64:
		return ptx.F64, elems / 32
	case which == 'c' || which == 'd':
		if shape == "m8n8k4" { // four products side by side
			elems *= 4
		}
		switch t {
		case ptx.F16:
			return ptx.F16x2, elems / 64
		case ptx.F32:
			return ptx.F32, elems / 32
		}
		return ptx.S32, elems / 32
	case wmma && t == ptx.F16:
		return ptx.F16x2, 8 // elements are held twice
	case !wmma && t == ptx.F16 && shape == "m8n8k4":
		return ptx.F16x2, 2
	}
	return ptx.B32, max(elems*t.Bits()/(32*32), 1)
}

// share checks the vector of registers of one matrix.
func (c *funcChecker) share(in *Instr, a *Arg, which byte, t ptx.Type) {
	shape := in.Form.Mod(Shape)
	reg, count := fragment(shape, which, t, in.Form.Op == "wmma")
	list := a.Elems
	switch {
	case a.Kind == ArgReg && count == 1:
		list = []Arg{*a}
	case a.Kind != ArgVec || len(list) != count:
		c.errorf(a.Pos, "%s: matrix %c of .%s is a vector of %s", in.Src.Name, which, t, plural(count, "register"))
		return
	}
	for i := range list {
		if e := &list[i]; e.Kind != ArgReg && !(e.Kind == ArgImm && which != 'd') || e.Kind == ArgReg && !packs(reg, e.Type) {
			c.errorf(e.Pos, "%s: register %d of matrix %c has to be .%s", in.Src.Name, i, which, reg)
		}
	}
}

// packs reports whether a register can hold a part of a matrix.
func packs(want, reg ptx.Type) bool {
	if want == ptx.F16x2 && reg.Bits() == 32 && reg != ptx.F32 {
		return true
	}
	return fits(want, reg, false)
}

// wmmaShapes are the shapes that element types of wmma come with.
var wmmaShapes = map[ptx.Type]string{
	ptx.F16: "m16n16k16 m8n32k16 m32n8k16", ptx.BF16: "m16n16k16 m8n32k16 m32n8k16", ptx.S8: "m16n16k16 m8n32k16 m32n8k16",
	ptx.U8: "m16n16k16 m8n32k16 m32n8k16", ptx.TF32: "m16n16k8", ptx.F64: "m8n8k4", ptx.S4: "m8n8k32", ptx.U4: "m8n8k32",
	ptx.B1: "m8n8k128", ptx.F32: "m16n16k16 m8n32k16 m32n8k16 m16n16k8",
	ptx.S32: "m16n16k16 m8n32k16 m32n8k16 m8n8k32 m8n8k128",
}

// checkWmma: PTX ISA, wmma.load and wmma.store.
func checkWmma(c *funcChecker, in *Instr) {
	f := in.Form
	t := f.Type(0)
	if !strings.Contains(" "+wmmaShapes[t]+" ", " "+f.Mod(Shape)+" ") {
		c.errorf(in.Src.Pos, "%s: no matrices of .%s have shape %s", in.Src.Name, t, f.Mod(Shape))
		return
	}
	regs := 0
	if f.Mod(Mode) == "store" {
		regs = 1
	}
	c.share(in, &in.Args[regs], f.Mod(Mode2)[0], t)
}

// checkWmmaF16 is wmma.mma on .f16, whose name has the types of d and c only.
func checkWmmaF16(c *funcChecker, in *Instr) {
	f := in.Form
	for i, t := range []ptx.Type{f.Type(0), ptx.F16, ptx.F16, f.Type(1)} {
		c.share(in, &in.Args[i], "dabc"[i], t)
	}
}

// checkMma is mma, or wmma.mma, with four types in its name.
func checkMma(c *funcChecker, in *Instr) {
	for i := range in.Args {
		c.share(in, &in.Args[i], "dabc"[i], in.Form.Type(i))
	}
}

// checkLdmatrix: PTX ISA, ldmatrix and stmatrix: one register for each matrix.
func checkLdmatrix(c *funcChecker, in *Instr) {
	regs := 0
	if in.Form.Op == "stmatrix" {
		regs = 1
	}
	c.results(in, &in.Args[regs], int(in.Form.Mod(Level)[1]-'0'), ptx.B32)
}
