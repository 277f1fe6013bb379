package proc

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/internal/frame"
)

// files is a transport over two pipes of the system, for systems without shared memory.
type files struct {
	r, w *os.File
	link *frame.Link
}

func newFiles(r, w *os.File) *files { return &files{r, w, frame.OverPipes(r, w)} }

func filePair() (a, b transport, err error) {
	r1, w1, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	r2, w2, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, r1.Close(), w1.Close())
	}
	return newFiles(r1, w2), newFiles(r2, w1), nil
}

func (f *files) send(ctx context.Context, b []byte) error {
	stop := interrupt(ctx, f.w.SetWriteDeadline)
	err := f.link.Send(frame.Frame{Body: b})
	if err == nil {
		err = f.link.Flush()
	}
	if stop() && err != nil {
		_ = f.link.Close() // half a message may be sent
		return context.Cause(ctx)
	}
	if brokenPipe(err) {
		return io.ErrClosedPipe
	}
	return err
}

func (f *files) receive(ctx context.Context, buf []byte) ([]byte, error) {
	stop := interrupt(ctx, f.r.SetReadDeadline)
	m, err := f.link.Receive()
	if stop() && err != nil {
		if !errors.Is(err, os.ErrDeadlineExceeded) || f.link.Partial() {
			_ = f.link.Close() // the rest would not be understood
		}
		return buf, context.Cause(ctx)
	}
	return append(buf, m.Body...), err
}

// interrupt makes a call on a file end with ctx. stop tells whether that has happened.
func interrupt(ctx context.Context, set func(time.Time) error) (stop func() bool) {
	if ctx.Done() == nil {
		return func() bool { return false }
	}
	over := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		_ = set(time.Unix(1, 0)) // a closed file needs no deadline
		close(over)
	})
	return func() bool {
		if cancel() {
			return false
		}
		<-over
		_ = set(time.Time{}) // for the next call
		return true
	}
}

func (f *files) close() error { return f.link.Close() }

func (f *files) leave() { _ = f.link.Close() } // nothing is in its buffer

func (f *files) pass(e *codec.Encoder) error {
	e.Uvarint(passedFiles)
	e.File(f.r)
	e.File(f.w)
	return nil
}

func receiveFiles(d *codec.Decoder) (transport, error) {
	r, err := d.File()
	if err != nil {
		return nil, err
	}
	w, err := d.File()
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return newFiles(r, w), nil
}
