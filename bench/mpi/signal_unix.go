//go:build unix

package main

import (
	"errors"
	"syscall"
)

const (
	stopped = syscall.SIGSTOP
	running = syscall.SIGCONT
)

// signal stops processes or lets them run again. Those that have ended are none to signal.
func signal(pids []int, s syscall.Signal) error {
	for _, pid := range pids {
		if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}
