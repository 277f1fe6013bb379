package futex

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

var errGone = errors.New("process has ended")

// zombie is SZOMB: a process that has ended and was not waited for.
const zombie = 5

// Of returns the ID of a process that has not ended. Its time is in microseconds.
func Of(pid int) (ID, error) {
	info, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		if err == unix.EIO || err == unix.ESRCH { // the answer is empty
			return 0, errGone
		}
		return 0, fmt.Errorf("ask for process %d: %w", pid, err)
	}
	if int(info.Proc.P_pid) != pid || info.Proc.P_stat == zombie {
		return 0, errGone
	}
	began := info.Proc.P_starttime
	return ID(uint64(uint32(began.Sec*1_000_000+int64(began.Usec)))<<32 | uint64(pid)), nil
}

// Alive reports whether a process has not ended. In doubt it has not.
func Alive(id ID) bool {
	now, err := Of(id.PID())
	if err != nil {
		return !errors.Is(err, errGone)
	}
	return now == id
}
