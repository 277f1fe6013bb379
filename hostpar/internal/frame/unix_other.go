//go:build unix && !linux

package frame

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func socketpair() (a, b int, err error) {
	syscall.ForkLock.RLock() // no child may start in between
	defer syscall.ForkLock.RUnlock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		closeOnExec(fds[0])
		closeOnExec(fds[1])
	}
	return fds[0], fds[1], err
}

func closeOnExec(fd int) { unix.CloseOnExec(fd) }
