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
		tree := ir.NewDomTree(f)
		for _, a := range f.Blocks {
			without := reachable(f, a.ID)
			for _, b := range f.Blocks {
				require.Equal(t, !without[b.ID], tree.Dominates(a, b), "b%d dominates b%d in\n%s", a.ID, b.ID, k)
			}
		}
	}
}
