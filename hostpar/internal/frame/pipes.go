package frame

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// Passer passes open files where a pipe cannot: it opens a file once more in the process at the other end, which is told
// the number that the file has there.
type Passer interface {
	// Pass opens f in the other process.
	Pass(f *os.File) (number uint64, err error)
	// Adopt takes a file that the other process has opened here.
	Adopt(number uint64) (*os.File, error)
}

// pipes is a connection of two pipes, one for each direction. The numbers of files follow the header of their frame.
type pipes struct {
	r io.ReadCloser
	w io.WriteCloser
	p Passer // nil if no files can be passed
}

// OverPipes returns a link that reads from r and writes to w, and owns both. It cannot pass files.
func OverPipes(r io.ReadCloser, w io.WriteCloser) *Link { return OverPipesWith(r, w, nil) }

// OverPipesWith is OverPipes with somebody who passes files.
func OverPipesWith(r io.ReadCloser, w io.WriteCloser, p Passer) *Link {
	return newLink(&pipes{r, w, p})
}

func (p *pipes) read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if n > 0 {
		return n, nil
	}
	if err == nil || errors.Is(err, os.ErrClosed) {
		err = io.EOF
	}
	return 0, err
}

func (p *pipes) take(n int, more func([]byte) error) ([]*os.File, error) {
	if p.p == nil {
		return nil, ErrNotSupported
	}
	numbers := make([]byte, 8*n)
	if err := more(numbers); err != nil {
		return nil, err
	}
	files := make([]*os.File, 0, n)
	for i := range n {
		f, err := p.p.Adopt(binary.LittleEndian.Uint64(numbers[8*i:]))
		if err != nil {
			for _, f := range files {
				err = errors.Join(err, f.Close())
			}
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func (p *pipes) write(b []byte) error {
	_, err := p.w.Write(b)
	return err
}

func (p *pipes) writeFiles(b []byte, files []*os.File) error {
	if p.p == nil {
		return ErrNotSupported
	}
	b = append([]byte(nil), b...)
	for _, f := range files {
		number, err := p.p.Pass(f)
		if err != nil {
			return err
		}
		b = binary.LittleEndian.AppendUint64(b, number)
	}
	return p.write(b)
}

func (p *pipes) close() error { return errors.Join(p.w.Close(), p.r.Close()) }
