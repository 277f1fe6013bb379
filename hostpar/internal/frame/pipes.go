package frame

import (
	"errors"
	"io"
	"os"
)

// pipes is a connection of two pipes, one for each direction. It passes no files.
type pipes struct {
	r io.ReadCloser
	w io.WriteCloser
}

// OverPipes returns a link that reads from r and writes to w, and owns both. It cannot pass files.
func OverPipes(r io.ReadCloser, w io.WriteCloser) *Link { return newLink(&pipes{r, w}) }

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

func (p *pipes) take(int) ([]*os.File, error) { return nil, ErrNotSupported }

func (p *pipes) write(b []byte) error {
	_, err := p.w.Write(b)
	return err
}

func (p *pipes) writeFiles([]byte, []*os.File) error { return ErrNotSupported }

func (p *pipes) close() error { return errors.Join(p.w.Close(), p.r.Close()) }
