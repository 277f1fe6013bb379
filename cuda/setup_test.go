package cuda_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/workers"
)

// TestMain looks for leaked goroutines; the workers that serve the next call are none.
func TestMain(m *testing.M) { goleak.VerifyTestMain(stopping{m}) }

type stopping struct{ m *testing.M }

func (s stopping) Run() int {
	code := s.m.Run()
	workers.StopIdle()
	return code
}

// image has the kernels of the fake device. Bodies do not matter to it.
const image = `
.version 7.5
.target sm_75
.address_size 64
.visible .entry multiply_them(.param .u64 m0, .param .u64 m1, .param .u64 m2) { ret; }
.visible .entry increment(.param .u64 i0) { ret; }
.visible .entry spin() { ret; }
.visible .entry saxpy(.param .u32 s0, .param .f32 s1, .param .u64 s2, .param .u64 s3) { ret; }
.visible .entry _Z4axpyIfEvT_PS0_S1_i(.param .f32 p0, .param .u64 p1, .param .u64 p2, .param .u32 p3) { ret; }
.visible .entry _Z4axpyIdEvT_PS0_S1_i(.param .f64 p0, .param .u64 p1, .param .u64 p2, .param .u32 p3) { ret; }
.visible .entry _ZN2ns5scaleEPff(.param .u64 p0, .param .f32 p1) { ret; }
.visible .entry bounded(.param .u32 p0) .maxntid 128, 1, 1 { ret; }
.visible .entry required(.param .u32 p0) .reqntid 32, 2, 1 { ret; }
.visible .entry pair(.param .align 8 .b8 p0[16]) { ret; }
`

var background = context.Background()

// open opens a fake device. At the end of the test the device is closed, and no rule of the fake may be broken.
func open(t testing.TB) (*cuda.Device, *fake) {
	t.Helper()
	f := newFake()
	d, err := cuda.OpenBackend(cuda.Host, f.backend())
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, d.Close())
		f.mu.Lock()
		defer f.mu.Unlock()
		require.Empty(t, f.bad)
	})
	return d, f
}

// load loads image on the device.
func load(t testing.TB, d *cuda.Device) *cuda.Module {
	t.Helper()
	m, err := d.Load(background, []byte(image), cuda.LoadConfig{})
	require.NoError(t, err)
	return m
}

func function(t testing.TB, d *cuda.Device, name string) *cuda.Function {
	t.Helper()
	f, err := load(t, d).Function(name)
	require.NoError(t, err)
	return f
}

// threads is a launch of one block.
func threads(n int) cuda.LaunchConfig {
	return cuda.LaunchConfig{Grid: cuda.D1(1), Block: cuda.D1(n)}
}

// newStreamOf makes a stream.
func newStreamOf(t testing.TB, d *cuda.Device) *cuda.Stream {
	t.Helper()
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	return s
}

// liveCount is the number of allocations on the fake device.
func (f *fake) liveCount() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.live)
}

// awaitWaiter returns when a goroutine is inside Synchronize.
func (f *fake) awaitWaiter() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.waiting == 0 {
		f.changed.Wait()
	}
}

// awaitLive returns when n allocations are left, and collects garbage until then.
func awaitLive(t testing.TB, d *cuda.Device, f *fake, n int) {
	t.Helper()
	for range 100 {
		cuda.Reclaim(d)
		if f.liveCount() == n {
			return
		}
		runtime.Gosched()
	}
	require.Equal(t, n, f.liveCount(), "allocations left")
}
