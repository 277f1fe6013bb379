package jit

import (
	"encoding/binary"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/engine/ops"
	"github.com/tandem-go/tandem/internal/ir"
)

// together emits a jump to the execution in Go unless the lanes of the warp that have not ended are all here.
func (e *emitter) together(in *ir.Instr, back amd64.Label) bool {
	run, err := ops.Compile(in)
	if err != nil {
		return false
	}
	out := e.NewLabel()
	e.laneBits(amd64.RAX, 1)
	e.AluRM(amd64.W32, amd64.CMP, amd64.RAX, amd64.At(frameReg, frameLive))
	e.Jcc(amd64.NE, out)
	e.leave(out, back, site{kind: siteEscape, in: in, run: run, member: ops.MemberMask(in)})
	return true
}

// vote emits a vote of the whole warp; false if it is not compiled.
func (e *emitter) vote(in *ir.Instr) bool {
	v, q := e.of(in.Results[0]), e.of(in.Args[0])
	back := e.NewLabel()
	if !e.p.uniformVote(in) || v.class == mask || !e.together(in, back) {
		return false
	}
	const ax, dx = amd64.RAX, amd64.RDX
	for half := range 2 {
		e.KKK(amd64.KANDW, amd64.KReg(5+half), e.maskIn(q, half, 7), amd64.KReg(1+half))
	}
	e.laneBits(ax, 5)
	e.MovRM(amd64.W32, dx, amd64.At(frameReg, frameLive))
	switch ir.VoteMode(in.Sub) {
	case ir.VoteAll:
		e.AluRR(amd64.W32, amd64.CMP, ax, dx)
		e.Setcc(amd64.E, ax)
	case ir.VoteAny:
		e.TestRR(amd64.W32, ax, ax)
		e.Setcc(amd64.NE, ax)
	case ir.VoteUni:
		e.AluRR(amd64.W32, amd64.CMP, ax, dx)
		e.Setcc(amd64.E, dx)
		e.TestRR(amd64.W32, ax, ax)
		e.Setcc(amd64.E, ax)
		e.AluRR(amd64.W32, amd64.OR, ax, dx)
	}
	if ir.VoteMode(in.Sub) != ir.VoteBallot {
		e.MovZX(amd64.W8, ax, ax)
	}
	e.scalarOut(v, ax)
	e.Bind(back)
	return true
}

// warpSync emits a meeting of the whole warp: nothing where all lanes are here; false if it is not compiled.
func (e *emitter) warpSync(in *ir.Instr) bool {
	m := e.of(in.Args[0])
	if in.Guard != nil || m.class != constant || m.imm != allLanes {
		return false
	}
	back := e.NewLabel()
	if !e.together(in, back) {
		return false
	}
	e.Bind(back)
	return true
}

// shuffle emits a shuffle of a full warp in segments of 32 lanes; false if it is not compiled. When a lane is missing it
// is executed in Go.
func (e *emitter) shuffle(in *ir.Instr) bool {
	v, inside := e.of(in.Results[0]), e.of(in.Results[1])
	a, b, c := e.of(in.Args[0]), e.of(in.Args[1]), e.of(in.Args[2])
	run, err := ops.Compile(in)
	if err != nil || in.Guard != nil || c.class != constant || c.imm>>8&31 != 0 || v.class != vector && v.class != unused || inside.class == flag {
		return false
	}
	out, back := e.NewLabel(), e.NewLabel()
	// Lanes that have ended may be missing where all are named.
	m := e.of(in.Args[3])
	some := m.class == constant && m.imm == allLanes
	if some {
		e.together(in, back)
		e.RG(amd64.VPBROADCASTDG, e.free(0), amd64.RAX, zmm)
	} else {
		e.KKK(amd64.KANDW, 7, 1, 2)
		e.KKK(amd64.KORTESTW, 7, 0, 7)
		e.Jcc(amd64.AE, out)
		e.leave(out, back, site{kind: siteEscape, in: in, run: run, member: ops.MemberMask(in)})
	}
	lane := &value{v: in.Results[0], class: scalar, s: 1, d: 16}
	cast := zmm
	cast.Bcast = true
	for half := range 2 {
		// temp3 becomes the lane to read.
		e.RRM(amd64.VPANDD, temp3, e.bitsIn(b, half, temp2), amd64.At(blockReg, e.constant(31)), cast)
		e.RRM(amd64.VMOVUPS, temp2, 0, e.pattern(lane, half), zmm)
		const lessOrEqual, notLess = 2, 5
		cmp := uint8(lessOrEqual)
		switch ir.ShuffleMode(in.Sub) {
		case ir.ShflUp:
			e.RRR(amd64.VPSUBD, temp3, temp2, temp3, zmm)
			cmp = notLess
		case ir.ShflDown:
			e.RRR(amd64.VPADDD, temp3, temp2, temp3, zmm)
		case ir.ShflBfly:
			e.RRR(amd64.VPXORD, temp3, temp2, temp3, zmm)
		}
		e.KRMI(amd64.VPCMPD, amd64.KReg(5+half), temp3, amd64.At(blockReg, e.constant(c.imm&31)), cmp, cast)
		if some { // nothing comes from a lane that is not here
			e.op(amd64.VPSRLVD, temp1, e.free(0), temp3)
			e.rrk(amd64.VPTESTMD, 7, temp1, amd64.At(blockReg, e.constant(1)), cast)
			e.KKK(amd64.KANDW, amd64.KReg(5+half), amd64.KReg(5+half), 7)
		}
		e.RRR(amd64.VPBLENDMD, temp3, temp2, temp3, amd64.Opt{L: amd64.L512, K: amd64.KReg(5 + half)})
		x, y := e.bitsIn(a, 0, temp0), e.bitsIn(a, 1, temp1)
		e.RRR(amd64.VPERMI2D, temp3, x, y, zmm)
		if v.class == vector {
			e.out(v, half, temp3)
		}
	}
	if inside.class == mask {
		for half := range 2 {
			e.maskOut(inside, half, amd64.KReg(5+half))
		}
	}
	e.giveBack()
	e.Bind(back)
	return true
}

// lanemask emits a special register that is a number for each lane.
func (e *emitter) lanemask(v *value, of func(lane int) uint32) bool {
	if v.class != vector {
		return false
	}
	for part := range 2 {
		var b []byte
		for l := 16 * part; l < 16*part+16; l++ {
			b = binary.LittleEndian.AppendUint32(b, of(l))
		}
		d := e.dst(v, part)
		e.RRM(amd64.VMOVUPS, d, 0, amd64.At(blockReg, e.vectorConstant(b)), zmm)
		e.out(v, part, d)
	}
	return true
}
