package array_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/kernels/array"
	"github.com/tandem-go/tandem/kernels/internal/oracle"
)

// TestInPlace: what was described before a change does not see it, and views see it.
func TestInPlace(t *testing.T) {
	each(t, func(t *testing.T, ws *array.Workspace) {
		ctx := t.Context()
		a := array.From(ctx, ws, []float64{1, 2, 3, 4, 5, 6}, 2, 3)
		before := a.Mul(10)         // of the array
		ofView := a.T().Add(0.5)    // of a view
		reduced := a.Sum(0)         // a reduction
		deep := before.Add(a).Neg() // of something that waits, too
		pending := a.Add(1)
		view := pending.Slice("1")
		viewed := view.Mul(2)

		require.NoError(t, a.AddAssign(ctx, 100))
		require.Equal(t, []float64{101, 102, 103, 104, 105, 106}, get(t, a))
		require.Equal(t, []float64{10, 20, 30, 40, 50, 60}, get(t, before))
		require.Equal(t, []float64{1.5, 4.5, 2.5, 5.5, 3.5, 6.5}, get(t, ofView))
		require.Equal(t, []float64{5, 7, 9}, get(t, reduced))
		require.Equal(t, []float64{-11, -22, -33, -44, -55, -66}, get(t, deep))
		require.NoError(t, pending.MulAssign(ctx, -1))
		require.Equal(t, []float64{-5, -6, -7}, get(t, view), "a view sees the change")
		require.Equal(t, []float64{10, 12, 14}, get(t, viewed), "what was computed of it does not")

		require.NoError(t, a.Slice(":, ::2").DivAssign(ctx, a.Slice("0, ::2").Copy()))
		require.Equal(t, []float64{1, 102, 1, 104.0 / 101, 105, 106.0 / 103}, get(t, a))
		require.NoError(t, a.Assign(ctx, a.Flip().Mul(1)), "an expression of other elements is computed first")
		require.Equal(t, []float64{106.0 / 103, 105, 104.0 / 101, 1, 102, 1}, get(t, a))
		require.NoError(t, a.SubAssign(ctx, a))
		require.Equal(t, make([]float64, 6), get(t, a))
		require.NoError(t, a.AddAssign(ctx, a.Flip().Add(array.Arange[float64](ws, 3, 0, 1))))
		require.Equal(t, []float64{0, 1, 2, 0, 1, 2}, get(t, a))
		z := array.Zeros[float64](ws, 2, 3)
		require.NoError(t, z.Assign(ctx, a.Add(1).Mul(2)))
		require.Equal(t, []float64{2, 4, 6, 2, 4, 6}, get(t, z))
		require.NoError(t, z.Slice("..., 1").Assign(ctx, 7))
		require.Equal(t, []float64{2, 7, 6, 2, 7, 6}, get(t, z))
		w := array.Zeros[float64](ws, 2, 2)
		sum := w.Slice("1").Add(w.T()) // of a constant and its view
		require.NoError(t, w.Slice("0, 1:").Assign(ctx, 3))
		require.Equal(t, []float64{0, 3, 0, 0}, get(t, w), "a view of a constant is a view")
		require.Equal(t, make([]float64, 4), get(t, sum))
		require.NoError(t, w.Slice("1").Assign(ctx, array.Full(ws, 5.0, 3).Slice(":2")))
		require.Equal(t, []float64{0, 3, 5, 5}, get(t, w))
		require.Equal(t, []float64{1, 1, 1}, get(t, array.Ones[float64](ws, 4).Slice("1:")))
	})
}

func TestMulAdd(t *testing.T) {
	each(t, func(t *testing.T, ws *array.Workspace) {
		x, y := array.From(t.Context(), ws, []float32{1, 2}), array.From(t.Context(), ws, []float32{10, 20})
		require.Equal(t, []float32{32, 64}, get(t, x.MulAdd(2, y, 3)))
		require.Equal(t, []float32{101, 404}, get(t, x.MulAdd(x, y, y)))
		require.ErrorIs(t, x.MulAdd(2, array.Zeros[float32](ws, 3), 3).Err(), array.ErrShape)
	})
}

// TestBadInput: every error names what does not fit, and nothing is written.
func TestBadInput(t *testing.T) {
	each(t, func(t *testing.T, ws *array.Workspace) {
		ctx := t.Context()
		a := array.From(ctx, ws, []int32{1, 2, 3, 4, 5, 6}, 2, 3)
		f := array.From(ctx, ws, []float32{1, 2})
		other := array.From(ctx, workspace(t, ws.Device(), array.Config{}), []int32{1})
		for _, c := range []struct {
			err  error
			is   error
			text string
		}{
			{a.Add(array.Zeros[int32](ws, 2)).Err(), array.ErrShape, "add: operands of shapes (2, 3) and (2,) do not broadcast"},
			{a.Add(f).Err(), array.ErrType, "add: want an array of int32, have float32; use AsType"},
			{a.Add(1.5).Err(), array.ErrType, "add: 1.5 of type float64 is no operand for elements of type int32"},
			{a.Add(1 << 40).Err(), array.ErrType, "add: 1099511627776 does not fit into int32"},
			{a.Add("x").Err(), array.ErrType, "add: x of type string is no operand for elements of type int32"},
			{a.Add(other).Err(), array.ErrWorkspace, "add: the arrays belong to different workspaces; go through a slice"},
			{a.Sin().Err(), array.ErrType, "sin is not defined for int32 but for float16 float32 float64 complex64 complex128; use AsType"},
			{a.Div(2).Err(), array.ErrType, "div is not defined for int32 but for float16 float32 float64 complex64 complex128; use AsType"},
			{a.Mean().Err(), array.ErrType, "mean of int32: use AsType for floating point"},
			{a.Slice("0, 3").Err(), array.ErrIndex, "index 3 is out of range for axis 1 of shape (2, 3)"},
			{a.Slice("0, 0, 0").Err(), array.ErrIndex, "index of shape (2, 3): 3 entries for 2 axes"},
			{a.Slice("::0").Err(), array.ErrIndex, "index of axis 0 of shape (2, 3): the step is 0"},
			{a.Slice("a").Err(), array.ErrIndex, `slice "a": "a" is no number`},
			{a.Reshape(4, -1).Err(), array.ErrShape, "reshape: (2, 3) has 6 elements, which do not fill (4, -1)"},
			{a.Transpose(0, 0).Err(), array.ErrShape, "transpose: axis 0 comes twice in [0 0]"},
			{a.Sum(2).Err(), array.ErrShape, "sum: axis 2 of an array of 2 dimensions"},
			{a.BroadcastTo(3, 3).Err(), array.ErrShape, "broadcast: shape (2, 3) does not broadcast to (3, 3)"},
			{array.Zeros[int8](ws, 0, 3).Max().Err(), array.ErrShape, "max of shape (0, 3): no elements, and no value that stands for none"},
			{array.Concatenate(0, a, array.Zeros[int32](ws, 2, 2)).Err(), array.ErrShape, "concatenate along axis 0: shapes (2, 3) and (2, 2) differ along axis 1"},
			{array.Stack(0, a, a.T()).Err(), array.ErrShape, "stack: shapes (2, 3) and (3, 2) differ"},
			{array.From(ctx, ws, []int32{1}, 2, 2).Err(), array.ErrShape, "array from a slice: 1 elements do not fill shape (2, 2)"},
			{array.Zeros[int32](ws, 2, -1).Err(), array.ErrShape, "array of one value: shape (2, -1) has a negative extent"},
			{f.Dot(array.Zeros[float32](ws, 3)).Err(), array.ErrShape, "dot: shapes (2,) and (3,) are not one length"},
			{a.Assign(ctx, array.Zeros[int32](ws, 3, 3)), array.ErrShape, "assign: shape (3, 3) does not broadcast to (2, 3)"},
			{a.AddAssign(ctx, array.Zeros[int32](ws, 2, 2, 3)), array.ErrShape, "add in place: shape (2, 2, 3) does not broadcast to (2, 3)"},
			{a.Slice(":, 1:").Assign(ctx, a.Slice(":, :-1")), array.ErrOverlap,
				"assign: the array of shape (2, 2) (strides [3 1] from element 1) is written while its memory is read as shape (2, 2) (strides [3 1] from element 0); copy it"},
			{a.AddAssign(ctx, a.Slice("::-1")), array.ErrOverlap, ""},
			{a.Slice("0").BroadcastTo(2, 3).AddAssign(ctx, 1), array.ErrOverlap, "add in place: elements of the array of shape (2, 3) and strides [0 1] share memory; copy it"},
			{array.MatMul(f.Reshape(1, 2), f.Reshape(1, 2)).Err(), array.ErrShape, "matmul: shapes (1, 2) and (1, 2) are not two matrices with one inner extent"},
			{array.Take(a, array.From(ctx, ws, []int64{0}), 2).Err(), array.ErrShape, "take: axis 2 of an array of 2 dimensions"},
			{array.Put(ctx, a, array.From(ctx, ws, []int64{0, 1}), array.Zeros[int32](ws, 3)), array.ErrShape, "put: shape (3,) does not broadcast to (2,)"},
			{array.Put(ctx, a, array.From(ctx, ws, []int64{0, 6}), 9), array.ErrIndex, "put: index 6 (element 1 of the indices) is out of range for 6 elements"},
			{array.Where[int32](a.Less(2), array.Zeros[int32](ws, 2), a).Err(), array.ErrShape, "where: operands of shapes (2, 3) and (2,) do not broadcast"},
			{array.Concatenate(0, a, a.Ravel()).Err(), array.ErrShape, "concatenate: shapes (2, 3) and (6,)"},
			{array.Concatenate[int32](0).Err(), array.ErrShape, "concatenate: there is no array"},
			{array.CumSum(a, -3).Err(), array.ErrShape, "cumsum: axis -3 of an array of 2 dimensions"},
			{array.Sort(a, 2).Err(), array.ErrShape, "sort: axis 2 of an array of 2 dimensions"},
			{a.Squeeze(1).Err(), array.ErrShape, "squeeze: axis 1 of shape (2, 3) is not 1"},
			{a.ExpandDims(4).Err(), array.ErrShape, ""},
			{a.Transpose(0).Err(), array.ErrShape, "transpose: 1 axes for shape (2, 3)"},
			{a.Reshape(-2, -3).Err(), array.ErrShape, "reshape (2, 3) to (-2, -3): a negative extent"},
			{a.Sum(0, 0).Err(), array.ErrShape, "sum: axis 0 comes twice in [0 0]"},
			{a.Slice("..., ...").Err(), array.ErrIndex, "index of shape (2, 3): more than one ellipsis"},
			{array.ViewAs[int64](a).Err(), array.ErrType, "view of int32 as int64: elements of another size, or numbers as bool"},
			{array.RealPart[float64](array.Zeros[complex64](ws, 1)).Err(), array.ErrType, "real of complex64 is float32, not float64"},
			{array.Zeros[complex64](ws, 2).Var().Err(), array.ErrType, "var of complex64: it is defined for real numbers"},
			{array.Indices(ws, -1).Err(), array.ErrShape, "array of indices: shape (-1,) has a negative extent"},
			{a.Slice("0").MulAssign(ctx, f), array.ErrType, "mul in place: want an array of int32, have float32; use AsType"},
			{a.Add(array.Zeros[int32](ws, 2)).Sum().Mul(3).Reshape(1).Err(), array.ErrShape, "add: operands of shapes (2, 3) and (2,) do not broadcast"},
		} {
			require.ErrorIs(t, c.err, c.is)
			if c.text != "" {
				require.EqualError(t, c.err, c.text)
			}
		}
		_, err := a.Sin().Download(ctx)
		require.ErrorIs(t, err, array.ErrType)
		_, err = a.Item(ctx)
		require.EqualError(t, err, "item: shape (2, 3) has 6 elements, not one")
		require.Equal(t, []int32{1, 2, 3, 4, 5, 6}, get(t, a), "nothing was written")
		require.NoError(t, a.Slice(":, ::2").Slice(":, :1").Assign(ctx, a.Slice(":, 1:2")), "columns that do not meet")
		require.Equal(t, []int32{2, 2, 3, 5, 5, 6}, get(t, a))
	})
}

func TestEnds(t *testing.T) {
	each(t, func(t *testing.T, ws *array.Workspace) {
		ctx := t.Context()
		ended, cancel := context.WithCancel(ctx)
		cancel()
		require.ErrorIs(t, array.From(ended, ws, []int8{1}).Err(), context.Canceled)
		x := array.Ones[float32](ws, 3)
		require.NoError(t, x.Eval(ctx))
		require.NoError(t, x.Close())
		_, err := x.Add(1).Download(ctx)
		require.ErrorIs(t, err, cuda.ErrClosed)
		y := array.Ones[float32](ws, 3).Add(1)
		require.NoError(t, ws.Close())
		require.ErrorIs(t, y.Eval(ctx), array.ErrWorkspace)
		require.ErrorIs(t, array.From(ctx, ws, []int8{1}).Err(), array.ErrWorkspace)
	})
}

// TestDeterministic: everything that combines elements has the same bits with any number of workers and with every engine.
func TestDeterministic(t *testing.T) {
	r := oracle.Rand(t, 3)
	x := oracle.Normal[float32](r, 70_001)
	var want []string
	oracle.Hosts(t, func(name string, dev *cuda.Device) {
		ws, err := array.NewWorkspace(dev, array.Config{Fusion: array.FuseNever})
		require.NoError(t, err)
		a := array.From(t.Context(), ws, x)
		m := a.Slice(":70000").Reshape(70, 1000)
		var have []string
		for _, s := range []*array.Array[float32]{
			a.Sum(), a.Prod(), m.Sum(0), m.Sum(1), a.Slice("::3").Sum(), m.T().Sum(0), a.Std(), a.Max(), m.Min(0), m.Mean(1), m.Var(0), a.Norm(),
			a.Dot(a.Flip()), array.CumSum(a, 0), array.CumSum(m, 0), array.Sort(m, 1), array.MatMul(m.Slice(":40, :33"), m.Slice(":33, :70")),
			array.AsType[float32](m.ArgMax(1)), array.AsType[float32](array.ArgSort(m, 0)),
		} {
			for _, v := range get(t, s) {
				have = append(have, fmt.Sprintf("%x", math.Float32bits(v)))
			}
		}
		if want == nil {
			want = have
		}
		require.True(t, slices.Equal(want, have), name)
		require.NoError(t, ws.Close())
	})
}

// TestFusion: expressions become one kernel, compiled once for each structure; what is used twice is kept.
func TestFusion(t *testing.T) {
	cudatest.NVRTC(t)
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		ws := workspace(t, dev, array.Config{Fusion: array.FuseAlways})
		ctx := t.Context()
		x := array.From(ctx, ws, []float32{1, 2, 3})
		for i := range 3 {
			require.Equal(t, []float32{float32(2 + i), float32(4 + i), float32(6 + i)}, get(t, x.Mul(2).Add(i)))
		}
		require.Equal(t, array.Stats{Launches: 3, Fused: 3, Compiled: 1}, ws.Stats())
		require.Equal(t, []float32{20}, get(t, x.Mul(2).Add(8.0/3).Sum()))
		s := ws.Stats()
		require.Equal(t, 4, s.Launches, "the expression is part of the reduction")

		y := x.Mul(x) // used by two
		a, b := y.Add(1), y.Sub(1)
		require.Equal(t, []float32{2, 5, 10}, get(t, a))
		require.Equal(t, []float32{0, 3, 8}, get(t, b))
		require.Equal(t, []float32{1, 4, 9}, get(t, y))
		require.Equal(t, s.Launches+2, ws.Stats().Launches, "y was stored with a")

		long := x
		for range 200 {
			long = long.Add(1)
		}
		require.Equal(t, []float32{201, 202, 203}, get(t, long))
		many := array.Zeros[float32](ws, 3)
		for i := range 40 {
			many = many.Add(array.From(ctx, ws, []float32{float32(i), 0, 1}))
		}
		require.Equal(t, []float32{780, 0, 40}, get(t, many))
	})
}

// TestConcurrent: goroutines share a workspace and arrays.
func TestConcurrent(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		ws := workspace(t, dev, array.Config{Fusion: array.FuseNever})
		x := array.Arange[int32](ws, 100, 0, 1)
		shared := x.Mul(3)
		errs := make(chan error, 8)
		for g := range 8 {
			go func() {
				v, err := shared.Add(g).Sum().Item(context.Background())
				if err == nil && v != int32(3*4950+100*g) {
					err = fmt.Errorf("goroutine %d: %d", g, v)
				}
				errs <- err
			}()
		}
		for range 8 {
			require.NoError(t, <-errs)
		}
	})
}

func TestBuffers(t *testing.T) {
	each(t, func(t *testing.T, ws *array.Workspace) {
		ctx := t.Context()
		b, err := cuda.Upload(ctx, ws.Device(), []float32{1, 2, 3, 4})
		require.NoError(t, err)
		defer b.Close()
		a := array.FromBuffer(ws, b, 2, 2)
		require.NoError(t, a.T().Slice("0").MulAssign(ctx, 10))
		out, err := b.Download(ctx)
		require.NoError(t, err)
		require.Equal(t, []float32{10, 2, 30, 4}, out, "the array is the buffer's memory")
		back, err := array.Buffer(ctx, a.Slice("1"))
		require.NoError(t, err)
		require.Equal(t, b.Ptr()+8, back.Ptr(), "no copy")
		copied, err := array.Buffer(ctx, a.T())
		require.NoError(t, err)
		out, err = copied.Download(ctx)
		require.NoError(t, err)
		require.Equal(t, []float32{10, 30, 2, 4}, out)
		require.Equal(t, []uint32{math.Float32bits(10), math.Float32bits(2)}, get(t, array.ViewAs[uint32](a.Slice("0"))))
		require.ErrorIs(t, array.ViewAs[uint8](a).Err(), array.ErrType)
		require.ErrorIs(t, array.FromBuffer(ws, b, 3).Err(), array.ErrShape)
	})
}

// pictures are arrays with the text that NumPy 2 prints for them.
func pictures(ws *array.Workspace) map[string]fmt.Stringer {
	f := func(x ...float64) *array.Array[float64] { return array.From(context.Background(), ws, x) }
	return map[string]fmt.Stringer{
		"np.array([1., 2.5, -3.])":                       f(1, 2.5, -3),
		"np.array([0.1, 1/3, 100.])":                     f(0.1, 1.0/3, 100),
		"np.array([1e10, 1.])":                           f(1e10, 1),
		"np.array([1e-5, 123456789.125, -3.5])":          f(1e-5, 123456789.125, -3.5),
		"np.array([np.nan, np.inf, -np.inf, 1.5])":       f(math.NaN(), math.Inf(1), math.Inf(-1), 1.5),
		"np.array([np.nan])":                             f(math.NaN()),
		"np.array([-0., 0.])":                            f(math.Copysign(0, -1), 0),
		"np.array([1/3, 2/3], dtype=np.float32)":         array.AsType[float32](f(1.0/3, 2.0/3)),
		"np.array([1e7, 1.5], dtype=np.float32)":         array.AsType[float32](f(1e7, 1.5)),
		"np.array([0.1, 3.25, 1e-7], dtype=np.float16)":  array.AsType[array.Float16](f(0.1, 3.25, 1e-7)),
		"np.array([2000, 0.5], dtype=np.float16)":        array.AsType[array.Float16](f(2000, 0.5)),
		"np.array(3.25)":                                 array.Scalar(ws, 3.25),
		"np.array(True)":                                 array.Scalar(ws, true),
		"np.array([True, False])":                        array.From(context.Background(), ws, []bool{true, false}),
		"np.array([1+2j, -0.5-1e-3j])":                   array.From(context.Background(), ws, []complex128{1 + 2i, -0.5 - 1e-3i}),
		"np.array([1+2j, complex(np.nan, np.inf)])":      array.From(context.Background(), ws, []complex128{1 + 2i, complex(math.NaN(), math.Inf(1))}),
		"np.arange(24).reshape(2, 3, 4)":                 array.Arange[int64](ws, 24, 0, 1).Reshape(2, 3, 4),
		"np.arange(40) - 20":                             array.Arange[int64](ws, 40, -20, 1),
		"np.arange(2000)":                                array.Arange[int64](ws, 2000, 0, 1),
		"np.arange(4000).reshape(40, 100) * 1.5":         array.Arange[float64](ws, 4000, 0, 1).Reshape(40, 100).Mul(1.5),
		"np.arange(3000, dtype=np.uint8).reshape(-1, 3)": array.AsType[uint8](array.Arange[int64](ws, 3000, 0, 1)).Reshape(-1, 3),
		"np.zeros((0, 3))":                               array.Zeros[float64](ws, 0, 3),
		"np.linspace(0, 1, 11)":                          array.Linspace(ws, 0.0, 1.0, 11),
		"np.array([[1.123456789012, -12345.678901234]])": f(1.123456789012, -12345.678901234).Reshape(1, 2),
	}
}

// TestPrint compares texts with NumPy's, or where that is missing, with those that it printed once.
func TestPrint(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		ws := workspace(t, dev, array.Config{Fusion: array.FuseNever})
		recorded, err := os.ReadFile("testdata/print.txt")
		require.NoError(t, err)
		want := map[string]string{}
		for entry := range strings.SplitSeq(string(recorded), "\n\n>>> ") {
			py, text, ok := strings.Cut(strings.TrimPrefix(entry, ">>> "), "\n")
			if ok {
				want[py] = strings.TrimRight(text, "\n")
			}
		}
		all := pictures(ws)
		_, err = exec.LookPath("python3")
		if err == nil && exec.Command("python3", "-c", "import numpy").Run() == nil {
			clear(want)
			program := "import numpy as np\n"
			for py := range all {
				program += fmt.Sprintf("print(%q); print(%s, end='\\0')\n", py, py)
			}
			out, err := exec.Command("python3", "-W", "ignore", "-c", program).Output()
			require.NoError(t, err)
			for entry := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
				py, text, _ := strings.Cut(entry, "\n")
				want[py] = text
			}
		}
		for py, a := range all {
			require.Equal(t, want[py], a.String(), py)
		}
		if *rewrite {
			var b strings.Builder
			for _, py := range slices.Sorted(maps.Keys(want)) {
				fmt.Fprintf(&b, ">>> %s\n%s\n\n", py, want[py])
			}
			require.NoError(t, os.WriteFile("testdata/print.txt", []byte(b.String()), 0o644))
		}
	})
}
