//go:build !tandem_portable

package shm

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

func namedFolder() string { return "/dev/shm" }

const (
	namedPrefix = ""
	noFollow    = unix.O_NOFOLLOW
)

// createFile makes a file in memory that has no name.
func createFile(size int) (*os.File, error) {
	fd, err := unix.MemfdCreate("tandem-shm", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), "shm")
	if err := f.Truncate(int64(size)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
