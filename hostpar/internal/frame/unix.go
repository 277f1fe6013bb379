//go:build unix

package frame

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// socket is a connected stream socket of the Unix domain.
type socket struct {
	c   *net.UnixConn
	oob []byte

	mu    sync.Mutex
	files []*os.File // arrived, not taken
	over  bool
}

// New returns a link over a stream socket, which it owns.
func New(c *net.UnixConn) *Link {
	return newLink(&socket{c: c, oob: make([]byte, unix.CmsgSpace(4*253))})
}

// FromFile returns a link over a socket that was inherited or received. It owns the file's socket; the file is closed.
func FromFile(f *os.File) (*Link, error) {
	c, err := net.FileConn(f)
	if closeErr := f.Close(); err == nil && closeErr != nil {
		err = closeErr
	}
	if err != nil {
		return nil, err
	}
	u, ok := c.(*net.UnixConn)
	if !ok {
		return nil, fmt.Errorf("%s is not a socket of the Unix domain", f.Name())
	}
	return New(u), nil
}

// Pair returns a link and the other end of it as a file to hand to a child process.
func Pair() (*Link, *os.File, error) {
	ours, theirs, err := socketpair()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	l, err := FromFile(os.NewFile(uintptr(ours), "link"))
	other := os.NewFile(uintptr(theirs), "link")
	if err != nil {
		_ = other.Close() // the error to report is the other one
		return nil, nil, err
	}
	return l, other, nil
}

func (s *socket) read(p []byte) (int, error) {
	n, oobn, _, _, err := s.c.ReadMsgUnix(p, s.oob)
	if oobn > 0 {
		s.collect(s.oob[:oobn])
	}
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// collect opens the files of control messages. What cannot be understood is left out, and its frame then fails.
func (s *socket) collect(oob []byte) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			continue
		}
		for _, fd := range fds {
			closeOnExec(fd)
			f := os.NewFile(uintptr(fd), "received")
			if s.over {
				_ = f.Close() // nobody will take it
				continue
			}
			s.files = append(s.files, f)
		}
	}
}

func (s *socket) take(n int, _ func([]byte) error) ([]*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.files) < n {
		return nil, fmt.Errorf("message of %d files came with %d", n, len(s.files))
	}
	files := s.files[:n:n]
	s.files = s.files[n:]
	return files, nil
}

func (s *socket) write(p []byte) error {
	_, err := s.c.Write(p)
	return err
}

func (s *socket) writeFiles(p []byte, files []*os.File) error {
	fds := make([]int, len(files))
	for i, f := range files {
		raw, err := f.SyscallConn()
		if err != nil {
			return err
		}
		// The number is used below while the caller keeps the file open.
		if err := raw.Control(func(fd uintptr) { fds[i] = int(fd) }); err != nil {
			return err
		}
	}
	n, _, err := s.c.WriteMsgUnix(p, unix.UnixRights(fds...), nil)
	if err != nil {
		return err
	}
	if n < len(p) {
		return s.write(p[n:])
	}
	return nil
}

func (s *socket) close() error {
	err := s.c.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	for _, f := range s.files {
		_ = f.Close() // nobody took it
	}
	s.files = nil
	return err
}
