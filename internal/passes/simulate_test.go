package passes_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/passes"
)

// TestFactsHold runs random programs on any control flow, irreducible included, with the lanes of a warp in lockstep and
// the first group first, and compares what the analyses say with what the lanes have at every block they come to.
func TestFactsHold(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	shapes := []passes.Shape{{}, {64, 1, 1}, {16, 16, 1}, {8, 2, 4}, {1, 64, 1}, {24, 2, 1}}
	uniform, affine := 0, 0
	for range 500 {
		f, tree := randomProgram(r)
		require.NoError(t, ir.Verify(&ir.Kernel{Name: "k", Funcs: []*ir.Func{f}}), f)
		shape := shapes[r.IntN(len(shapes))]
		lanes := 8 << r.IntN(3)
		s := &simulation{t: t, f: f, tree: tree, shape: shape, lanes: lanes}
		if shape[0] == 0 {
			s.shape = passes.Shape{40, 2, 2} // unknown to the analysis
		}
		s.u = passes.Uniformity(f, shape, lanes)
		s.a = passes.FindAffine(s.u)
		s.run(r.IntN(2))
		uniform += s.uniform
		affine += s.affine
	}
	require.Greater(t, uniform, 10000, "too few facts to mean anything")
	require.Greater(t, affine, 2000)
}

// randomProgram makes a function of blocks with two parameters each, sums, comparisons and branches on them.
func randomProgram(r *rand.Rand) (*ir.Func, *ir.DomTree) {
	f := ir.NewFunc("k")
	n := 3 + r.IntN(9)
	for range n {
		f.NewBlock()
	}
	blocks := append([]*ir.Block(nil), f.Blocks...)
	terms := make([]*ir.Instr, n)
	for i, b := range blocks {
		target := func() ir.Edge { return ir.Edge{To: blocks[1+r.IntN(n-1)]} }
		terms[i] = &ir.Instr{Op: ir.OpRet}
		switch r.IntN(8) {
		case 0:
		case 1, 2:
			terms[i] = &ir.Instr{Op: ir.OpBr, Targets: []ir.Edge{target()}}
		default:
			terms[i] = &ir.Instr{Op: ir.OpCondBr, Targets: []ir.Edge{target(), target()}}
		}
		f.Emit(b, terms[i])
	}
	f.SortBlocks()
	if r.IntN(4) > 0 {
		f.AddLatches()
	}
	tree := ir.NewDomTree(f)
	have := map[*ir.Block][]*ir.Value{}
	for _, b := range f.Blocks {
		if b.Order > 0 {
			f.NewBlockParam(b, ir.B32)
			f.NewBlockParam(b, ir.B32)
			have[b] = append(append(have[b], have[tree.Idom[b.Order]]...), b.Params...)
		}
		if b.ID >= n { // a latch
			have[b] = append(have[b], b.Params...)
			continue
		}
		body(r, f, b, terms[b.ID], have)
	}
	for _, b := range f.Blocks {
		if t := b.Terminator(); t.Op == ir.OpRet {
			continue
		}
		for i := range b.Succs() {
			e := &b.Succs()[i]
			for range e.To.Params {
				e.Args = append(e.Args, have[b][r.IntN(len(have[b]))])
			}
		}
	}
	return f, tree
}

// body fills b before its terminator, and keeps the values of 32 bits in have.
func body(r *rand.Rand, f *ir.Func, b *ir.Block, term *ir.Instr, have map[*ir.Block][]*ir.Value) {
	b.Instrs = nil
	emit := func(in *ir.Instr) {
		have[b] = append(have[b], f.Emit(b, in, ir.B32).Results[0])
	}
	pick := func() *ir.Value { return have[b][r.IntN(len(have[b]))] }
	if b.Order == 0 {
		for _, s := range []ir.SReg{ir.TidX, ir.TidY, ir.TidZ, ir.LaneID, ir.CtaidX} {
			emit(&ir.Instr{Op: ir.OpSpecial, As: ir.B32, Index: int(s)})
		}
		emit(&ir.Instr{Op: ir.OpConst, As: ir.B32})
	}
	emit(&ir.Instr{Op: ir.OpConst, As: ir.B32, Imm: uint64(r.IntN(5))})
	for range 1 + r.IntN(3) {
		op := []ir.Op{ir.OpAdd, ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpAnd, ir.OpShl}[r.IntN(6)]
		emit(&ir.Instr{Op: op, As: ir.S32, Args: []*ir.Value{pick(), pick()}})
	}
	if term.Op == ir.OpCondBr {
		cmp := &ir.Instr{Op: ir.OpSetp, As: ir.Pred, From: ir.S32, Args: []*ir.Value{pick(), pick()}}
		cmp.Cmp = []ir.Cmp{ir.Eq, ir.Lt, ir.Ge}[r.IntN(3)]
		term.Args = []*ir.Value{f.Emit(b, cmp, ir.Pred).Results[0]}
	}
	term.Block = b
	b.Instrs = append(b.Instrs, term)
}

// simulation is one warp in execution.
type simulation struct {
	t     *testing.T
	f     *ir.Func
	tree  *ir.DomTree
	u     *passes.Uniform
	a     *passes.Affines
	shape passes.Shape
	lanes int
	tid   [32][3]uint32
	value [32][]uint32
	at    [32]*ir.Block
	// uniform and affine count the facts that were compared.
	uniform, affine int
}

func (s *simulation) run(warp int) {
	threads := s.shape[0] * s.shape[1] * s.shape[2]
	for i := range 32 {
		n := uint32(warp*32 + i)
		if n >= threads {
			continue
		}
		s.tid[i] = [3]uint32{n % s.shape[0], n / s.shape[0] % s.shape[1], n / s.shape[0] / s.shape[1]}
		s.value[i] = make([]uint32, s.f.Values)
		s.at[i] = s.f.Blocks[0]
	}
	for range 60 {
		var first *ir.Block
		for _, b := range s.at {
			if b != nil && (first == nil || b.Order < first.Order) {
				first = b
			}
		}
		if first == nil {
			return
		}
		var group []int
		for i, b := range s.at {
			if b == first {
				group = append(group, i)
				s.block(i, b)
			}
		}
		s.compare(first, group)
		for _, i := range group {
			s.leave(i, first)
		}
	}
}

// block executes b up to its terminator on one lane.
func (s *simulation) block(lane int, b *ir.Block) {
	v := s.value[lane]
	for _, in := range b.Instrs[:len(b.Instrs)-1] {
		var x, y uint32
		if len(in.Args) == 2 {
			x, y = v[in.Args[0].ID], v[in.Args[1].ID]
		}
		var z uint32
		switch in.Op {
		case ir.OpConst:
			z = uint32(in.Imm)
		case ir.OpSpecial:
			switch r := ir.SReg(in.Index); r {
			case ir.LaneID:
				z = uint32(lane)
			case ir.CtaidX:
				z = 3
			default:
				z = s.tid[lane][r]
			}
		case ir.OpAdd:
			z = x + y
		case ir.OpSub:
			z = x - y
		case ir.OpMul:
			z = x * y
		case ir.OpAnd:
			z = x & y
		case ir.OpShl:
			z = x << y
		case ir.OpSetp:
			yes := map[ir.Cmp]bool{ir.Eq: x == y, ir.Lt: int32(x) < int32(y), ir.Ge: int32(x) >= int32(y)}[in.Cmp]
			if yes {
				z = 1
			}
		}
		v[in.Results[0].ID] = z
	}
}

// leave takes the lane to the next block.
func (s *simulation) leave(lane int, b *ir.Block) {
	term := b.Terminator()
	if term.Op == ir.OpRet {
		s.at[lane] = nil
		return
	}
	v := s.value[lane]
	e := term.Targets[0]
	if term.Op == ir.OpCondBr && v[term.Args[0].ID] == 0 {
		e = term.Targets[1]
	}
	args := make([]uint32, len(e.Args))
	for i, a := range e.Args {
		args[i] = v[a.ID]
	}
	for i, p := range e.To.Params {
		v[p.ID] = args[i]
	}
	s.at[lane] = e.To
}

// compare checks all values that are defined at b, for the lanes that are there together.
func (s *simulation) compare(b *ir.Block, group []int) {
	for d := b; d != nil; d = s.tree.Idom[d.Order] {
		vals := append([]*ir.Value(nil), d.Params...)
		for _, in := range d.Instrs {
			vals = append(vals, in.Results...)
		}
		for _, v := range vals {
			class, form := s.u.At(v, b), s.a.Of(v, b)
			for _, i := range group {
				j := i / s.lanes * s.lanes // the first lane of the part of the warp
				for s.at[j] != b {
					j++
				}
				x, y := s.value[i][v.ID], s.value[j][v.ID]
				if class < passes.Divergent {
					s.uniform++
					if x != y {
						s.t.Fatalf("b%d: v%d is %s, lanes %d and %d have %d and %d, %v\n%s", b.ID, v.ID, class, i, j, x, y, s.shape, s.f)
					}
				}
				if form != nil && v.Type == ir.B32 {
					s.affine++
					diff := x - y
					if want := uint32(s.linear(form, i) - s.linear(form, j)); diff != want {
						s.t.Fatalf("b%d: v%d is %+v, lanes %d and %d differ by %d, %v\n%s", b.ID, v.ID, form, i, j, diff, s.shape, s.f)
					}
					if form.Known && x != uint32(s.linear(form, i)+form.Const) {
						s.t.Fatalf("b%d: v%d is %+v, lane %d has %d\n%s", b.ID, v.ID, form, i, x, s.f)
					}
				}
			}
		}
	}
}

// linear is the part of a form that depends on the lane.
func (s *simulation) linear(a *passes.Affine, lane int) int64 {
	n := a.Lane * int64(lane)
	for i, c := range a.Tid {
		n += c * int64(s.tid[lane][i])
	}
	return n
}
