package proc

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// executable is the running binary, even if the file it came from was replaced or removed.
func executable() string { return "/proc/self/exe" }

// ownGroup makes the child lead a process group, and continues it, if it is stopped, when this process dies: it will then
// read the end of its link. A signal that kills would be wrong, as it comes already when the thread that started the child
// ends, and as it would not reach the rest of the group.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGCONT}
}

// awaitEnd waits until the process has ended, and leaves it to be waited for, so that its number stays its own.
func awaitEnd(pid int) {
	for {
		if err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != unix.EINTR {
			return
		}
	}
}

// setName makes the system show the name, of which Linux keeps 15 bytes; the rest is in the command line.
func setName(name string) {
	_ = os.WriteFile("/proc/self/comm", []byte(name), 0) // nothing depends on it
}

// residentMemory returns how many bytes of memory a process occupies, 0 if that cannot be told.
func residentMemory(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(text)
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// localAddress is an address without a file, so that none is left behind.
func localAddress() string { return "unix:@tandem-" + randomText() }
