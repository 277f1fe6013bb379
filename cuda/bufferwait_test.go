package cuda_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

// TestBufferWait: Wait returns when work on the buffer, on any stream, is done.
func TestBufferWait(t *testing.T) {
	d, f := open(t)
	m := load(t, d)
	x, err := cuda.Upload(background, d, []int32{1})
	require.NoError(t, err)
	require.NoError(t, x.Wait(background))
	spin, err := m.Function("spin")
	require.NoError(t, err)
	increment, err := m.Function("increment")
	require.NoError(t, err)
	s, err := d.NewStream(cuda.StreamConfig{})
	require.NoError(t, err)
	cfg := threads(1)
	cfg.Stream = s
	require.NoError(t, spin.Launch(cfg))
	require.NoError(t, increment.Launch(cfg, x))
	over, cancel := context.WithCancel(background)
	cancel()
	require.ErrorIs(t, x.Wait(over), context.Canceled)
	waited := make(chan error)
	go func() { waited <- x.Wait(background) }()
	f.awaitWaiter()
	select {
	case <-waited:
		t.Fatal("Wait returned before the kernel, which is behind another one")
	default:
	}
	f.release()
	require.NoError(t, <-waited)
	require.NoError(t, x.Close())
	require.ErrorIs(t, x.Wait(background), cuda.ErrClosed)
}
