//go:build unix

package frame_test

import (
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/hostpar/internal/frame"
)

func overSockets(t *testing.T) (a, b *frame.Link) {
	t.Helper()
	a, other, err := frame.Pair()
	require.NoError(t, err)
	b, err = frame.FromFile(other)
	require.NoError(t, err)
	return a, b
}

// sameProcess passes files to its own process.
type sameProcess struct{}

func (sameProcess) Pass(f *os.File) (uint64, error) {
	fd, err := unix.Dup(int(f.Fd()))
	return uint64(fd), err
}

func (sameProcess) Adopt(number uint64) (*os.File, error) {
	return os.NewFile(uintptr(number), "received"), nil
}

func overPassingPipes(t *testing.T) (a, b *frame.Link) {
	t.Helper()
	r1, w1, err := os.Pipe()
	require.NoError(t, err)
	r2, w2, err := os.Pipe()
	require.NoError(t, err)
	return frame.OverPipesWith(r1, w2, sameProcess{}), frame.OverPipesWith(r2, w1, sameProcess{})
}

// Files arrive with their frames, whatever is sent around them.
func TestFiles(t *testing.T) {
	t.Run("sockets", func(t *testing.T) { testFiles(t, overSockets) })
	t.Run("pipes", func(t *testing.T) { testFiles(t, overPassingPipes) })
}

func testFiles(t *testing.T, connect func(*testing.T) (a, b *frame.Link)) {
	t.Helper()
	a, b := connect(t)
	const n = 100
	sent := make(chan error, 1)
	go func() {
		sent <- func() error {
			for i := range n {
				var files []*os.File
				for j := range i % 4 {
					r, w, err := os.Pipe()
					if err != nil {
						return err
					}
					if _, err := fmt.Fprintf(w, "%d/%d", i, j); err != nil {
						return err
					}
					if err := w.Close(); err != nil {
						return err
					}
					defer func() { _ = r.Close() }() // only read from elsewhere
					files = append(files, r)
				}
				if err := a.Send(frame.Frame{ID: uint64(i), Body: make([]byte, i*777), Files: files}); err != nil {
					return err
				}
			}
			return a.Flush()
		}()
	}()
	for i := range n {
		f, err := b.Receive()
		require.NoError(t, err)
		require.Equal(t, uint64(i), f.ID)
		require.Len(t, f.Body, i*777)
		require.Len(t, f.Files, i%4)
		for j, file := range f.Files {
			text, err := io.ReadAll(file)
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf("%d/%d", i, j), string(text))
			require.NoError(t, file.Close())
		}
	}
	require.NoError(t, <-sent)
	require.NoError(t, a.Close())
	require.NoError(t, b.Close())
}

// Files of frames that nobody received are closed with the link.
func TestFilesOfAClosedLink(t *testing.T) {
	a, b := overSockets(t)
	r, w, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, a.Send(frame.Frame{Kind: 1}))
	require.NoError(t, a.Send(frame.Frame{Kind: 2, Files: []*os.File{w}}))
	require.NoError(t, w.Close())
	_, err = b.Receive()
	require.NoError(t, err)
	require.NoError(t, b.Close())
	require.NoError(t, a.Close())
	_, err = r.Read(make([]byte, 1)) // the last writer is gone
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, r.Close())
}

func BenchmarkRoundTrip(b *testing.B) {
	x, other, err := frame.Pair()
	require.NoError(b, err)
	y, err := frame.FromFile(other)
	require.NoError(b, err)
	go func() {
		for {
			f, err := y.Receive()
			if err != nil {
				return
			}
			_ = y.Send(f) // the other side would notice
			_ = y.Flush()
		}
	}()
	for b.Loop() {
		_ = x.Send(frame.Frame{Body: []byte("12345678")}) // Receive would not return
		_ = x.Flush()
		if _, err := x.Receive(); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, x.Close())
	require.NoError(b, y.Close())
}
