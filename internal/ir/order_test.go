package ir_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ir"
)

// graph makes a function whose block i has edges to succ[i].
func graph(succ [][]int) *ir.Kernel {
	f := ir.NewFunc("k")
	for range succ {
		f.NewBlock()
	}
	blocks := f.Blocks
	for i, to := range succ {
		b := blocks[i]
		var edges []ir.Edge
		for _, j := range to {
			edges = append(edges, ir.Edge{To: blocks[j]})
		}
		switch len(to) {
		case 0:
			f.Emit(b, &ir.Instr{Op: ir.OpRet})
		case 1:
			f.Emit(b, &ir.Instr{Op: ir.OpBr, Targets: edges})
		default:
			c := f.Emit(b, &ir.Instr{Op: ir.OpConst, As: ir.B32}, ir.B32).Results[0]
			f.Emit(b, &ir.Instr{Op: ir.OpSwitch, Args: []*ir.Value{c}, Targets: edges})
		}
	}
	return &ir.Kernel{Name: "k", Funcs: []*ir.Func{f}}
}

func ids(f *ir.Func) (list []int) {
	for _, b := range f.Blocks {
		list = append(list, b.ID)
	}
	return list
}

func TestSortBlocks(t *testing.T) {
	tests := []struct {
		name string
		succ [][]int
		want []int
	}{
		{"straight", [][]int{{1}, {2}, {}}, []int{0, 1, 2}},
		{"diamond keeps the order of its arms", [][]int{{2, 1}, {3}, {3}, {}}, []int{0, 1, 2, 3}},
		{"unreachable blocks go", [][]int{{2}, {2}, {}}, []int{0, 2}},
		{"a loop comes before its exit", [][]int{{1}, {2, 3}, {}, {1}}, []int{0, 1, 3, 2}},
		{"two exits", [][]int{{1}, {2, 4}, {3}, {}, {5, 2}, {1}}, []int{0, 1, 4, 5, 2, 3}},
		{"nested loops", [][]int{{1}, {2, 6}, {3, 5}, {4}, {2}, {1}, {}}, []int{0, 1, 2, 3, 4, 5, 6}},
		{"the outer loop is left from the inner", [][]int{{1}, {2}, {1, 3, 2, 4}, {}, {3, 1}}, []int{0, 1, 2, 4, 3}},
		{"a loop of one block", [][]int{{2}, {}, {2, 1}}, []int{0, 2, 1}},
		{"a loop with two entries", [][]int{{1, 2}, {2}, {1, 3}, {}}, []int{0, 2, 1, 3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := graph(tt.succ)
			k.Funcs[0].SortBlocks()
			require.Equal(t, tt.want, ids(k.Funcs[0]))
			require.NoError(t, ir.Verify(k))
		})
	}
}

// reachable is the set of blocks reached from the first without passing through block avoid.
func reachable(f *ir.Func, avoid int) map[int]bool {
	seen := map[int]bool{}
	var visit func(b *ir.Block)
	visit = func(b *ir.Block) {
		if b.ID == avoid || seen[b.ID] {
			return
		}
		seen[b.ID] = true
		for _, e := range b.Succs() {
			visit(e.To)
		}
	}
	visit(f.Blocks[0])
	return seen
}

// TestRandomGraphs: on any graph, irreducible ones included, the sorted order verifies, and dominance is what its
// definition says.
func TestRandomGraphs(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		n := 2 + r.IntN(14)
		succ := make([][]int, n)
		for i := range succ {
			for range r.IntN(4) {
				succ[i] = append(succ[i], 1+r.IntN(n-1)) // never to the first
			}
		}
		k := graph(succ)
		f := k.Funcs[0]
		f.SortBlocks()
		require.NoError(t, ir.Verify(k), k)
		if r.IntN(2) == 0 {
			f.AddLatches()
			require.NoError(t, ir.Verify(k), k)
			requireLatches(t, f)
		}
		tree := ir.NewDomTree(f)
		for _, a := range f.Blocks {
			without := reachable(f, a.ID)
			for _, b := range f.Blocks {
				require.Equal(t, !without[b.ID], tree.Dominates(a, b), "b%d dominates b%d in\n%s", a.ID, b.ID, k)
			}
		}
	}
}

func TestAddLatches(t *testing.T) {
	tests := []struct {
		name string
		succ [][]int
		want []int
	}{
		{"one jump back needs none", [][]int{{1}, {2, 3}, {1}, {}}, []int{0, 1, 2, 3}},
		{"a loop of one block", [][]int{{1}, {1, 2}, {}}, []int{0, 1, 2}},
		{"two jumps back", [][]int{{1}, {2}, {1, 3}, {1, 4}, {}}, []int{0, 1, 2, 3, 5, 4}},
		{"a jump back from an inner loop", [][]int{{1}, {2}, {2, 1, 3}, {}}, []int{0, 1, 2, 4, 3}},
		{"both loops", [][]int{{1}, {2}, {3, 2, 1}, {2, 1, 4}, {}}, []int{0, 1, 2, 3, 6, 5, 4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := graph(tt.succ)
			f := k.Funcs[0]
			f.SortBlocks()
			f.AddLatches()
			require.Equal(t, tt.want, ids(f))
			require.NoError(t, ir.Verify(k), k)
			requireLatches(t, f)
		})
	}
}

// requireLatches checks that one block jumps back to each head, and that nothing of the loop stands behind it.
func requireLatches(t *testing.T, f *ir.Func) {
	for _, h := range f.Blocks {
		var latch *ir.Block
		for _, p := range h.Preds {
			if p.Order >= h.Order {
				require.True(t, latch == nil || latch == p, "b%d has two latches in\n%s", h.ID, f)
				latch = p
			}
		}
		if latch == nil {
			continue
		}
		for _, b := range f.Blocks[latch.Order+1:] {
			for _, e := range b.Succs() {
				require.False(t, e.To.Order > h.Order && e.To.Order <= latch.Order, "b%d is behind the latch b%d in\n%s", b.ID, latch.ID, f)
			}
		}
	}
}

// TestLatchesPassParameters: where blocks have parameters already, latches hand them on.
func TestLatchesPassParameters(t *testing.T) {
	k, err := ir.Parse(kernel("b0:", "v0:b32 = const.b32 #1", "v1:pred = const.pred #1", "br b1(v0)",
		"b1(v2:b32):", "condbr v1, b1(v0), b2", "b2:", "condbr v1, b1(v2), b3", "b3:", "ret"))
	require.NoError(t, err)
	k.Funcs[0].AddLatches()
	require.NoError(t, ir.Verify(k), k)
	require.Contains(t, k.String(), "b4(v3:b32):\n  br b1(v3)\n")
	requireLatches(t, k.Funcs[0])
}
