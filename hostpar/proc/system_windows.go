package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"

	"github.com/tandem-go/tandem/hostpar/internal/frame"
)

func executable() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

// newLink makes two pipes whose other ends the child inherits; their numbers are in its environment.
func newLink(cmd *exec.Cmd, _ *page) (*frame.Link, []*os.File, error) {
	theirR, ourW, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	ourR, theirW, err := os.Pipe()
	if err != nil {
		return nil, nil, errors.Join(err, theirR.Close(), ourW.Close())
	}
	r, w := syscall.Handle(theirR.Fd()), syscall.Handle(theirW.Fd())
	for _, h := range []syscall.Handle{r, w} {
		if err := syscall.SetHandleInformation(h, syscall.HANDLE_FLAG_INHERIT, syscall.HANDLE_FLAG_INHERIT); err != nil {
			return nil, nil, errors.Join(err, theirR.Close(), ourW.Close(), ourR.Close(), theirW.Close())
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{AdditionalInheritedHandles: []syscall.Handle{r, w}}
	cmd.Env = append(cmd.Env, fmt.Sprintf("%s=%d %d", environment, r, w))
	// The child cannot be mistaken for another process: cmd keeps it known.
	pass := passer(func() (windows.Handle, error) {
		return windows.OpenProcess(windows.PROCESS_DUP_HANDLE, false, uint32(cmd.Process.Pid))
	})
	return frame.OverPipesWith(ourR, ourW, pass), []*os.File{theirR, theirW}, nil
}

func inherit(mode string) (*frame.Link, *page, error) {
	var r, w uintptr
	if _, err := fmt.Sscanf(mode, "%d %d", &r, &w); err != nil {
		return nil, nil, fmt.Errorf("proc: %s=%q: %w", environment, mode, err)
	}
	parent := uint32(os.Getppid())
	pass := passer(func() (windows.Handle, error) { return windows.OpenProcess(windows.PROCESS_DUP_HANDLE, false, parent) })
	return frame.OverPipesWith(os.NewFile(r, "link"), os.NewFile(w, "link"), pass), nil, nil
}

// passer passes files to a process, of which it opens a handle for the time.
type passer func() (windows.Handle, error)

// Pass is for package frame.
func (open passer) Pass(f *os.File) (uint64, error) {
	process, err := open()
	if err != nil {
		return 0, os.NewSyscallError("OpenProcess", err)
	}
	defer func() { _ = windows.CloseHandle(process) }() // it is open
	var there windows.Handle
	err = windows.DuplicateHandle(windows.CurrentProcess(), windows.Handle(f.Fd()), process, &there, 0, false, windows.DUPLICATE_SAME_ACCESS)
	return uint64(there), os.NewSyscallError("DuplicateHandle", err)
}

// Adopt is for package frame.
func (passer) Adopt(number uint64) (*os.File, error) {
	return os.NewFile(uintptr(number), "received"), nil
}

func ownGroup(*exec.Cmd) {}

func awaitEnd(int) {}

func setName(string) {}

func residentMemory(int) int64 { return 0 }

const haveSignals = false

func brokenPipe(err error) bool {
	const noData = syscall.Errno(232) // ERROR_NO_DATA
	return errors.Is(err, syscall.ERROR_BROKEN_PIPE) || errors.Is(err, noData)
}

func killGroup(int) {}

func die() {
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill() // there is nothing else to try
	}
}

func kill(p *os.Process) { _ = p.Kill() } // it may have ended

func terminate(p *os.Process) { _ = p.Kill() } // there are no signals

func signalOf(*os.ProcessState) (syscall.Signal, bool) { return 0, false }

func localAddress() string { return "tcp:127.0.0.1:0" }
