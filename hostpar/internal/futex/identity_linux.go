package futex

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

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
