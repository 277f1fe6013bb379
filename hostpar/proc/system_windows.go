package proc

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

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
	return frame.OverPipes(ourR, ourW), []*os.File{theirR, theirW}, nil
}

func inherit(mode string) (*frame.Link, *page, error) {
	var r, w uintptr
	if _, err := fmt.Sscanf(mode, "%d %d", &r, &w); err != nil {
		return nil, nil, fmt.Errorf("proc: %s=%q: %w", environment, mode, err)
	}
	return frame.OverPipes(os.NewFile(r, "link"), os.NewFile(w, "link")), nil, nil
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
