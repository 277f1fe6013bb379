package ir

import "fmt"

// MmaType is the type of the elements of a matrix of Mma.
type MmaType uint8

// The element types. MmaTF32 is f32 of which the low 13 bits do not count. MmaB1 are single bits.
const (
	MmaF16 MmaType = iota + 1
	MmaBF16
	MmaTF32
	MmaF32
	MmaF64
	MmaS8
	MmaU8
	MmaS4
	MmaU4
	MmaB1
	MmaS32
)

var mmaBits = [...]int{0, 16, 16, 32, 32, 64, 8, 8, 4, 4, 1, 32}

// Bits is the width of an element, 0 if t is no type.
func (t MmaType) Bits() int {
	if int(t) < len(mmaBits) {
		return mmaBits[t]
	}
	return 0
}

// Packed is how many elements lie in one register: of 64 bits for MmaF64, else of 32.
func (t MmaType) Packed() int {
	if t == MmaF64 {
		return 1
	}
	return 32 / max(t.Bits(), 1)
}

// Mma is the form of an OpMma: D = A×B + C, where A has M rows and K columns, B has K rows and 8 columns, C and D have M
// rows and 8 columns.
//
// Lane l holds of each matrix the part that the PTX ISA (Matrix Fragments for mma) gives it, with g = l/4, t = l%4 and p
// elements in a register, the first in the low bits. Element e of register r is
//
//	of A: row g + 8·(r mod M/8), column 4p·(r div M/8) + p·t + e
//	of B: row 4p·r + p·t + e, column g
//	of C and D: with i = p·r + e, row g + 8·(i div 2), column 2t + i mod 2
type Mma struct {
	// M is 8 or 16, K the inner extent.
	M, K       int
	A, B, C, D MmaType
	// Saturate clamps sums of integers to 32 bits; otherwise they wrap around. And takes the bits that two elements of
	// MmaB1 share, otherwise those in which they differ are counted.
	Saturate, And bool
}

// Layout of the Imm of an OpMma.
const (
	mmaK        = 8
	mmaA        = 20
	mmaB        = 24
	mmaC        = 28
	mmaD        = 32
	mmaSaturate = 36
	mmaAnd      = 37
)

// Encode is the Imm of an OpMma of form m.
func (m Mma) Encode() uint64 {
	imm := uint64(m.M) | uint64(m.K)<<mmaK | uint64(m.A)<<mmaA | uint64(m.B)<<mmaB | uint64(m.C)<<mmaC | uint64(m.D)<<mmaD
	if m.Saturate {
		imm |= 1 << mmaSaturate
	}
	if m.And {
		imm |= 1 << mmaAnd
	}
	return imm
}

// DecodeMma undoes Encode.
func DecodeMma(imm uint64) Mma {
	t := func(shift int) MmaType { return MmaType(imm >> shift & 15) }
	return Mma{
		M: int(imm & 0xff), K: int(imm >> mmaK & 0xfff), A: t(mmaA), B: t(mmaB), C: t(mmaC), D: t(mmaD),
		Saturate: imm>>mmaSaturate&1 == 1, And: imm>>mmaAnd&1 == 1,
	}
}

// Registers are the numbers of registers in which a lane holds A, B, C and D.
func (m Mma) Registers() (a, b, c, d int) {
	of := func(elements int, t MmaType) int { return elements / 32 / t.Packed() }
	return of(m.M*m.K, m.A), of(m.K*8, m.B), of(m.M*8, m.C), of(m.M*8, m.D)
}

// valid says what is wrong with the form, "" if nothing.
func (m Mma) valid() string {
	for _, t := range []MmaType{m.A, m.B, m.C, m.D} {
		if t.Bits() == 0 {
			return "a matrix without element type"
		}
	}
	switch {
	case m.M != 8 && m.M != 16:
		return fmt.Sprintf("%d rows", m.M)
	case m.K == 0 || m.K%(4*m.A.Packed()) != 0 || m.A.Bits() != m.B.Bits():
		return fmt.Sprintf("inner extent %d", m.K)
	case m.A == MmaF32 || m.A == MmaS32 || m.B == MmaF32 || m.B == MmaS32:
		return "factors of type f32 or s32"
	}
	sums := func(t MmaType) bool {
		switch m.A {
		case MmaF16:
			return t == MmaF16 || t == MmaF32
		case MmaBF16, MmaTF32:
			return t == MmaF32
		case MmaF64:
			return t == MmaF64
		}
		return t == MmaS32
	}
	if !sums(m.C) || !sums(m.D) {
		return "sums of a type that these factors do not have"
	}
	return ""
}

var mmaValues = map[MmaType]Type{MmaF16: F16, MmaF32: F32, MmaF64: F64, MmaS32: S32}

func ruleMma(_ *Kernel, _ *Func, in *Instr) string {
	m := DecodeMma(in.Imm)
	if why := m.valid(); why != "" || m.Encode() != in.Imm {
		return "no such product of matrices: " + why
	}
	if mmaValues[m.D] != in.As {
		return "the type is not that of the result"
	}
	a, b, c, d := m.Registers()
	if len(in.Args) != a+b+c+1 || len(in.Results) != d {
		return fmt.Sprintf("want %d, %d and %d registers and a mask, and %d results", a, b, c, d)
	}
	want := func(vs []*Value, t MmaType) bool {
		for _, v := range vs {
			if (v.Type == B64) != (t == MmaF64) || v.Type != B64 && v.Type != B32 {
				return false
			}
		}
		return true
	}
	if !want(in.Args[:a+b], m.A) || !want(in.Args[a+b:a+b+c], m.C) || !want(in.Results, m.D) || in.Args[a+b+c].Type != B32 {
		return "registers of the wrong width"
	}
	return ""
}

// MbarrierKind is the Sub of Mbarrier (PTX ISA, mbarrier). The barrier is 64 bits of shared memory: from bit 0 on the
// number of arrivals that the phase still waits for, from MbarrierExpected on what it begins with, each MbarrierCount
// bits, from MbarrierBytes on the transactions that are to come, and in bit 63 the parity of the phase. A phase is
// complete when both numbers are 0.
type MbarrierKind uint8

// The kinds. Init and those with Expect or Complete, ArriveExpect and DropExpect take a number of transactions or
// arrivals; Arrive and Drop a number of arrivals, the others arrive once. The arriving kinds give the barrier's bits
// before, which MbarrierTest compares the phase with; MbarrierParity takes the parity.
const (
	MbarrierInit MbarrierKind = iota + 1
	MbarrierExpect
	MbarrierComplete
	MbarrierArrive
	MbarrierDrop
	MbarrierArriveExpect
	MbarrierDropExpect
	MbarrierTest
	MbarrierParity
)

// The fields of a barrier.
const (
	MbarrierCount    = 20
	MbarrierExpected = 20
	MbarrierBytes    = 40
	MbarrierPhase    = 63
)

func ruleMbarrier(_ *Kernel, _ *Func, in *Instr) string {
	results, operand := []Type{}, B32
	switch kind := MbarrierKind(in.Sub); kind {
	case MbarrierArrive, MbarrierDrop, MbarrierArriveExpect, MbarrierDropExpect:
		results = []Type{B64}
	case MbarrierTest, MbarrierParity:
		results = []Type{Pred}
		if kind == MbarrierTest {
			operand = B64
		}
	}
	switch {
	case len(in.Results) != len(results) || len(results) > 0 && in.Results[0].Type != results[0]:
		return fmt.Sprintf("want results %v", results)
	case in.Args[1].Type != operand:
		return "want an operand of type " + operand.String()
	case in.Space != SpaceShared && in.Space != SpaceGeneric:
		return "a barrier in space " + in.Space.String()
	}
	return ""
}

// TexGeometry is the Sub of Tex, Suld and Sust.
type TexGeometry uint8

// The geometries (PTX ISA, tex). An A stands for an array of layers; its index comes before the coordinates.
const (
	Tex1D TexGeometry = iota + 1
	Tex2D
	Tex3D
	TexA1D
	TexA2D
	TexCube
	TexACube
)

// Layered reports whether a layer is named.
func (g TexGeometry) Layered() bool { return g == TexA1D || g == TexA2D || g == TexACube }

// Coordinates is the number of coordinates besides the layer, 0 if there is no such geometry.
func (g TexGeometry) Coordinates() int {
	switch g {
	case Tex1D, TexA1D:
		return 1
	case Tex2D, TexA2D:
		return 2
	case Tex3D, TexCube, TexACube:
		return 3
	}
	return 0
}

// What Imm says of Tex: TexFetch reads the first level of detail, TexGather and the three behind it one channel of the four
// texels that a linear filter would read. TexLevel takes one more operand, the level of detail, of the coordinates' type, and
// TexGrad two vectors of F32, as long as the coordinates: what these change by from one point to the next, in two directions.
const (
	TexFetch  = 0
	TexGather = 1
	TexLevel  = 5
	TexGrad   = 6
)

// What Imm says of Suld and Sust about coordinates outside the surface.
const (
	SurfTrap = iota
	SurfClamp
	SurfZero
)

// ruleTex: (B64 object, [B32 layer,] B32 coordinates…[, B32 level or gradients…]) → four B32.
func ruleTex(_ *Kernel, _ *Func, in *Instr) string {
	more := 0
	switch in.Imm {
	case TexLevel:
		more = 1
	case TexGrad:
		more = 2 * TexGeometry(in.Sub).Coordinates()
	}
	if why := ruleObject(in, more); why != "" {
		return why
	}
	for _, v := range in.Args[len(in.Args)-more:] {
		if v.Type != B32 {
			return "levels and gradients have 32 bits"
		}
	}
	if len(in.Results) != 4 || in.Imm > TexGrad {
		return "want four results"
	}
	return ""
}

// ruleSuld: (B64 object, [B32 layer,] B32 coordinates…) → 1, 2 or 4 values; x is in bytes.
func ruleSuld(_ *Kernel, _ *Func, in *Instr) string {
	if why := ruleObject(in, 0); why != "" {
		return why
	}
	return vector(in.As, in.Results)
}

// ruleSust: as Suld, with the values last.
func ruleSust(_ *Kernel, _ *Func, in *Instr) string {
	n := len(in.Args) - 1 - TexGeometry(in.Sub).operands()
	if n < 1 {
		return "nothing to store"
	}
	if why := ruleObject(in, n); why != "" {
		return why
	}
	return vector(in.As, in.Args[len(in.Args)-n:])
}

func (g TexGeometry) operands() int {
	if g.Layered() {
		return g.Coordinates() + 1
	}
	return g.Coordinates()
}

// ruleObject checks the object and the coordinates; behind them stand more operands.
func ruleObject(in *Instr, more int) string {
	n := TexGeometry(in.Sub).operands()
	if n == 0 || len(in.Args) != 1+n+more || in.Args[0].Type != B64 {
		return "want an object and coordinates"
	}
	for _, v := range in.Args[1 : 1+n] {
		if v.Type != B32 {
			return "coordinates have 32 bits"
		}
	}
	return ""
}
