package frame_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/hostpar/internal/frame"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// overPipes returns both ends of a connection by pipes.
func overPipes(t *testing.T) (a, b *frame.Link) {
	t.Helper()
	r1, w1, err := os.Pipe()
	require.NoError(t, err)
	r2, w2, err := os.Pipe()
	require.NoError(t, err)
	return frame.OverPipes(r1, w2), frame.OverPipes(r2, w1)
}

func each(t *testing.T, test func(t *testing.T, a, b *frame.Link)) {
	for name, pair := range map[string]func(*testing.T) (a, b *frame.Link){"pipes": overPipes, "sockets": overSockets} {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t)
			test(t, a, b)
			require.NoError(t, a.Close())
			require.NoError(t, b.Close())
		})
	}
}

func TestFramesArriveWholeAndInOrder(t *testing.T) {
	each(t, func(t *testing.T, a, b *frame.Link) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		sizes := rand.New(rand.NewPCG(seed, 0))
		const n = 500
		var want []frame.Frame
		for i := range n {
			body := make([]byte, 1<<sizes.IntN(18)-1)
			for j := range body {
				body[j] = byte(i + j)
			}
			want = append(want, frame.Frame{Kind: byte(i), ID: uint64(i) << 40, Body: body})
		}
		sent := make(chan error, 1)
		go func() {
			for i, f := range want {
				if err := a.Send(f); err != nil {
					sent <- err
					return
				}
				if i%7 == 0 {
					_ = a.Flush() // the next Send returns its error
				}
			}
			sent <- a.Flush()
		}()
		for _, w := range want {
			f, err := b.Receive()
			require.NoError(t, err)
			require.Equal(t, w.Kind, f.Kind)
			require.Equal(t, w.ID, f.ID)
			require.True(t, bytes.Equal(w.Body, f.Body))
		}
		require.NoError(t, <-sent)
	})
}

// 64 MiB in both directions at the same time do not block each other, as each side reads.
func TestBothWaysAtOnce(t *testing.T) {
	each(t, func(t *testing.T, a, b *frame.Link) {
		body := make([]byte, 64<<20)
		body[len(body)-1] = 9
		errs := make(chan error, 2)
		for _, l := range []*frame.Link{a, b} {
			go func() { errs <- l.Send(frame.Frame{Body: body}) }()
		}
		for _, l := range []*frame.Link{a, b} {
			go func() {
				f, err := l.Receive()
				if err == nil && !bytes.Equal(f.Body, body) {
					err = io.ErrNoProgress
				}
				errs <- err
			}()
		}
		for range 4 {
			require.NoError(t, <-errs)
		}
	})
}

func TestEnd(t *testing.T) {
	for name, pair := range map[string]func(*testing.T) (a, b *frame.Link){"pipes": overPipes, "sockets": overSockets} {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t)
			require.NoError(t, a.Send(frame.Frame{Kind: 1, Body: []byte("last")}))
			require.NoError(t, a.Flush())
			require.NoError(t, a.Close())
			f, err := b.Receive()
			require.NoError(t, err)
			require.Equal(t, "last", string(f.Body))
			_, err = b.Receive()
			require.ErrorIs(t, err, io.EOF)
			require.NoError(t, b.Close())
			require.Error(t, b.Send(frame.Frame{Body: make([]byte, 1<<20)}))
			require.Error(t, b.Send(frame.Frame{}), "an error is kept")
		})
	}
}

func TestCloseEndsReceive(t *testing.T) {
	a, b := overSockets(t)
	done := make(chan error, 1)
	go func() {
		_, err := b.Receive()
		done <- err
	}()
	require.NoError(t, b.Close())
	require.Error(t, <-done)
	require.NoError(t, a.Close())
}

func TestLimits(t *testing.T) {
	a, b := overPipes(t)
	require.ErrorIs(t, a.Send(frame.Frame{Files: make([]*os.File, frame.MaxFiles+1)}), frame.ErrTooLarge)
	require.NoError(t, a.Send(frame.Frame{}), "what was refused did no harm")
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())

	// A header with an impossible length, and one with a length that is not there.
	for _, h := range []string{"\xff\xff\xff\xff\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "\x00\x00\x00\x70\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00abc",
		"\x00\x00\x00"} {
		r := frame.OverPipes(io.NopCloser(bytes.NewReader([]byte(h))), nopCloser{})
		_, err := r.Receive()
		require.Error(t, err)
		require.NotErrorIs(t, err, io.EOF)
	}
}

type nopCloser struct{}

func (nopCloser) Write(p []byte) (int, error) { return len(p), nil }
func (nopCloser) Close() error                { return nil }
