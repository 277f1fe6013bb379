package futex

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
)

var errGone = errors.New("process has ended")

// Of returns the ID of a process that has not ended. Its time is in units of 100 ns.
func Of(pid int) (ID, error) {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION|windows.SYNCHRONIZE, false, uint32(pid))
	if errors.Is(err, windows.ERROR_INVALID_PARAMETER) { // no such process
		return 0, errGone
	}
	if err != nil {
		return 0, fmt.Errorf("open process %d: %w", pid, err)
	}
	defer func() { _ = windows.CloseHandle(h) }() // it is open
	if event, err := windows.WaitForSingleObject(h, 0); err == nil && event == windows.WAIT_OBJECT_0 {
		return 0, errGone
	}
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(h, &created, &exited, &kernel, &user); err != nil {
		return 0, fmt.Errorf("ask for the times of process %d: %w", pid, err)
	}
	return ID(uint64(created.LowDateTime)<<32 | uint64(pid)&(1<<pidBits-1)), nil
}

// Alive reports whether a process has not ended. In doubt it has not.
func Alive(id ID) bool {
	now, err := Of(id.PID())
	if err != nil {
		return !errors.Is(err, errGone)
	}
	return now == id
}
