package mpi_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"unsafe"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

// memory stands for a device buffer: an array that counts who waits for it and who copies it.
type memory struct {
	xs            []float64
	waits, copies int
	broken        error
}

func (m *memory) Len() int    { return len(m.xs) }
func (m *memory) Ptr() uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(m.xs)))) }

func (m *memory) Wait(context.Context) error { m.waits++; return m.broken }

func (m *memory) CopyTo(_ context.Context, dst []float64) error {
	m.copies++
	if len(dst) != len(m.xs) {
		return errors.New("lengths differ")
	}
	copy(dst, m.xs)
	return m.broken
}

func (m *memory) CopyFrom(_ context.Context, src []float64) error {
	m.copies++
	if len(src) != len(m.xs) {
		return errors.New("lengths differ")
	}
	copy(m.xs, src)
	return m.broken
}

// Device memory is handed to the library where that takes it, and goes through the host's elsewhere: with one result.
func TestRanksDeviceMemory(t *testing.T) {
	ranks(t, func(ctx context.Context, c *mpi.Comm) error {
		if err := deviceMemory(ctx, c, false); err != nil {
			return err
		}
		defer mpi.TakeCUDA(c)()
		return deviceMemory(ctx, c, mpi.Native(c))
	})
}

func deviceMemory(ctx context.Context, c *mpi.Comm, direct bool) error {
	const n = 20_000
	next, before := (c.Rank()+1)%c.Size(), (c.Rank()-1+c.Size())%c.Size()
	out, in := &memory{xs: fill(n, uint64(c.Rank()))}, &memory{xs: make([]float64, n+1)}
	in.xs[n] = -1
	s, err := mpi.SendrecvDevice[float64](ctx, c, out, next, 1, in, before, 1)
	if err != nil {
		return err
	}
	if !slices.Equal(append(fill(n, uint64(before)), -1), in.xs) || s != (mpi.Status{Source: before, Tag: 1, Bytes: 8 * n}) {
		return fmt.Errorf("wrong elements, or status %+v", s)
	}
	if direct != (out.waits == 1 && in.waits == 1) || direct != (out.copies+in.copies == 0) {
		return fmt.Errorf("direct is %v, but there were %d waits and %d copies", direct, out.waits, out.copies+in.copies)
	}
	same := &memory{xs: fill(2, uint64(c.Rank()))}
	want := make([]float64, 2)
	for r := range c.Size() {
		for i, x := range fill(2, uint64(r)) {
			want[i] += x
		}
	}
	errLost := errors.New("device lost")
	lost := &memory{xs: make([]float64, 3), broken: errLost}
	_, recv := mpi.RecvDevice[float64](ctx, c, in, c.Size(), 0)
	_, nobody := mpi.RecvDevice[float64](ctx, c, in, mpi.NoRank, 0)
	return all(
		func() error { return mpi.AllreduceDevice[float64](ctx, c, same, same, mpi.Sum) },
		func() error { return check(c, want, same.xs, "sum") },
		func() error { return mpi.BcastDevice[float64](ctx, c, out, 0) },
		func() error { return check(c, fill(n, 0)[:9], out.xs[:9], "bcast") },
		func() error { return fails("lost", mpi.SendDevice[float64](ctx, c, lost, next, 2), errLost) },
		func() error { return fails("rank", recv, mpi.ErrRank) },
		func() error { return nobody },
		func() error {
			return fails("lengths", mpi.AllreduceDevice[float64](ctx, c, same, in, mpi.Sum), mpi.ErrCount)
		},
		func() error { return deviceTruncated(ctx, c, next, before) },
	)
}

// A message that is longer than the device buffer is an error there too.
func deviceTruncated(ctx context.Context, c *mpi.Comm, next, before int) error {
	const n = 50_000
	small := &memory{xs: make([]float64, 2)}
	return meanwhile(ctx, c, make([]float64, n), next, 3, func() error {
		_, err := mpi.RecvDevice[float64](ctx, c, small, before, 3)
		return fails("truncated", err, mpi.ErrTruncated)
	})
}
