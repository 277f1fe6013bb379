package cuda_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/driver/faultdrv"
)

// results are what the scenario's launches write.
type results struct{ run, launched, downloaded []float32 }

// scenario uses every part of the package once. It closes whatever it made, and returns the first error of each object's
// life: of making or using it, and of closing it.
func scenario(ctx context.Context, d *cuda.Device, out *results) (err error) {
	var closers []func() error
	defer func() {
		for i := range closers {
			err = errors.Join(err, closers[len(closers)-1-i]())
		}
	}()
	m, err := d.Load(ctx, []byte(image), cuda.LoadConfig{})
	if err != nil {
		return err
	}
	closers = append(closers, m.Close)
	k, err := m.Function("multiply_them")
	if err != nil {
		return err
	}
	s, err := d.NewStream(cuda.StreamConfig{})
	if err != nil {
		return err
	}
	closers = append(closers, s.Close)
	e, err := d.NewEvent()
	if err != nil {
		return err
	}
	closers = append(closers, e.Close)
	x, err := cuda.Upload(ctx, d, []float32{1, 2, 3, 4})
	if err != nil {
		return err
	}
	closers = append(closers, x.Close)
	h, err := cuda.AllocHost[float32](d, 4)
	if err != nil {
		return err
	}
	closers = append(closers, h.Close)
	cfg := cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(4), Stream: s}
	return steps(
		func() error { return x.Fill(2, s) },
		func() error { return cuda.Copy(h, x, s) },
		func() error { return k.Launch(cfg, cuda.Out(out.launched), x, h) },
		func() error { return e.Record(s) },
		func() error { return d.DefaultStream().WaitFor(e) },
		func() error { return e.Wait(ctx) },
		func() error { return s.Wait(ctx) },
		func() error { return k.Run(ctx, threads(4), cuda.InOut(out.run), x, cuda.In([]float32{1, 2, 3, 4})) },
		func() error { return x.CopyTo(ctx, out.downloaded) },
		func() error { return d.Synchronize(ctx) },
	)
}

func steps(fs ...func() error) error {
	for _, f := range fs {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// TestEveryCallFailsInTurn: whichever call of the back end fails, the error reaches the caller or Device.Close, nothing is
// left, and slices are either complete or unchanged.
func TestEveryCallFailsInTurn(t *testing.T) {
	cancellable, cancel := context.WithCancel(background)
	defer cancel()
	for name, ctx := range map[string]context.Context{"background": background, "cancellable": cancellable} {
		t.Run(name, func(t *testing.T) {
			calls := failAt(t, ctx, 0)
			require.Greater(t, len(calls), 40)
			for n := 1; n <= len(calls); n++ {
				failAt(t, ctx, n)
			}
		})
	}
}

func failAt(t *testing.T, ctx context.Context, n int) []string {
	t.Helper()
	f := newFake()
	b := faultdrv.New(f.backend())
	d, err := cuda.OpenBackend(cuda.Host, b)
	require.NoError(t, err)
	out := results{fresh(), fresh(), fresh()}
	b.Fail(faultdrv.Plan{Call: n})
	err = scenario(ctx, d, &out)
	for range 4 { // streams and page-locked memory are freed by the reaper
		cuda.Reclaim(d)
	}
	calls := b.Calls()
	failed := "nothing"
	if n > 0 && n <= len(calls) {
		failed = fmt.Sprintf("call %d, %s,", n, calls[n-1])
	}
	b.Fail(faultdrv.Plan{})
	var left []string
	for _, o := range b.Live() {
		if !strings.HasPrefix(o, "Open") {
			left = append(left, o)
		}
	}
	if len(left) == 1 && strings.HasPrefix(left[0], "NewStream") {
		left = nil // the device's own, for reading
	}
	require.Empty(t, left, "%s failed", failed)
	closed := d.Close()
	require.Empty(t, f.bad, "%s failed", failed)

	complete := []struct{ got, want []float32 }{{out.launched, []float32{4, 4, 4, 4}}, {out.run, []float32{2, 4, 6, 8}}, {out.downloaded, []float32{2, 2, 2, 2}}}
	for i, s := range complete {
		if s.got[0] == -1 {
			require.Equal(t, fresh(), s.got, "slice %d when %s failed", i, failed)
		} else {
			require.Equal(t, s.want, s.got, "slice %d when %s failed", i, failed)
		}
	}
	switch {
	case n == 0:
		require.NoError(t, err)
		require.NoError(t, closed)
	case n > len(calls), strings.HasPrefix(calls[n-1], "Query"):
		// Scheduling made fewer calls than the first time; or a question failed whose answer only saves time.
	default:
		require.ErrorIs(t, errors.Join(err, closed), driver.Unknown, "%s failed", failed)
	}
	return calls
}

func fresh() []float32 { return []float32{-1, -1, -1, -1} }
