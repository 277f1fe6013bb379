package passes_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/passes"
)

// shape reads the block's shape from the kernel's required threads.
func shape(k *ir.Kernel) (s passes.Shape) {
	for i, n := range k.ReqThreads {
		s[i] = uint32(n)
	}
	return s
}

// TestCFG shows post-dominators, loops and liveness of testdata/cfg.
func TestCFG(t *testing.T) {
	golden(t, "cfg", func(t *testing.T, _ string, k *ir.Kernel) string {
		var out strings.Builder
		f := k.Funcs[0]
		pd, loops, live := passes.PostDominators(f), passes.Loops(f), passes.Live(f)
		for i, b := range f.Blocks {
			ipdom := "end"
			if d := pd.Ipdom[i]; d != nil {
				ipdom = "b" + strconv.Itoa(d.ID)
			}
			depth := 0
			if l := loops.Of[i]; l != nil {
				depth = l.Depth
			}
			fmt.Fprintf(&out, "b%d: ipdom %s, depth %d, in %v, out %v\n", b.ID, ipdom, depth, live.In[i].IDs(), live.Out[i].IDs())
		}
		for _, l := range loops.All {
			fmt.Fprintf(&out, "loop b%d: blocks", l.Head.ID)
			for _, b := range l.Blocks {
				fmt.Fprintf(&out, " b%d", b.ID)
			}
			for _, e := range l.Exits {
				fmt.Fprintf(&out, ", exit b%d-b%d", e.From.ID, e.To.ID)
			}
			fmt.Fprintf(&out, ", reducible %v\n", l.Reducible)
		}
		return out.String()
	})
}

// TestUniformity shows classes and affine forms of testdata/uniform, for groups of 32 lanes or of the number behind a dash
// in the file's name.
func TestUniformity(t *testing.T) {
	golden(t, "uniform", func(t *testing.T, name string, k *ir.Kernel) string {
		lanes := 32
		if _, n, ok := strings.Cut(name, "-"); ok {
			var err error
			lanes, err = strconv.Atoi(n)
			require.NoError(t, err)
		}
		var out strings.Builder
		f := k.Funcs[0]
		u := passes.Uniformity(f, shape(k), lanes)
		a := passes.FindAffine(u)
		value := func(v *ir.Value, b *ir.Block) {
			fmt.Fprintf(&out, "  v%d %s%s\n", v.ID, u.Of(v), form(a.Of(v, b)))
		}
		for _, b := range f.Blocks {
			fmt.Fprintf(&out, "b%d: join %s, branch %s\n", b.ID, u.Join(b), u.Branch(b))
			for _, p := range b.Params {
				value(p, b)
			}
			for _, in := range b.Instrs {
				switch in.Op {
				case ir.OpLoad, ir.OpStore, ir.OpAtom, ir.OpRed:
					class, stride, _ := a.Access(in)
					fmt.Fprintf(&out, "  %s v%d: %s %d\n", in.Op, in.Args[0].ID, class, stride)
					if in.Op == ir.OpStore {
						fmt.Fprintf(&out, "    of v%d %s\n", in.Args[1].ID, u.At(in.Args[1], b))
					}
				}
				for _, r := range in.Results {
					value(r, b)
				}
			}
		}
		for _, l := range u.Loops.All {
			fmt.Fprintf(&out, "loop b%d: exit %s\n", l.Head.ID, u.Exit(l))
		}
		return out.String()
	})
}

// form writes an affine form that is not uniform.
func form(a *passes.Affine) string {
	if a == nil || a.Uniform() {
		return ""
	}
	s := ": " + a.Base.String()
	if a.Known {
		s = ": " + strconv.FormatInt(a.Const, 10)
	}
	for i, c := range a.Tid {
		if c != 0 {
			s += fmt.Sprintf(" + %d*tid.%c", c, 'x'+i)
		}
	}
	if a.Lane != 0 {
		s += fmt.Sprintf(" + %d*lane", a.Lane)
	}
	for _, w := range a.Wraps {
		s += fmt.Sprintf(" unless v%d wraps (signed %v)", w.Value.ID, w.Signed)
	}
	return s
}

func TestLaneStride(t *testing.T) {
	row := passes.Affine{Tid: [3]int64{4, 64, 0}}
	tests := []struct {
		a      passes.Affine
		shape  passes.Shape
		stride int64
		ok     bool
	}{
		{passes.Affine{}, passes.Shape{}, 0, true},
		{passes.Affine{Lane: 8}, passes.Shape{}, 8, true},
		{row, passes.Shape{}, 0, false},
		{row, passes.Shape{32, 8, 1}, 4, true},
		{row, passes.Shape{256, 1, 1}, 4, true},
		{row, passes.Shape{16, 16, 1}, 4, true}, // rows of sixteen follow one another
		{row, passes.Shape{8, 8, 1}, 0, false},
		{row, passes.Shape{1, 64, 1}, 64, true},
		{row, passes.Shape{16, 16, 4}, 4, true},
		{row, passes.Shape{16, 1, 4}, 0, false},
		{passes.Affine{Tid: [3]int64{4, 64, 64}}, passes.Shape{16, 1, 4}, 4, true},
		{passes.Affine{Tid: [3]int64{0, 4, 0}}, passes.Shape{64, 4, 1}, 0, true},
	}
	for _, tt := range tests {
		stride, ok := tt.a.LaneStride(tt.shape, 32)
		require.Equal(t, tt.ok, ok, "%v %v", tt.a, tt.shape)
		require.Equal(t, tt.stride, stride, "%v %v", tt.a, tt.shape)
	}
}

func TestSet(t *testing.T) {
	f := ir.NewFunc("f")
	var vs []*ir.Value
	for range 130 {
		vs = append(vs, f.NewValue(ir.B32))
	}
	s := passes.NewSet(f)
	s.Add(vs[0])
	s.Add(vs[129])
	s.Add(vs[64])
	s.Remove(vs[64])
	require.Equal(t, []int{0, 129}, s.IDs())
	require.Equal(t, 2, s.Len())
	require.True(t, s.Has(vs[129]))
	require.False(t, s.Has(vs[64]))
	o := passes.NewSet(f)
	o.Add(vs[5])
	require.True(t, s.Union(o))
	require.False(t, s.Union(o))
	require.Equal(t, []int{0, 5, 129}, s.IDs())
}
