package futex

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	opWait = 0
	opWake = 1
)

// Wait sleeps while *word is val, for at most d. It may return early. The goroutine keeps its thread.
func Wait(word *atomic.Uint32, val uint32, d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	// Whatever the outcome, the caller looks at the word again.
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), opWait, uintptr(val), uintptr(unsafe.Pointer(&ts)), 0, 0)
}

// Wake wakes up to n that wait for the word, in any process.
func Wake(word *atomic.Uint32, n int) {
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), opWake, uintptr(n), 0, 0, 0) // it has no failures that matter
}

// Low returns the lower half of a 64-bit word, for Wait and Wake.
func Low(word *atomic.Uint64) *atomic.Uint32 {
	p := unsafe.Pointer(word)
	if bigEndian {
		p = unsafe.Add(p, 4)
	}
	return (*atomic.Uint32)(p)
}

var bigEndian = func() bool {
	x := uint16(1)
	return *(*byte)(unsafe.Pointer(&x)) == 0
}()

func identify() (ID, error) { return Of(os.Getpid()) }

// Of returns the ID of a process that has not ended.
func Of(pid int) (ID, error) {
	state, started, err := look(pid)
	if err != nil {
		return 0, err
	}
	if state == 'Z' || state == 'X' {
		return 0, errGone
	}
	return ID(uint64(uint32(started))<<32 | uint64(pid)), nil
}

var errGone = errors.New("process has ended")

// look reads a process's state and the time it was started at, in clock ticks since the start of the system.
func look(pid int) (state byte, started uint64, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, err
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:]) // the name before it may have anything in it
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("/proc/%d/stat: cannot be read: %q", pid, text)
	}
	started, err = strconv.ParseUint(string(fields[19]), 10, 64)
	return fields[0][0], started, err
}

// Alive reports whether a process has not ended. In doubt it has not.
func Alive(id ID) bool {
	now, err := Of(id.PID())
	switch {
	case err == nil:
		return now == id
	case errors.Is(err, errGone), errors.Is(err, os.ErrNotExist), errors.Is(err, unix.ESRCH):
		return false
	default:
		return true
	}
}
