package cuda_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/ksig"
)

// randoms are n numbers whose products are exact enough to compare by ==.
func randoms(seed uint64, n int) []float32 {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]float32, n)
	for i := range out {
		out[i] = r.Float32()*2 - 1
	}
	return out
}

func TestRunCopiesSlices(t *testing.T) {
	d, f := open(t)
	k := function(t, d, "multiply_them")
	a, b, dest := randoms(1, 400), randoms(2, 400), make([]float32, 400)
	a2, b2 := append([]float32(nil), a...), append([]float32(nil), b...)
	require.NoError(t, k.Run(background, threads(400), cuda.Out(dest), cuda.In(a), cuda.In(b)))
	for i := range dest {
		require.Equal(t, a[i]*b[i], dest[i], "element %d", i)
	}
	require.Equal(t, a2, a, "In does not change")
	require.Equal(t, b2, b)
	require.Zero(t, f.liveCount(), "Run leaves no memory")
}

func TestInOutKeepsWhatIsNotWritten(t *testing.T) {
	d, _ := open(t)
	k := function(t, d, "increment")
	x := []int32{10, 20, 30, 40}
	require.NoError(t, k.Run(background, threads(2), cuda.InOut(x)))
	require.Equal(t, []int32{11, 21, 30, 40}, x)
}

func TestLaunchSnapshotsInAndWritesOutInWait(t *testing.T) {
	d, f := open(t)
	m := load(t, d)
	spin, err := m.Function("spin")
	require.NoError(t, err)
	multiply, err := m.Function("multiply_them")
	require.NoError(t, err)
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)

	cfg := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: s}
	require.NoError(t, spin.Launch(cfg)) // keeps the stream busy
	a, b, dest := []float32{3}, []float32{5}, []float32{-1}
	require.NoError(t, multiply.Launch(cfg, cuda.Out(dest), cuda.In(a), cuda.In(b)))
	a[0], b[0] = 0, 0
	idle, err := s.Idle()
	require.NoError(t, err)
	require.False(t, idle)
	f.release()
	require.Equal(t, float32(-1), dest[0], "written by the wait, not before")
	require.NoError(t, s.Wait(background))
	require.Equal(t, float32(15), dest[0], "In is what it was at the launch")
	require.Zero(t, f.liveCount())
	require.NoError(t, s.Close())
}

func TestEveryWaiterFindsTheSlices(t *testing.T) {
	d, _ := open(t)
	k := function(t, d, "increment")
	for range 50 {
		x := []int32{1}
		require.NoError(t, k.Launch(threads(1), cuda.InOut(x)))
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := d.DefaultStream().Wait(background); err != nil || x[0] != 2 {
					t.Errorf("x = %d, err = %v", x[0], err)
				}
			})
		}
		wg.Wait()
	}
}

// TestSecondWaiterWaitsForTheFirst: while one waiter writes the slices back, another does not return.
func TestSecondWaiterWaitsForTheFirst(t *testing.T) {
	d, f := open(t)
	k := function(t, d, "increment")
	x := []int32{1}
	require.NoError(t, k.Launch(threads(1), cuda.InOut(x)))
	entered, leave := make(chan struct{}), make(chan struct{})
	f.reading = func() { close(entered); <-leave }
	first, second := make(chan error, 1), make(chan error, 1)
	go func() { first <- d.DefaultStream().Wait(background) }()
	<-entered
	go func() { second <- d.DefaultStream().Wait(background) }()
	for range 1000 {
		runtime.Gosched() // time for the second to go wrong
		require.Empty(t, second, "the slices are not written yet")
	}
	close(leave)
	require.NoError(t, <-second)
	require.Equal(t, int32(2), x[0])
	require.NoError(t, <-first)
}

func TestContextBoundsRunAndStopsTheKernel(t *testing.T) {
	d, f := open(t)
	m := load(t, d)
	spin, err := m.Function("spin")
	require.NoError(t, err)
	increment, err := m.Function("increment")
	require.NoError(t, err)

	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(background)
	go func() { f.awaitWaiter(); cancel(why) }()
	err = spin.Run(ctx, threads(1))
	require.ErrorIs(t, err, why)
	require.EqualError(t, err, "launch spin: enough")
	x := []int32{1}
	require.NoError(t, increment.Run(background, threads(1), cuda.InOut(x)), "the device stays usable")
	require.Equal(t, int32(2), x[0])

	require.ErrorIs(t, spin.Run(ctx, threads(1)), why, "an ended context launches nothing")
}

func TestCancelledRunLeavesSlicesAlone(t *testing.T) {
	d, f := open(t)
	m := load(t, d)
	spin, err := m.Function("spin")
	require.NoError(t, err)
	increment, err := m.Function("increment")
	require.NoError(t, err)
	require.NoError(t, spin.Launch(threads(1)))
	x := []int32{1}
	ctx, cancel := context.WithCancel(background)
	go func() { f.awaitWaiter(); cancel() }()
	require.ErrorIs(t, increment.Run(ctx, threads(1), cuda.InOut(x)), context.Canceled)
	f.release()
	require.NoError(t, d.Synchronize(background))
	require.Equal(t, int32(1), x[0])
	require.Zero(t, f.liveCount())
}

func TestWaitKeepsSlicesForTheNextWait(t *testing.T) {
	d, f := open(t)
	m := load(t, d)
	spin, err := m.Function("spin")
	require.NoError(t, err)
	increment, err := m.Function("increment")
	require.NoError(t, err)
	require.NoError(t, spin.Launch(threads(1)))
	x := []int32{1}
	require.NoError(t, increment.Launch(threads(1), cuda.InOut(x)))
	ctx, cancel := context.WithCancel(background)
	go func() { f.awaitWaiter(); cancel() }()
	require.ErrorIs(t, d.DefaultStream().Wait(ctx), context.Canceled)
	require.Equal(t, int32(1), x[0])
	f.release()
	require.NoError(t, d.Synchronize(background))
	require.Equal(t, int32(2), x[0])
}

// TestCopyWithoutStreamWaits: a copy or Run without a stream first waits for the buffers it touches.
func TestCopyWithoutStreamWaits(t *testing.T) {
	d, f := open(t)
	m := load(t, d)
	spin, err := m.Function("spin")
	require.NoError(t, err)
	increment, err := m.Function("increment")
	require.NoError(t, err)
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	x, err := cuda.Upload(background, d, []int32{1, 2})
	require.NoError(t, err)
	require.NoError(t, d.Synchronize(background))
	view, err := x.Slice(1, 2)
	require.NoError(t, err)

	cfg := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(2), Stream: s}
	require.NoError(t, spin.Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: s}))
	require.NoError(t, increment.Launch(cfg, x))
	got := make(chan []int32)
	go func() {
		out, err := view.Download(background)
		if err != nil {
			t.Error(err)
		}
		got <- out
	}()
	f.awaitWaiter()
	f.release()
	require.Equal(t, []int32{3}, <-got)

	require.NoError(t, increment.Launch(cfg, x))
	require.NoError(t, s.Close(), "a closed stream finishes its work, and copies still wait for it")
	require.NoError(t, increment.Run(background, threads(2), x))
	out, err := x.Download(background)
	require.NoError(t, err)
	require.Equal(t, []int32{4, 5}, out)
}

func TestFaultNamesParameterThreadAndLine(t *testing.T) {
	d, f := open(t)
	m := load(t, d)
	k, err := m.Function("multiply_them")
	require.NoError(t, err)
	cuda.SetSource(k, ksig.Source{Name: "dest", Type: floatPtr}, ksig.Source{Name: "a", Type: floatPtr}, ksig.Source{Name: "b", Type: floatPtr})
	a, b, dest := randoms(1, 400), randoms(2, 400), make([]float32, 100)
	dest[0] = 7
	err = k.Run(background, threads(400), cuda.Out(dest), cuda.In(a), cuda.In(b))
	require.ErrorIs(t, err, cuda.ErrIllegalAddress)
	require.NotErrorIs(t, err, cuda.ErrPoisoned, "the first waiter gets the fault")
	require.EqualError(t, err, "launch multiply_them on fake: CUDA_ERROR_ILLEGAL_ADDRESS (700): parameter 0 (dest): "+
		"write of 4 bytes at element 100 of cuda.Out([]float32), which has 100 elements, block (0,0,0), thread (100,0,0), kernel.cu:4, kernel.ptx:20")
	var e *cuda.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, 0, e.Fault.Param)
	require.Equal(t, "dest", e.Fault.ParamName)
	require.Equal(t, cuda.Dim3{X: 100}, e.Fault.Thread)
	require.Equal(t, float32(7), dest[0], "unchanged after a failed launch")
	require.Zero(t, f.liveCount())

	_, err = cuda.Alloc[float32](d, 1)
	require.ErrorIs(t, err, cuda.ErrPoisoned)
	require.ErrorIs(t, err, cuda.ErrIllegalAddress, "and wraps the fault")
	require.Contains(t, cuda.Diagnose(err), "An earlier kernel faulted")
	require.ErrorIs(t, d.Synchronize(background), cuda.ErrPoisoned)
	require.ErrorIs(t, k.Run(background, threads(1), cuda.Out(dest), cuda.In(a), cuda.In(b)), cuda.ErrPoisoned)
	require.NoError(t, m.Close(), "closing works")

	require.NoError(t, d.Reset())
	require.NoError(t, d.Err())
	require.ErrorIs(t, k.Run(background, threads(1), cuda.Out(dest), cuda.In(a), cuda.In(b)), cuda.ErrClosed)
	k = function(t, d, "multiply_them")
	require.NoError(t, k.Run(background, threads(100), cuda.Out(dest), cuda.In(a), cuda.In(b)))
	require.Equal(t, a[0]*b[0], dest[0])
}

func TestFaultInBufferView(t *testing.T) {
	d, _ := open(t)
	k := function(t, d, "increment")
	x, err := cuda.Alloc[int32](d, 8)
	require.NoError(t, err)
	v, err := x.Slice(4, 8)
	require.NoError(t, err)
	require.NoError(t, k.Launch(threads(5), v))
	err = d.Synchronize(background)
	require.ErrorContains(t, err, "parameter 0: atomic of 4 bytes at element 4 of *cuda.Buffer[int32], which has 4 elements")
}

var (
	float    = ksig.Type{Spelling: "float", Kind: ksig.KindFloat, Size: 4}
	floatPtr = ksig.Type{Spelling: "float *", Kind: ksig.KindPtr, Size: 8, Elem: &float}
	cint     = ksig.Type{Spelling: "int", Kind: ksig.KindInt, Size: 4}
)

func TestBadArguments(t *testing.T) {
	d, f := open(t)
	m := load(t, d)
	saxpy, err := m.Function("saxpy")
	require.NoError(t, err)
	named, err := m.Function("saxpy")
	require.NoError(t, err)
	cuda.SetSource(named, ksig.Source{Name: "n", Type: cint}, ksig.Source{Name: "a", Type: float},
		ksig.Source{Name: "x", Type: floatPtr}, ksig.Source{Name: "y", Type: floatPtr})
	x := make([]float32, 4)
	other, _ := open(t)
	foreign, err := cuda.Alloc[float32](other, 4)
	require.NoError(t, err)
	closed, err := cuda.Alloc[float32](d, 4)
	require.NoError(t, err)
	require.NoError(t, closed.Close())

	for _, c := range []struct {
		want string
		is   error
		k    *cuda.Function
		args []any
	}{
		{"launch saxpy: parameter 1: want float32, have float64; use float32(x)", cuda.ErrArgument, saxpy, []any{4, 2.0, cuda.In(x), cuda.InOut(x)}},
		{"launch saxpy: parameter 1 (a): want float32, have float64; use float32(x)", cuda.ErrArgument, named, []any{4, 2.0, cuda.In(x), cuda.InOut(x)}},
		{"launch saxpy: want 4 arguments (int32 n, float32 a, float * x, float * y), have 3", cuda.ErrArgument, named, []any{4, float32(2), cuda.In(x)}},
		{"launch saxpy: parameter 0 (n): 3000000000 does not fit into int32", cuda.ErrArgument, named, []any{3_000_000_000, float32(2), cuda.In(x), cuda.InOut(x)}},
		{"launch saxpy: parameter 0 (n): want int32, have int64; use int32(x)", cuda.ErrArgument, named, []any{int64(4), float32(2), cuda.In(x), cuda.InOut(x)}},
		{"launch saxpy: parameter 2 (x): want float *, have cuda.In([]float64); use []float32", cuda.ErrArgument, named, []any{4, float32(2), cuda.In([]float64{1}), cuda.InOut(x)}},
		{"launch saxpy: parameter 2 (x): want float *, have []float32; wrap it in cuda.In, cuda.Out or cuda.InOut", cuda.ErrArgument, named, []any{4, float32(2), x, cuda.InOut(x)}},
		{"launch saxpy: parameter 3 (y): want float *, have int; use a cuda.Buffer, cuda.In, cuda.Out or cuda.InOut", cuda.ErrArgument, named, []any{4, float32(2), cuda.In(x), 0}},
		{"launch saxpy: parameter 2: the buffer belongs to fake, the kernel to fake", cuda.ErrWrongDevice, saxpy, []any{4, float32(2), foreign, cuda.InOut(x)}},
		{"launch saxpy: parameter 2: the buffer was not made by Alloc", cuda.ErrInvalidValue, saxpy, []any{4, float32(2), new(cuda.Buffer[float32]), cuda.InOut(x)}},
		{"launch saxpy: the buffer is closed", cuda.ErrClosed, saxpy, []any{4, float32(2), closed, cuda.InOut(x)}},
	} {
		before := f.liveCount()
		err := c.k.Launch(threads(4), c.args...)
		require.EqualError(t, err, c.want)
		require.ErrorIs(t, err, c.is)
		require.Equal(t, before, f.liveCount(), "a call that fails has created nothing")
		require.NotEmpty(t, cuda.Diagnose(err))
	}
}

func TestBadExtents(t *testing.T) {
	d, _ := open(t)
	m := load(t, d)
	other, _ := open(t)
	foreign := other.DefaultStream()
	for _, c := range []struct {
		kernel string
		cfg    cuda.LaunchConfig
		want   string
		is     error
	}{
		{"bounded", cuda.LaunchConfig{}, "launch bounded: grid (0,0,0): every extent must be at least 1 (cuda.D1 and cuda.D2 fill up with 1)", cuda.ErrInvalidValue},
		{"bounded", cuda.LaunchConfig{Grid: cuda.Blocks(0, 256), Block: cuda.D1(1)}, "launch bounded: grid (0,1,1): every extent must be at least 1 (cuda.D1 and cuda.D2 fill up with 1)", cuda.ErrInvalidValue},
		{"bounded", cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(-1)}, "launch bounded: block (-1,1,1): every extent must be at least 1 (cuda.D1 and cuda.D2 fill up with 1)", cuda.ErrInvalidValue},
		{"bounded", cuda.LaunchConfig{Grid: cuda.D2(1, 65536), Block: cuda.D1(1)}, "launch bounded: grid (1,65536,1): 65536 blocks in y, fake allows 65535", cuda.ErrInvalidValue},
		{"bounded", cuda.LaunchConfig{Grid: cuda.D1(math.MaxInt32 + 1), Block: cuda.D1(1)}, "launch bounded: grid (2147483648,1,1): 2147483648 blocks in x, fake allows 2147483647", cuda.ErrInvalidValue},
		{"bounded", cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(2048)}, "launch bounded: block (2048,1,1): 2048 threads in x, fake allows 1024", cuda.ErrInvalidValue},
		{"bounded", cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D2(64, 32)}, "launch bounded: block (64,32,1) has 2048 threads, this kernel takes at most 1024 on fake", cuda.ErrInvalidValue},
		{"bounded", threads(129), "launch bounded: block (129,1,1) has 129 threads, the kernel's launch bounds allow 128", cuda.ErrInvalidValue},
		{"required", threads(64), "launch required: block (64,1,1): the kernel requires (32,2,1)", cuda.ErrInvalidValue},
		{"bounded", cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), SharedBytes: 48 << 10}, "launch bounded: 49152 bytes of dynamic and 16 of static shared memory, fake allows 49152 together", cuda.ErrInvalidValue},
		{"bounded", cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), SharedBytes: -1}, "launch bounded: -1 bytes of dynamic and 16 of static shared memory, fake allows 49152 together", cuda.ErrInvalidValue},
		{"bounded", cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(1), Stream: foreign}, "launch bounded: the stream belongs to fake, not to fake", cuda.ErrWrongDevice},
	} {
		k, err := m.Function(c.kernel)
		require.NoError(t, err)
		err = k.Launch(c.cfg, 1)
		require.EqualError(t, err, c.want)
		require.ErrorIs(t, err, c.is)
	}
	k, err := m.Function("required")
	require.NoError(t, err)
	require.NoError(t, k.Launch(cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D2(32, 2)}, 1))
}

func TestStructByValue(t *testing.T) {
	d, _ := open(t)
	k := function(t, d, "pair")
	type pair struct {
		A int32
		B float64
	}
	require.NoError(t, k.Run(background, threads(1), pair{1, 2}))
	err := k.Run(background, threads(1), struct{ A, B float32 }{1, 2})
	require.ErrorIs(t, err, cuda.ErrArgument)
	require.EqualError(t, err, "launch pair: parameter 0: want a structure of 16 bytes aligned to 8, have struct { A float32; B float32 } of "+
		"8 bytes aligned to 4; C++ pads members and the end to their alignment, Go aligns to 4 at most: add blank fields such as _ [8]byte where C++ pads")
}

func TestModuleNames(t *testing.T) {
	d, _ := open(t)
	m := load(t, d)
	for _, name := range []string{"multiply_them", "_Z4axpyIfEvT_PS0_S1_i", "ns::scale", "scale"} {
		_, err := m.Function(name)
		require.NoError(t, err, name)
	}
	_, err := m.Function("axpy")
	require.ErrorIs(t, err, cuda.ErrNotFound)
	require.EqualError(t, err, "find kernel axpy in ptx: 2 kernels have that name: _Z4axpyIfEvT_PS0_S1_i, _Z4axpyIdEvT_PS0_S1_i; "+
		"use the symbol, or register a name expression when compiling")
	_, err = m.Function("nothing")
	require.ErrorIs(t, err, cuda.ErrNotFound)
	require.ErrorContains(t, err, "it has multiply_them, increment, spin, saxpy, axpy as _Z4axpyIfEvT_PS0_S1_i")

	g, err := m.Global("table")
	require.NoError(t, err)
	floats, err := cuda.Reinterpret[float32](g)
	require.NoError(t, err)
	require.Equal(t, 16, floats.Len())
	require.NoError(t, floats.CopyFrom(background, randoms(1, 16)))
	got, err := floats.Download(background)
	require.NoError(t, err)
	require.Equal(t, randoms(1, 16), got)
	_, err = m.Global("ns::scale")
	require.NoError(t, err)
	_, err = m.Global("absent")
	require.ErrorIs(t, err, cuda.ErrNotFound)
	require.NoError(t, m.Close())
	_, err = floats.Download(background)
	require.ErrorIs(t, err, cuda.ErrClosed)
	_, err = m.Function("saxpy")
	require.ErrorIs(t, err, cuda.ErrClosed)
}

func TestBadImages(t *testing.T) {
	d, f := open(t)
	_, err := d.Load(background, nil, cuda.LoadConfig{})
	require.ErrorIs(t, err, cuda.ErrInvalidPTX)
	f.refuse = "a.ptx:3:1: unknown instruction bogus.f32"
	_, err = d.Load(background, []byte(image), cuda.LoadConfig{Name: "a.ptx"})
	require.ErrorIs(t, err, cuda.ErrInvalidPTX)
	require.EqualError(t, err, "load a.ptx on fake: CUDA_ERROR_INVALID_PTX (218): a.ptx:3:1: unknown instruction bogus.f32")
	require.Contains(t, cuda.Diagnose(err), "inline assembly")
}
