//go:build unix

package codec

import (
	"os"

	"golang.org/x/sys/unix"
)

// duplicate opens a file once more. The new one is not passed to programs that this process starts.
func duplicate(f *os.File) (*os.File, error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, err
	}
	var dup *os.File
	controlErr := raw.Control(func(fd uintptr) {
		var n int
		if n, err = unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			dup = os.NewFile(uintptr(n), f.Name())
		}
	})
	if controlErr != nil {
		return nil, controlErr
	}
	return dup, os.NewSyscallError("dup", err)
}
