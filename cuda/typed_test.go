package cuda_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/internal/driver"
)

const typedSource = `
struct pair { float x; int n; };
typedef unsigned char byte;
extern "C" __global__ void none() { }
extern "C" __global__ void saxpy(int n, float a, const float *x, float *y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a * x[i] + y[i];
}
extern "C" __global__ void eight(unsigned char *out, byte b, short s, bool t, double d, long long l, pair p, unsigned u) {
    out[0] = b; out[1] = (unsigned char)s; out[2] = t; out[3] = (unsigned char)d; out[4] = (unsigned char)l;
    out[5] = (unsigned char)p.x; out[6] = (unsigned char)p.n; out[7] = (unsigned char)u;
}
extern "C" __global__ void half_of(float2 v, const void *any, float *out) { *out = any ? v.x : v.y; }
`

func typedModule(t *testing.T, dev *cuda.Device) func(name string) *cuda.Function {
	m, err := dev.Compile(t.Context(), typedSource, cuda.CompileConfig{Name: "typed.cu"})
	require.NoError(t, err)
	return func(name string) *cuda.Function {
		f, err := m.Function(name)
		require.NoError(t, err)
		return f
	}
}

type pair struct {
	X float32
	N int32
}

type count int32 // a named type is what it is made of

func TestTypedKernels(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		f := typedModule(t, dev)
		none, err := cuda.Bind0(t.Context(), f("none"))
		require.NoError(t, err)
		require.NoError(t, none.Run(t.Context(), threads(1)))

		slices, err := cuda.Bind4[int, float32, cuda.Input[float32], cuda.Update[float32]](t.Context(), f("saxpy"))
		require.NoError(t, err)
		x, y := []float32{1, 2, 3}, []float32{10, 20, 30}
		require.NoError(t, slices.Run(t.Context(), threads(4), 3, 2, x, y))
		require.Equal(t, []float32{12, 24, 36}, y)
		require.Equal(t, []float32{1, 2, 3}, x)
		require.NoError(t, slices.Launch(threads(4), 3, 2, x, y))
		require.NoError(t, dev.Synchronize(t.Context()))
		require.Equal(t, []float32{14, 28, 42}, y, "Update is written back by the wait")

		buffers, err := cuda.Bind4[count, float32, cuda.Memory[float32], *cuda.Buffer[float32]](t.Context(), f("saxpy"))
		require.NoError(t, err)
		page, err := cuda.AllocHost[float32](dev, 3)
		require.NoError(t, err)
		defer page.Close()
		copy(page.Slice(), x)
		on, err := cuda.Upload(t.Context(), dev, y)
		require.NoError(t, err)
		require.NoError(t, buffers.Run(t.Context(), threads(4), 3, -14, page, on))
		require.NoError(t, buffers.Run(t.Context(), threads(4), 0, 1, nil, nil), "null pointers")
		back, err := on.Download(t.Context())
		require.NoError(t, err)
		require.Equal(t, []float32{0, 0, 0}, back)
		require.Equal(t, "saxpy", buffers.Function().Name())

		eight, err := cuda.Bind8[cuda.Output[uint8], uint8, int16, bool, float64, int64, pair, uint](t.Context(), f("eight"))
		require.NoError(t, err)
		out := make([]uint8, 8)
		require.NoError(t, eight.Run(t.Context(), threads(1), out, 1, 2, true, 4, 5, pair{6, 7}, 8))
		require.Equal(t, []uint8{1, 2, 1, 4, 5, 6, 7, 8}, out)

		vector, err := cuda.Bind3[[2]float32, *cuda.Buffer[int16], cuda.Output[float32]](t.Context(), f("half_of"))
		require.NoError(t, err)
		one := []float32{0}
		require.NoError(t, vector.Run(t.Context(), threads(1), [2]float32{3, 4}, nil, one))
		require.Equal(t, float32(4), one[0])
	})
}

// TestBindRefuses: every type that does not fit is refused when the kernel is bound, with the parameter's name.
func TestBindRefuses(t *testing.T) {
	dev, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer dev.Close()
	f := typedModule(t, dev)
	ctx := t.Context()
	bad := func(want string, err error) {
		t.Helper()
		require.ErrorIs(t, err, cuda.ErrArgument)
		require.EqualError(t, err, want)
	}
	_, err = cuda.Bind1[int](ctx, f("none"))
	bad("bind none: want 0 arguments, have 1", err)
	_, err = cuda.Bind3[int, float32, cuda.Input[float32]](ctx, f("saxpy"))
	bad("bind saxpy: want 4 arguments (int32 n, float32 a, const float * x, float * y), have 3", err)
	_, err = cuda.Bind4[int, float64, cuda.Input[float32], cuda.Output[float32]](ctx, f("saxpy"))
	bad("bind saxpy: parameter 1 (a): want float32, have float64; use float32(x)", err)
	_, err = cuda.Bind4[int, float32, cuda.Input[float64], cuda.Output[float32]](ctx, f("saxpy"))
	bad("bind saxpy: parameter 2 (x): want const float *, have cuda.Input[float64]; use []float32", err)
	_, err = cuda.Bind4[int, float32, cuda.Memory[int32], cuda.Output[float32]](ctx, f("saxpy"))
	bad("bind saxpy: parameter 2 (x): want const float *, have cuda.Memory[int32]; use []float32", err)
	_, err = cuda.Bind4[int, float32, *cuda.Buffer[float32], *cuda.HostBuffer[uint8]](ctx, f("saxpy"))
	bad("bind saxpy: parameter 3 (y): want float *, have *cuda.HostBuffer[uint8]; use []float32", err)
	_, err = cuda.Bind4[int, float32, []float32, cuda.Output[float32]](ctx, f("saxpy"))
	bad("bind saxpy: parameter 2 (x): a []float32 is copied in, out, or both: use cuda.Input[float32], cuda.Output[float32] or cuda.Update[float32]", err)
	_, err = cuda.Bind4[any, float32, cuda.Input[float32], cuda.Output[float32]](ctx, f("saxpy"))
	bad("bind saxpy: parameter 0 (n): values of the interface type interface {} are not checked once for all; use a type, or cuda.Memory", err)
	_, err = cuda.Bind4[*int32, float32, cuda.Input[float32], cuda.Output[float32]](ctx, f("saxpy"))
	bad("bind saxpy: parameter 0 (n): want int32, have *int32; kernels never see Go memory, use a cuda.Buffer, cuda.In, cuda.Out or cuda.InOut", err)
	_, err = cuda.Bind4[*cuda.Texture, float32, cuda.Input[float32], cuda.Output[float32]](ctx, f("saxpy"))
	bad("bind saxpy: parameter 0 (n): want int32, have uint64; use int32(x)", err)
	_, err = cuda.Bind8[cuda.Output[uint8], uint8, int16, bool, float64, int64, struct{ N, X int32 }, uint32](ctx, f("eight"))
	bad("bind eight: parameter 6 (p): struct { N int32; X int32 } does not lie in memory as pair: field N is int32, x is float32", err)
}

// TestTypedLaunchRefuses: what depends on values is refused by the launch, and leaves nothing behind.
func TestTypedLaunchRefuses(t *testing.T) {
	d, fake := open(t)
	other, _ := open(t)
	k, err := cuda.Bind4[int, float32, *cuda.Buffer[float32], *cuda.Buffer[float32]](background, function(t, d, "saxpy"))
	require.NoError(t, err)
	x, err := cuda.Alloc[float32](d, 4)
	require.NoError(t, err)
	err = k.Launch(threads(1), 1<<40, 1, x, x)
	require.ErrorIs(t, err, cuda.ErrArgument)
	require.EqualError(t, err, "launch saxpy: parameter 0: 1099511627776 does not fit into int32 or uint32")
	far, err := cuda.Alloc[float32](other, 4)
	require.NoError(t, err)
	require.ErrorIs(t, k.Launch(threads(1), 1, 1, x, far), cuda.ErrWrongDevice)
	require.ErrorIs(t, k.Launch(threads(1), 1, 1, &cuda.Buffer[float32]{}, x), cuda.ErrInvalidValue)
	require.ErrorIs(t, k.Launch(threads(0), 1, 1, x, x), cuda.ErrInvalidValue)
	require.NoError(t, k.Run(background, threads(4), 0, 1, x, x))
	require.NoError(t, x.Close(), "no failed launch still holds it")
	require.Zero(t, fake.liveCount())
	require.ErrorIs(t, k.Run(background, threads(1), 1, 1, x, nil), cuda.ErrClosed)
}

// TestTypedLaunchTakesNoMemory: a typed launch with scalars, a structure and buffers allocates nothing on Go's heap.
func TestTypedLaunchTakesNoMemory(t *testing.T) {
	d, err := cuda.OpenBackend(cuda.Host, nothingBackend{newFake().backend()})
	require.NoError(t, err)
	defer d.Close()
	x, err := cuda.Alloc[float32](d, 4)
	require.NoError(t, err)
	k, err := cuda.Bind4[int, float32, *cuda.Buffer[float32], cuda.Memory[float32]](background, function(t, d, "saxpy"))
	require.NoError(t, err)
	launch := func() { _ = k.Launch(threads(4), 1<<20, 2, x, x) }
	launch()           // the pool of invocations may be empty
	if !raceDetector { // with which sync.Pool forgets at random
		require.Zero(t, testing.AllocsPerRun(1000, launch))
	}
}

// machineCode is a device that takes machine code, of which nobody knows the parameters, and does not run it.
type machineCode struct {
	driver.Device
	params *[]byte
}

func (b machineCode) LoadModule(_ []byte, o driver.ModuleOptions) (driver.Module, string, error) {
	return b.Device.LoadModule([]byte(image), o)
}

func (b machineCode) FunctionInfo(f driver.Function) (driver.FunctionInfo, error) {
	i, err := b.Device.FunctionInfo(f)
	i.Signature = nil
	return i, err
}

func (b machineCode) Launch(l *driver.Launch) (driver.Ticket, error) {
	*b.params = append([]byte(nil), l.Params...)
	return 0, nil
}

type machineCodeBackend struct {
	driver.Backend
	params *[]byte
}

func (b machineCodeBackend) Open(n int) (driver.Device, error) {
	d, err := b.Backend.Open(n)
	return machineCode{d, b.params}, err
}

// TestBindWithoutSignature: for machine code that tells nothing, types are taken as they are.
func TestBindWithoutSignature(t *testing.T) {
	var params []byte
	d, err := cuda.OpenBackend(cuda.GPU, machineCodeBackend{newFake().backend(), &params})
	require.NoError(t, err)
	defer d.Close()
	m, err := d.Load(background, []byte{0x7f, 'E', 'L', 'F', 0}, cuda.LoadConfig{})
	require.NoError(t, err)
	f, err := m.Function("saxpy")
	require.NoError(t, err)
	k, err := cuda.Bind3[uint8, cuda.Memory[float32], [3]int16](background, f)
	require.NoError(t, err)
	x, err := cuda.Alloc[float32](d, 4)
	require.NoError(t, err)
	require.NoError(t, k.Launch(threads(1), 7, x, [3]int16{1, 2, 3}))
	require.Len(t, params, 22)
	require.Equal(t, []byte{7, 0, 0, 0, 0, 0, 0, 0}, params[:8])
	require.Equal(t, []byte{1, 0, 2, 0, 3, 0}, params[16:])
	_, err = cuda.Bind1[int](background, f)
	require.ErrorIs(t, err, cuda.ErrArgument)
}
