package dlpack_test

import (
	"math"
	"os"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/cuda/cudatest"
	"github.com/tandem-go/tandem/interop/dlpack"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVariable) != "" {
		os.Exit(child())
	}
	os.Exit(cudatest.Run(m))
}

var float32Type = dlpack.DataType{Code: dlpack.Float, Bits: 32, Lanes: 1}

// TestLoop exports memory of a device and imports it again, as another library would.
func TestLoop(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		b, err := cuda.Upload(t.Context(), dev, []float32{1, 2, 3, 4, 5, 6})
		require.NoError(t, err)
		tensor, err := dlpack.FromBuffer(b, 2, 3)
		require.NoError(t, err)
		require.Equal(t, float32Type, tensor.Type)
		for _, layout := range []struct {
			export func(dlpack.Tensor, func()) (uintptr, error)
			take   func(uintptr) (*dlpack.Imported, error)
		}{{dlpack.Export, dlpack.Import}, {dlpack.ExportUnversioned, dlpack.ImportUnversioned}} {
			var released atomic.Int32
			p, err := layout.export(tensor, func() { released.Add(1) })
			require.NoError(t, err)
			im, err := layout.take(p)
			require.NoError(t, err)
			require.Equal(t, []int64{2, 3}, im.Shape)
			require.Equal(t, []int64{3, 1}, im.Strides)
			require.Equal(t, tensor.Data, im.Data)
			require.Equal(t, tensor.Device, im.Device)
			require.True(t, im.Contiguous())
			if im.Device.Type == dlpack.CPU {
				xs, err := dlpack.Elements[float32](im)
				require.NoError(t, err)
				require.Equal(t, []float32{1, 2, 3, 4, 5, 6}, xs)
				_, err = dlpack.Elements[float64](im)
				require.ErrorIs(t, err, dlpack.ErrType)
			} else {
				_, err := im.Bytes()
				require.ErrorIs(t, err, dlpack.ErrDevice)
			}
			require.Zero(t, released.Load())
			require.NoError(t, im.Close())
			require.NoError(t, im.Close())
			require.EqualValues(t, 1, released.Load())
			_, err = im.Bytes()
			require.ErrorContains(t, err, "given back")
			dlpack.Discard(p) // has no effect any more
			require.EqualValues(t, 1, released.Load())
		}
		require.NoError(t, b.Close())
	})
}

func TestDiscard(t *testing.T) {
	x := [1]float32{7}
	released := 0
	tensor := dlpack.Tensor{Data: uintptr(unsafe.Pointer(&x)), Type: float32Type, ReadOnly: true, Copied: true, Device: dlpack.Device{Type: dlpack.CPU}}
	p, err := dlpack.Export(tensor, func() { released++ })
	require.NoError(t, err)
	dlpack.Discard(p)
	dlpack.Discard(p)
	require.Equal(t, 1, released)

	p, err = dlpack.Export(tensor, nil)
	require.NoError(t, err)
	im, err := dlpack.Import(p)
	require.NoError(t, err)
	require.True(t, im.ReadOnly)
	require.True(t, im.Copied)
	require.Empty(t, im.Shape)
	xs, err := dlpack.Elements[float32](im)
	require.NoError(t, err)
	require.Equal(t, x[:], xs)
	require.NoError(t, im.Close())

	_, err = dlpack.ExportUnversioned(tensor, nil)
	require.ErrorContains(t, err, "read-only")
}

// structure is a DLManagedTensorVersioned as another library might make it.
type structure struct {
	major, minor uint32
	context      uintptr
	deleter      uintptr
	flags        uint64
	data         uintptr
	device       dlpack.Device
	ndim         int32
	dtype        dlpack.DataType
	shape        *int64
	strides      *int64
	offset       uint64
}

// TestHostile: structures that no library should make are refused, and given back.
func TestHostile(t *testing.T) {
	var x [8]float32
	shape, strides := [2]int64{2, 2}, [2]int64{2, 1}
	address := func(s *structure) uintptr { return uintptr(unsafe.Pointer(s)) }
	for name, c := range map[string]struct {
		change func(s *structure)
		want   error
	}{
		"later version":       {func(s *structure) { s.major = 2 }, dlpack.ErrVersion},
		"before versions":     {func(s *structure) { s.major = 0 }, dlpack.ErrVersion},
		"negative dimensions": {func(s *structure) { s.ndim = -1 }, dlpack.ErrCorrupt},
		"many dimensions":     {func(s *structure) { s.ndim = math.MaxInt32 }, dlpack.ErrCorrupt},
		"no shape":            {func(s *structure) { s.shape = nil }, dlpack.ErrCorrupt},
		"null data":           {func(s *structure) { s.data = 0 }, dlpack.ErrCorrupt},
		"negative shape":      {func(s *structure) { s.shape = first(2, -2) }, dlpack.ErrCorrupt},
		"endless shape":       {func(s *structure) { s.shape = first(1<<40, 1<<40) }, dlpack.ErrCorrupt},
		"no type":             {func(s *structure) { s.dtype = dlpack.DataType{} }, dlpack.ErrCorrupt},
	} {
		s := &structure{major: 1, data: uintptr(unsafe.Pointer(&x)), device: dlpack.Device{Type: dlpack.CPU}, ndim: 2, dtype: float32Type, shape: &shape[0], strides: &strides[0]}
		c.change(s)
		_, err := dlpack.Import(address(s))
		require.ErrorIs(t, err, c.want, name)
	}
	_, err := dlpack.Import(0)
	require.ErrorIs(t, err, dlpack.ErrCorrupt)
	_, err = dlpack.ImportUnversioned(0)
	require.ErrorIs(t, err, dlpack.ErrCorrupt)

	// What can be described, but not be read as a slice.
	for name, c := range map[string]struct {
		change func(s *structure)
		want   error
	}{
		"columns first":   {func(s *structure) { s.strides = first(1, 2) }, dlpack.ErrLayout},
		"overflow":        {func(s *structure) { s.strides = first(math.MaxInt64, 1) }, dlpack.ErrLayout},
		"four bits":       {func(s *structure) { s.dtype.Bits = 4 }, dlpack.ErrType},
		"other device":    {func(s *structure) { s.device.Type = 10 }, dlpack.ErrDevice},
		"not aligned":     {func(s *structure) { s.offset = 1 }, dlpack.ErrLayout},
		"another type":    {func(s *structure) { s.dtype.Code = dlpack.Int }, dlpack.ErrType},
		"vectors of four": {func(s *structure) { s.dtype.Lanes = 4 }, dlpack.ErrType},
	} {
		s := &structure{major: 1, data: uintptr(unsafe.Pointer(&x)), device: dlpack.Device{Type: dlpack.CPU}, ndim: 2, dtype: float32Type, shape: &shape[0], strides: &strides[0]}
		c.change(s)
		im, err := dlpack.Import(address(s))
		require.NoError(t, err, name)
		_, err = dlpack.Elements[float32](im)
		require.ErrorIs(t, err, c.want, name)
		require.NoError(t, im.Close())
	}
}

func TestSpan(t *testing.T) {
	tensor := dlpack.Tensor{Data: 1 << 20, Type: float32Type, Shape: []int64{3, 4}}
	before, after, err := tensor.Span()
	require.NoError(t, err)
	require.Equal(t, [2]int64{0, 48}, [2]int64{before, after})
	tensor.Strides = []int64{-8, 2} // element 0, 0 is in the last row; columns two apart
	before, after, err = tensor.Span()
	require.NoError(t, err)
	require.Equal(t, [2]int64{64, 28}, [2]int64{before, after})
	tensor.Shape[0] = 0
	before, after, err = tensor.Span()
	require.NoError(t, err)
	require.Equal(t, [2]int64{}, [2]int64{before, after})
	tensor.Shape[0], tensor.Strides = 2, []int64{math.MaxInt64, math.MaxInt64}
	_, _, err = tensor.Span()
	require.ErrorIs(t, err, dlpack.ErrCorrupt)
}

func TestFromBufferRefused(t *testing.T) {
	cudatest.Each(t, func(t *testing.T, dev *cuda.Device) {
		b, err := cuda.Alloc[int16](dev, 6)
		require.NoError(t, err)
		defer b.Close()
		_, err = dlpack.FromBuffer(b, 4)
		require.ErrorIs(t, err, dlpack.ErrLayout)
		_, err = dlpack.FromBuffer(b, -2, -3)
		require.ErrorIs(t, err, dlpack.ErrCorrupt)
		tensor, err := dlpack.FromBuffer(b)
		require.NoError(t, err)
		require.Equal(t, "int16", tensor.Type.String())
	})
}

func TestTypes(t *testing.T) {
	require.Equal(t, "int8", dlpack.TypeOf[int8]().String())
	require.Equal(t, "uint64", dlpack.TypeOf[uint64]().String())
	require.Equal(t, "float64", dlpack.TypeOf[float64]().String())
	require.Equal(t, "complex64", dlpack.TypeOf[complex64]().String())
	require.Equal(t, dlpack.DataType{Code: dlpack.Complex, Bits: 128, Lanes: 1}, dlpack.TypeOf[complex128]())
	require.Equal(t, "bfloat16x2", dlpack.DataType{Code: dlpack.BFloat, Bits: 16, Lanes: 2}.String())
	require.EqualValues(t, 4, dlpack.DataType{Code: dlpack.BFloat, Bits: 16, Lanes: 2}.Bytes())
	require.Zero(t, dlpack.DataType{Code: dlpack.Int, Bits: 4, Lanes: 1}.Bytes())
}

// first is the address of two numbers.
func first(a, b int64) *int64 { return &(&[2]int64{a, b})[0] }
