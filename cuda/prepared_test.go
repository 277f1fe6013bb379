package cuda_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/ksig"
)

func TestPrepared(t *testing.T) {
	d, f := open(t)
	m := load(t, d)
	increment, err := m.Function("increment")
	require.NoError(t, err)
	x, err := cuda.Upload(background, d, []int32{1, 2})
	require.NoError(t, err)
	y, err := cuda.Upload(background, d, []int32{10, 20})
	require.NoError(t, err)
	p, err := increment.Prepare(threads(2), x)
	require.NoError(t, err)
	require.NoError(t, p.Launch())
	require.NoError(t, p.Launch())
	require.NoError(t, p.Set(0, y))
	require.NoError(t, p.Launch())
	require.ErrorIs(t, p.Set(1, y), cuda.ErrArgument)
	require.ErrorIs(t, p.Set(0, 1.5), cuda.ErrArgument)
	require.ErrorIs(t, p.Set(0, cuda.In([]int32{1})), cuda.ErrNotSupported)
	require.NoError(t, p.Launch(), "what was refused changed nothing")
	got, err := x.Download(background)
	require.NoError(t, err)
	require.Equal(t, []int32{3, 4}, got)
	got, err = y.Download(background)
	require.NoError(t, err)
	require.Equal(t, []int32{12, 22}, got)

	require.NoError(t, x.Close())
	require.NoError(t, p.Launch(), "x is not used any more")
	require.NoError(t, y.Close())
	require.ErrorIs(t, p.Launch(), cuda.ErrClosed)
	require.Zero(t, f.liveCount())

	_, err = increment.Prepare(threads(2), cuda.In([]int32{1}))
	require.ErrorIs(t, err, cuda.ErrNotSupported)
	_, err = increment.Prepare(threads(0), nil)
	require.ErrorIs(t, err, cuda.ErrInvalidValue)
	_, err = increment.Prepare(threads(1), int32(1))
	require.EqualError(t, err, "launch increment: parameter 0: want int64, uint64 or a pointer, have int32; use int64(x)")
}

// TestPreparedFaultNamesParameter: Set changes which argument a fault is blamed on.
func TestPreparedFaultNamesParameter(t *testing.T) {
	d, _ := open(t)
	k := function(t, d, "multiply_them")
	cuda.SetSource(k, ksig.Source{Name: "dest", Type: floatPtr}, ksig.Source{Name: "a", Type: floatPtr}, ksig.Source{Name: "b", Type: floatPtr})
	long, err := cuda.Alloc[float32](d, 8)
	require.NoError(t, err)
	short, err := cuda.Alloc[float32](d, 4)
	require.NoError(t, err)
	p, err := k.Prepare(threads(8), long, long, long)
	require.NoError(t, err)
	require.NoError(t, p.Launch())
	require.NoError(t, p.Set(1, short))
	require.NoError(t, p.Launch())
	require.ErrorContains(t, d.Synchronize(background), "parameter 1 (a): read of 4 bytes at element 4 of *cuda.Buffer[float32], which has 4 elements")
}

// nothing is a device whose launches do nothing.
type nothing struct{ driver.Device }

func (nothing) Launch(*driver.Launch) (driver.Ticket, error) { return 0, nil }

type nothingBackend struct{ driver.Backend }

func (b nothingBackend) Open(n int) (driver.Device, error) {
	d, err := b.Backend.Open(n)
	return nothing{d}, err
}

// TestPreparedTakesNoMemory: a prepared launch allocates nothing on Go's heap.
func TestPreparedTakesNoMemory(t *testing.T) {
	d, err := cuda.OpenBackend(cuda.Host, nothingBackend{newFake().backend()})
	require.NoError(t, err)
	defer d.Close()
	k := function(t, d, "saxpy")
	x, err := cuda.Alloc[float32](d, 4)
	require.NoError(t, err)
	p, err := k.Prepare(threads(4), 4, float32(2), x, x)
	require.NoError(t, err)
	require.NoError(t, p.Launch())
	require.Zero(t, testing.AllocsPerRun(1000, func() { _ = p.Launch() }))
}
