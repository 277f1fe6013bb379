package mpi

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// rest passes the time between two looks at the library when nothing has happened for that many. Other goroutines come
// first, then other processes, which may be the ranks waited for. After about a tenth of a
// millisecond the thread sleeps for the shortest time there is, some 50 µs: where there are more ranks than processors,
// spinning would take the time of those that are waited for. Go's own timers are too coarse for that.
func rest(idle int) {
	switch {
	case idle < 32:
	case idle < 500:
		runtime.Gosched()
		_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) // it cannot fail
	default:
		nap := unix.NsecToTimespec(int64(time.Microsecond))
		_ = unix.Nanosleep(&nap, nil) // woken early is early to look
	}
}
