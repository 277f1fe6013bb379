package proc

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/shm"
)

// ringBytes is the size of the ring of each direction, and fragment the largest part of a message in it: four of them with
// what each needs besides fill the ring.
const (
	ringBytes = 64 << 10
	fragment  = ringBytes/4 - 16
)

// rings is a transport over two rings. Nothing of a ring tells that a process has died, so there is a pipe of the system
// in each direction, through which nothing is ever sent: it ends with the process that may write to it.
type rings struct {
	in, out      *shm.Ring
	theirs, ours *os.File      // ends when they do; keeps them from thinking that we have
	over         chan struct{} // the goroutine that watches theirs has ended
	frag         []byte        // of who sends
}

func ringPair() (a, b transport, err error) {
	var r [2]*shm.Ring
	for i := range r {
		if r[i], err = shm.NewRing(ringBytes); err != nil {
			return nil, nil, err
		}
	}
	r1, w1, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	r2, w2, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, r1.Close(), w1.Close())
	}
	return newRings(r[0], r[1], r1, w2), newRings(r[1], r[0], r2, w1), nil
}

func newRings(in, out *shm.Ring, theirs, ours *os.File) *rings {
	r := &rings{in: in, out: out, theirs: theirs, ours: ours, over: make(chan struct{})}
	go func() {
		defer close(r.over)
		var b [1]byte
		if _, err := theirs.Read(b[:]); errors.Is(err, io.EOF) {
			r.end() // they are gone
		}
	}()
	return r
}

func (r *rings) end() {
	r.in.Close()
	r.out.Close()
}

// send puts a message in parts; the first byte of each says whether there are more.
func (r *rings) send(ctx context.Context, b []byte) error {
	for first := true; ; first = false {
		n := min(len(b), fragment)
		more := byte(0)
		if n < len(b) {
			more = 1
		}
		r.frag = append(append(r.frag[:0], more), b[:n]...)
		if err := r.out.Put(ctx, r.frag); err != nil {
			if errors.Is(err, shm.ErrClosed) {
				return io.ErrClosedPipe
			}
			if !first {
				r.end() // half a message is sent
			}
			return err
		}
		if b = b[n:]; more == 0 {
			return nil
		}
	}
}

func (r *rings) receive(ctx context.Context, buf []byte) ([]byte, error) {
	for first := true; ; first = false {
		at := len(buf)
		var err error
		if buf, err = r.in.Get(ctx, buf); err != nil {
			if errors.Is(err, shm.ErrClosed) {
				r.out.Close() // who saw the end must not be able to send, though the two are closed one after the other
			}
			switch {
			case errors.Is(err, shm.ErrClosed) && first:
				err = io.EOF
			case errors.Is(err, shm.ErrClosed):
				err = io.ErrUnexpectedEOF
			case !first:
				r.end() // the rest would not be understood
			}
			return buf, err
		}
		if len(buf) == at {
			return buf, codec.ErrCorrupt
		}
		more := buf[at] == 1
		buf = append(buf[:at], buf[at+1:]...)
		if !more {
			return buf, nil
		}
	}
}

func (r *rings) close() error {
	r.end()
	r.leave()
	return nil
}

func (r *rings) leave() {
	_ = r.theirs.Close() // nothing was sent through them
	_ = r.ours.Close()
	<-r.over
}

func (r *rings) pass(e *codec.Encoder) error {
	e.Uvarint(passedRings)
	if err := errors.Join(r.in.EncodeHandle(e), r.out.EncodeHandle(e)); err != nil {
		return err
	}
	e.File(r.theirs)
	e.File(r.ours)
	return nil
}

func receiveRings(d *codec.Decoder) (transport, error) {
	in, out := new(shm.Ring), new(shm.Ring)
	if err := errors.Join(in.DecodeHandle(d), out.DecodeHandle(d)); err != nil {
		return nil, err
	}
	theirs, err := d.File()
	if err != nil {
		return nil, err
	}
	ours, err := d.File()
	if err != nil {
		return nil, errors.Join(err, theirs.Close())
	}
	return newRings(in, out, theirs, ours), nil
}
