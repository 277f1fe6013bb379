//go:build linux && (amd64 || arm64)

package jit

import "github.com/tandem-go/tandem/internal/ir"

// gen is a general register by the number that the plan gives it, vec a vector register of eight lanes of 32 bits, or four
// of 64: a quarter of a warp. A processor with narrower registers takes several of them for one.
type (
	gen   uint8
	vec   uint8
	label int
)

// General registers with a duty on every processor. acc, second and third are scratch.
const (
	acc      gen = 0
	second   gen = 1
	third    gen = 2
	frameGen gen = 7
	areaGen  gen = 6
	// curGen holds the lanes that execute.
	curGen gen = 15
)

// vecs is the number of vector registers that the emitter may use; those above are the processor's own.
const vecs = 14

// place is an operand in memory.
type place struct {
	base gen
	disp int32
}

func (p place) plus(n int32) place { return place{p.base, p.disp + n} }

// source is an operand: a vector register or a vector in memory.
type source struct {
	reg   vec
	at    place
	inMem bool
}

func inReg(r vec) source   { return source{reg: r} }
func inMem(p place) source { return source{at: p, inMem: true} }

// aluOp is an operation of two general registers.
type aluOp uint8

const (
	aluAdd aluOp = iota
	aluSub
	aluAnd
	aluOr
	aluXor
	aluMul
)

type shiftOp uint8

const (
	shiftLeft shiftOp = iota
	shiftRight
	shiftSigned
)

// condition is what a comparison or test may be asked for.
type condCode uint8

const (
	ifEqual condCode = iota
	ifNot
	ifLess
	ifLessEqual
	ifGreater
	ifGreaterEqual
	ifBelow
	ifBelowEqual
	ifAbove
	ifAboveEqual
)

// vecOp is an operation on vectors.
type vecOp uint8

const (
	vAdd vecOp = iota
	vSub
	vMul
	vMinS
	vMaxS
	vMinU
	vMaxU
	vEqual   // all ones where it holds
	vGreater // signed
	vAbove   // unsigned
	vAnd
	vOr
	vXor
	vClear // a without the bits of b
	vFAdd
	vFSub
	vFMul
	vFDiv
	vFMore    // a where it is greater than b, else b: also where one is a NaN
	vFLess    // a where it is less
	vProductS // of the low halves of lanes of 64 bits
	vProductU
	// Operations of one operand.
	vFSqrt
	vAbs
	vToSingle // of signed integers of 32 bits, in the rounding that is set
	vIntegral // floats of 32 bits rounded to integral values; see isa.integral
	vPopulation
)

// streamer is an isa with stores past the caches, of vectors at multiples of their size; fenceStores orders them.
type streamer interface {
	vstorePast(m place, s vec)
	fenceStores()
}

// isa is what the emitter for quarters of warps asks of a processor.
//
// Destinations of vector instructions are not operands of the same instruction, except where both are the first: d = d op b.
// Nothing but comparisons and what says so changes the condition that branch, setIf and moveIf ask for; they follow it at
// once, behind moves, loads and stores at most.
type isa interface {
	newLabel() label
	bind(l label)
	position(l label) int
	finish() ([]byte, error)
	// reserve makes room for about so many bytes of code, in room if that is as large.
	reserve(room []byte, bytes int)
	// useConstants says where vectors of the block's area are made.
	useConstants(vector func(b []byte) place)

	move(d, s gen)
	move32(d, s gen) // with zeroes above
	set(d gen, v uint64)
	load(d gen, n int, m place) // with zeroes above
	loadSigned(d gen, n int, wide bool, m place)
	store(n int, m place, s gen)
	storeImm(m place, v int32)         // 32 bits
	alu(op aluOp, wide bool, d, s gen) // d = d op s, without a condition
	aluImm(op aluOp, wide bool, d gen, v int64)
	aluMem(op aluOp, wide bool, d gen, m place)
	memALU(op aluOp, m place, s gen)   // 32 bits
	countDown(m place, negative label) // 32 bits: one less, and a branch if that is negative
	negate(wide bool, d gen)
	invert(wide bool, d gen)
	mulHigh(wide, signed bool)           // acc = the high half of acc * second; third is lost
	divide(wide, signed, remainder bool) // acc = acc / second as PTX has it; third is lost
	shift(op shiftOp, wide bool)         // acc = acc shifted by second as PTX has it; third is lost
	shiftImm(op shiftOp, wide bool, d gen, n uint8)
	extend(d, s gen, from int, signed, wide bool) // of 8, 16 or 32 bits
	population(wide bool, d, s gen)
	leadingZeroes(wide bool, d, s gen)
	compare(wide bool, a, b gen)
	compareImm(wide bool, a gen, v int64)
	compareMem(wide bool, a gen, m place)
	compareMemImm(m place, v int32) // 32 bits
	test(a, b gen)                  // 32 bits
	branch(c condCode, l label)
	jump(l label)
	jumpTo(r gen)
	setIf(c condCode, d gen)
	moveIf(c condCode, d, s gen)
	address(d gen, l label)
	offset(wide bool, d, s gen, n int32) // d = s + n
	fence()
	// compareAndSwap stores third at m if acc is there, else it loads that into acc and jumps; all memory accesses before and
	// after it stay on their side.
	compareAndSwap(wide bool, m place, again label)
	prefetch(m place, write bool) // asks for a line of memory
	leave(v uint64)

	vload(d vec, m place)
	vstore(m place, s vec)
	vmove(d, s vec)
	zero(d vec)
	broadcast(wide bool, d vec, m place)
	fromGeneral(wide bool, d vec, s gen)
	toGeneral(wide bool, d gen, s vec) // of the first lane
	op2(op vecOp, wide bool, d, a vec, b source)
	op1(op vecOp, wide bool, d vec, a source)
	multiplyAdd(wide, negative bool, d, a vec, b source)  // d = d ± a*b, rounded once
	addToProduct(wide, negative bool, d, a vec, b source) // d = b ± d*a, rounded once
	minMax(max, wide bool, d, a, b vec)                   // of floats, as PTX has it without .NaN
	compareFloats(c ir.Cmp, wide bool, d, a vec, b source)
	blend(d, mask, a, b vec) // a where mask has ones, else b
	shiftVector(op shiftOp, wide bool, d, a vec, n uint8)
	shiftBy(op shiftOp, wide bool, d, a, n vec) // as PTX has it
	integral(mode ir.Round, d, a vec)
	toInteger(signed bool, d, a vec) // of integral floats, clamped; 0 of a NaN
	widen(d vec, a source, half int, signed bool)
	narrow(d, lo, hi vec)
	toDouble(d vec, a source, half int)
	toHalfWidth(d, lo, hi vec) // of doubles to floats of 32 bits
	fromHalf(d, a vec)         // f16 in the low 16 bits of 32 to f32
	toHalf(d, a vec)           // f32 to f16, zeroes above
	// bits is one bit for each lane of a mask of 32 bits; expand is its inverse, of the byte of s for a quarter.
	bits(d gen, mask vec)
	expand(d vec, s gen, quarter int)
	loadSmall(d vec, n int, signed bool, m place) // 8 elements of n bytes, extended to 32 bits
	storeMasked(wide bool, m place, s, mask vec)
	// gathers load where mask has ones, and give zero elsewhere: elements of 4 bytes at base plus indices of 32 bits times 1 <<
	// shift, which is at most 3; elements of 4 bytes at eight addresses in two registers, plus a displacement; elements of 8
	// bytes at four addresses. third is lost, and so may be mask.
	gather(d vec, base place, shift uint8, indices, mask vec)
	gatherPair(d vec, disp int32, lo, hi, mask vec)
	gatherWide(d vec, disp int32, addresses, mask vec)
	// setRounding and defaultRounding bracket instructions that round otherwise.
	setRounding(r ir.Round)
	defaultRounding()
}
