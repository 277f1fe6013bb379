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
	"github.com/tandem-go/tandem/internal/hostdev"
)

// results are what the scenario's launches write.
type results struct{ run, launched, downloaded []float32 }

// scenario uses every part of the package once. It closes whatever it made, and returns the first error of each object's
// life: of making or using it, and of closing it.
func scenario(ctx context.Context, d *cuda.Device, code []byte, out *results) (err error) {
	var closers []func() error
	defer func() {
		for i := range closers {
			err = errors.Join(err, closers[len(closers)-1-i]())
		}
	}()
	m, err := d.Load(ctx, code, cuda.LoadConfig{})
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

// TestEveryCallFailsInTurn: whichever call of the back end fails, the error reaches the caller or Device.Close, nothing
// is left, and slices are either complete or unchanged. On the fake device, and on the host device.
func TestEveryCallFailsInTurn(t *testing.T) {
	cancellable, cancel := context.WithCancel(background)
	defer cancel()
	code, _, err := cuda.CompilePTX(background, multiplySource, cuda.CompileConfig{})
	require.NoError(t, err)
	onFake := func(t *testing.T, ctx context.Context, n int) []string {
		f := newFake()
		calls := failAt(t, ctx, n, f.backend(), []byte(image))
		require.Empty(t, f.bad, "call %d failed", n)
		return calls
	}
	onHost := func(t *testing.T, ctx context.Context, n int) []string {
		return failAt(t, ctx, n, hostdev.New(hostdev.Config{}), code)
	}
	for _, c := range []struct {
		name string
		fail func(*testing.T, context.Context, int) []string
		ctx  context.Context
	}{
		{"fake", onFake, background}, {"fake cancellable", onFake, cancellable},
		{"host", onHost, background}, {"host cancellable", onHost, cancellable},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := c.fail(t, c.ctx, 0)
			require.Greater(t, len(calls), 40)
			for n := 1; n <= len(calls); n++ {
				c.fail(t, c.ctx, n)
			}
		})
	}
}

func failAt(t *testing.T, ctx context.Context, n int, inner driver.Backend, code []byte) []string {
	t.Helper()
	b := faultdrv.New(inner)
	d, err := cuda.OpenBackend(cuda.Host, b)
	require.NoError(t, err)
	out := results{fresh(), fresh(), fresh()}
	b.Fail(faultdrv.Plan{Call: n})
	err = scenario(ctx, d, code, &out)
	left := held(b)
	for range 20 { // streams and page-locked memory are freed by the reaper
		if len(left) == 0 {
			break
		}
		cuda.Reclaim(d)
		left = held(b)
	}
	calls := b.Calls()
	failed := "nothing"
	if n > 0 && n <= len(calls) {
		failed = fmt.Sprintf("call %d, %s,", n, calls[n-1])
	}
	require.Empty(t, left, "%s failed", failed)
	closed := d.Close()

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

// held is what the scenario left, apart from the device and the stream that the device keeps for reading.
func held(b *faultdrv.Backend) (left []string) {
	streams := 0
	for _, o := range b.Live() {
		if strings.HasPrefix(o, "Open") {
			continue
		}
		if strings.HasPrefix(o, "NewStream") {
			streams++
		}
		left = append(left, o)
	}
	if len(left) == 1 && streams == 1 {
		return nil
	}
	return left
}

func fresh() []float32 { return []float32{-1, -1, -1, -1} }
