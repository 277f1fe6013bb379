package jit

import (
	"cmp"
	"slices"

	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// This file compiles loops that were unrolled: where a lane loads four words that lie side by side, at an index of its own, they
// are loaded together, lane by lane, and transposed. A vector gather loads its words one by one all the same, so this
// takes a quarter of the loads. The four are checked together, where the first of them stands.

// quad is four loads of one word each from addresses that follow one another.
type quad struct {
	parts *index
	loads [4]*ir.Instr // in the order of their addresses
	low   int64        // from the base, beside the index: the first byte
	first *ir.Instr    // that is executed
	slot  int32        // in the frame, for the words: 128 bytes for each load
}

const quadBytes = 4 * 128

// findQuads finds the quads of all blocks and makes room for their words in the frame.
func (e *emitter) findQuads() {
	type key struct {
		v, base int
		shift   uint8
		signed  bool
	}
	e.quads = map[*ir.Instr]*quad{}
	most := int32(0)
	for _, b := range e.p.f.Blocks {
		open, n := map[key][]*ir.Instr{}, int32(0)
		close := func() {
			for _, loads := range open {
				n += e.pickQuads(loads, e.frame+n*quadBytes)
			}
			clear(open)
		}
		for _, in := range b.Instrs {
			switch {
			case in.Op.Effect() && in.Op != ir.OpLoad, in.Op == ir.OpLoad && in.Order != ir.Weak:
				close() // loads must not go past it
			case e.quadable(in):
				x := e.p.indexOf(in)
				k := key{x.v.ID, x.base.ID, x.shift, x.signed}
				open[k] = append(open[k], in)
			}
		}
		close()
		most = max(most, n)
	}
	if most > 0 {
		e.frame = int32(frameSize(int(e.frame + most*quadBytes)))
	}
}

// quadable tells that in may be one of a quad.
func (e *emitter) quadable(in *ir.Instr) bool {
	x := e.p.indexOf(in)
	if in.Op != ir.OpLoad || x == nil || x.base == nil || x.shift > 3 || in.Guard != nil || len(in.Results) != 1 || in.As.Bytes() != 4 || in.Space == ir.SpaceShared {
		return false
	}
	v := e.of(in.Results[0])
	return v.class == vector && !v.wide()
}

// pickQuads makes quads of loads by one index, whose words lie in the frame from a place on, and returns how many.
func (e *emitter) pickQuads(loads []*ir.Instr, slot int32) (n int32) {
	at := func(in *ir.Instr) int64 { return e.p.indexOf(in).add + int64(in.Imm) }
	sorted := slices.Clone(loads)
	slices.SortStableFunc(sorted, func(a, b *ir.Instr) int { return cmp.Compare(at(a), at(b)) })
	for i := 0; i+4 <= len(sorted); {
		four := sorted[i : i+4]
		if at(four[1]) != at(four[0])+4 || at(four[2]) != at(four[0])+8 || at(four[3]) != at(four[0])+12 {
			i++
			continue
		}
		q := &quad{parts: e.p.indexOf(four[0]), loads: [4]*ir.Instr(four), low: at(four[0]), slot: slot + n*quadBytes}
		q.first = loads[slices.IndexFunc(loads, func(in *ir.Instr) bool { return slices.Contains(four, in) })]
		for _, in := range four {
			e.quads[in] = q
		}
		n, i = n+1, i+4
	}
	return n
}

// loadQuad emits a load of a quad: all of it where it is the first that is executed, which leaves the words in the frame.
func (e *emitter) loadQuad(in *ir.Instr, q *quad) {
	if in == q.first {
		e.checkQuad(in, q)
		e.quadIndices(q)
		for half := range 2 {
			e.transposeQuad(q, half)
		}
		e.giveBack()
	}
	v := e.of(in.Results[0])
	if v.home.kind == nowhere {
		return
	}
	for half := range 2 {
		d := e.dst(v, half)
		e.RRM(amd64.VMOVUPS, d, 0, amd64.At(frameReg, q.words(slices.Index(q.loads[:], in), half)), zmm)
		e.out(v, half, d)
	}
}

// words is the place of the words of 16 lanes.
func (q *quad) words(load, half int) int32 { return q.slot + int32(128*load+64*half) }

// checkQuad emits the check of a quad. RDX is then the base, and temp1 the number of words from the beginning of the region to the
// first word of index 0.
func (e *emitter) checkQuad(in *ir.Instr, q *quad) {
	known, tries := e.slot(knownBytes), e.slot(knownBytes)
	e.known = append(e.known, known, tries)
	x := &access{in: in, size: 4, n: 1, lanes: 1, known: known, each: known + 16, parts: q.parts, fail: e.NewLabel()}
	x.offset = q.low - q.parts.add
	retry := e.NewLabel()
	e.Bind(retry)
	e.checkIndexed(x)
	e.learn(site{
		kind: siteGroup, in: in, access: int(known), each: int(x.each), member: -1, size: 4, reach: 16,
		least: q.low - e.p.indexOf(in).add - int64(in.Imm),
	}, tries, x.fail, retry, e.other())
}

// quadIndices puts the indices of the lanes into the frame; of lanes that do not execute, that of the first word of the region.
func (e *emitter) quadIndices(q *quad) {
	e.op(amd64.VPXORD, temp0, temp0, temp0)
	e.op(amd64.VPSUBD, temp1, temp0, temp1)
	for half := range 2 {
		e.op(amd64.VMOVDQA32, temp0, 0, temp1)
		e.RRR(amd64.VMOVDQA32, temp0, 0, e.vectorIn(e.of(q.parts.v), half, temp2), under(amd64.KReg(1+half)))
		e.RRM(amd64.VMOVUPSStore, temp0, 0, amd64.At(frameReg, lanePlace(0)+64*int32(half)), zmm)
	}
}

// transposeQuad loads the words of 16 lanes and puts them into the frame, those of each load together.
func (e *emitter) transposeQuad(q *quad, half int) {
	const ax, dx = amd64.RAX, amd64.RDX
	rows := [4]amd64.VReg{temp0, temp1, temp2, temp3}
	for r, d := range rows {
		for j := range 4 { // the four words of lane 4j+r are one part of row r
			e.MovSXM(amd64.W64, amd64.W32, ax, amd64.At(frameReg, lanePlace(0)+int32(64*half+4*(4*j+r))))
			m := amd64.AtIndex(dx, ax, 1<<q.parts.shift, int32(q.low))
			if j == 0 {
				e.RRM(amd64.VMOVUPS, d, 0, m, amd64.Opt{L: amd64.L128})
			} else {
				e.RRMI(amd64.VINSERTI32X4, d, d, m, uint8(j), zmm)
			}
		}
	}
	lo, hi := e.free(0), e.free(1)
	e.op(amd64.VPUNPCKLDQ, lo, temp0, temp1)
	e.op(amd64.VPUNPCKHDQ, hi, temp0, temp1)
	e.op(amd64.VPUNPCKLDQ, temp0, temp2, temp3)
	e.op(amd64.VPUNPCKHDQ, temp1, temp2, temp3)
	for i, row := range []*amd64.Row{amd64.VPUNPCKLQDQ, amd64.VPUNPCKHQDQ, amd64.VPUNPCKLQDQ, amd64.VPUNPCKHQDQ} {
		from := [2][2]amd64.VReg{{lo, temp0}, {hi, temp1}}[i/2]
		e.op(row, temp2, from[0], from[1])
		e.RRM(amd64.VMOVUPSStore, temp2, 0, amd64.At(frameReg, q.words(i, half)), zmm)
	}
}
