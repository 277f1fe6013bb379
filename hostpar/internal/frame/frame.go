// Package frame sends messages, with open files where the system can pass them, over a connection between two
// processes of one machine.
//
// A frame is a header of 16 bytes, little-endian (length of the body, four bytes; kind, one; number of files, one; two
// zeros; id, eight), then the body. Frames arrive in order and whole. A file travels with the first byte of its frame.
package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// MaxBody is the largest body that is sent or accepted.
const MaxBody = 1 << 31

// MaxFiles is how many files one frame may carry; Linux allows 253.
const MaxFiles = 250

const (
	headerSize = 16
	bufferSize = 64 << 10
	firstRead  = 1 << 20 // a longer body is read in steps, so that a wrong length costs no memory
)

// ErrTooLarge reports a frame with more bytes or files than allowed.
var ErrTooLarge = errors.New("message too large")

// ErrNotSupported reports that files cannot be passed on this system.
var ErrNotSupported = errors.New("passing open files to another process is not supported on this system")

// Frame is one message.
type Frame struct {
	// Kind says what it is; a matter of those who talk.
	Kind byte
	// ID tells messages of a kind apart.
	ID uint64
	// Body is the message itself. A received one belongs to the receiver.
	Body []byte
	// Files came along. Received ones belong to the receiver; sent ones stay the sender's.
	Files []*os.File
}

// conn is the transport: bytes in order, and files in the order of their first bytes.
type conn interface {
	// read fills p with at least one byte. Files that came with these bytes are appended to what take returns.
	read(p []byte) (int, error)
	// take returns the next n files, which have arrived. What tells them may follow the header; more reads it.
	take(n int, more func(p []byte) error) ([]*os.File, error)
	write(p []byte) error
	// writeFiles writes p, with files attached to its first byte.
	writeFiles(p []byte, files []*os.File) error
	close() error
}

// Link is one end of a connection. Send and Flush may be called from any goroutine, Receive from one at a time; Close
// ends all of them.
type Link struct {
	c conn

	out struct {
		sync.Mutex
		buf []byte
		err error // after it nothing is sent
	}

	in    []byte // bufferSize bytes
	have  []byte // what of in was read and not used
	arena []byte // memory for small bodies

	partial bool
}

func newLink(c conn) *Link {
	return &Link{c: c, in: make([]byte, bufferSize)}
}

// Send writes a frame into the buffer, which goes out when it is full, when the frame has files, and by Flush.
func (l *Link) Send(f Frame) error {
	if len(f.Body) > MaxBody || len(f.Files) > MaxFiles {
		return fmt.Errorf("%w: %d bytes and %d files", ErrTooLarge, len(f.Body), len(f.Files))
	}
	l.out.Lock()
	defer l.out.Unlock()
	if l.out.err != nil {
		return l.out.err
	}
	var h [headerSize]byte
	binary.LittleEndian.PutUint32(h[:], uint32(len(f.Body)))
	h[4], h[5] = f.Kind, byte(len(f.Files))
	binary.LittleEndian.PutUint64(h[8:], f.ID)
	if len(f.Files) > 0 {
		l.flush()
		l.keep(l.c.writeFiles(h[:], f.Files))
		l.out.buf = append(l.out.buf, f.Body...)
		l.flush()
		return l.out.err
	}
	l.out.buf = append(l.out.buf, h[:]...)
	if len(l.out.buf)+len(f.Body) > bufferSize {
		l.flush()
		if len(f.Body) > bufferSize {
			l.keep(l.c.write(f.Body))
			return l.out.err
		}
	}
	l.out.buf = append(l.out.buf, f.Body...)
	return l.out.err
}

// Flush sends what is in the buffer.
func (l *Link) Flush() error {
	l.out.Lock()
	defer l.out.Unlock()
	l.flush()
	return l.out.err
}

func (l *Link) keep(err error) {
	if l.out.err == nil {
		l.out.err = err
	}
}

func (l *Link) flush() {
	if len(l.out.buf) == 0 || l.out.err != nil {
		return
	}
	l.keep(l.c.write(l.out.buf))
	l.out.buf = l.out.buf[:0]
	if cap(l.out.buf) > 4*bufferSize {
		l.out.buf = nil
	}
}

// Partial reports whether the last Receive has failed in the middle of a frame: the next would make no sense of the rest.
func (l *Link) Partial() bool { return l.partial }

// Buffered reports whether a whole header is there already, so that Receive will hardly wait.
func (l *Link) Buffered() bool { return len(l.have) >= headerSize }

// Receive waits for a frame. At the end it returns io.EOF; io.ErrUnexpectedEOF in the middle of a frame.
func (l *Link) Receive() (Frame, error) {
	var h [headerSize]byte
	got, err := l.fill(h[:])
	l.partial = got > 0
	if err != nil {
		return Frame{}, partly(got, err)
	}
	n := binary.LittleEndian.Uint32(h[:])
	f := Frame{Kind: h[4], ID: binary.LittleEndian.Uint64(h[8:])}
	if n > MaxBody || h[6] != 0 || h[7] != 0 {
		return Frame{}, fmt.Errorf("%w: header says %d bytes", ErrTooLarge, n)
	}
	if h[5] > 0 {
		files, err := l.c.take(int(h[5]), l.readFull)
		if err != nil {
			return Frame{}, err
		}
		f.Files = files
	}
	body, err := l.body(int(n))
	if err != nil {
		for _, file := range f.Files {
			err = errors.Join(err, file.Close())
		}
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return Frame{}, err
	}
	f.Body = body
	l.partial = false
	return f, nil
}

func (l *Link) body(n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	if n <= 1024 {
		if len(l.arena) < n {
			l.arena = make([]byte, 32<<10)
		}
		b := l.arena[:n:n]
		l.arena = l.arena[n:]
		return b, l.readFull(b)
	}
	b := make([]byte, min(n, firstRead))
	if err := l.readFull(b); err != nil {
		return nil, err
	}
	for len(b) < n {
		had := len(b)
		b = append(b, make([]byte, min(n-had, had))...)
		if err := l.readFull(b[had:]); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (l *Link) readFull(p []byte) error {
	got, err := l.fill(p)
	return partly(got, err)
}

// fill fills p, large parts without a copy, and returns how much it has filled.
func (l *Link) fill(p []byte) (got int, err error) {
	for got < len(p) {
		if len(l.have) > 0 {
			n := copy(p[got:], l.have)
			l.have = l.have[n:]
			got += n
			continue
		}
		if len(p)-got >= bufferSize {
			n, err := l.c.read(p[got:])
			if err != nil {
				return got, err
			}
			got += n
			continue
		}
		n, err := l.c.read(l.in)
		if err != nil {
			return got, err
		}
		l.have = l.in[:n]
	}
	return got, nil
}

func partly(got int, err error) error {
	if got > 0 && errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Close ends the connection. What is in the buffer is not sent. Calls under way return with an error.
func (l *Link) Close() error { return l.c.close() }
