//go:build unix

package proc

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/hostpar/internal/frame"
)

// Numbers of the files that a worker inherits.
const (
	linkFile = 3
	pageFile = 4
)

// newLink makes a link for a command, and returns the files to close when it is started.
func newLink(cmd *exec.Cmd, p *page) (*frame.Link, []*os.File, error) {
	link, other, err := frame.Pair()
	if err != nil {
		return nil, nil, err
	}
	cmd.ExtraFiles = []*os.File{other}
	mode := "link"
	if p != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, p.file)
		mode = "link+page"
	}
	cmd.Env = append(cmd.Env, environment+"="+mode)
	return link, []*os.File{other}, nil
}

// inherit opens what newLink made, in the child.
func inherit(mode string) (*frame.Link, *page, error) {
	unix.CloseOnExec(linkFile)
	link, err := frame.FromFile(os.NewFile(linkFile, "link"))
	if err != nil {
		return nil, nil, err
	}
	if mode != "link+page" {
		return link, nil, nil
	}
	unix.CloseOnExec(pageFile)
	p, err := openPage(os.NewFile(pageFile, "page"))
	return link, p, err
}

const haveSignals = true

func brokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

// killGroup kills all processes of the group that a child leads, if there are any. The child was not waited for yet.
func killGroup(pid int) { _ = unix.Kill(-pid, unix.SIGKILL) } // no such group is what is wanted

// die ends this process, and its group if it leads it.
func die() {
	if pid := os.Getpid(); unix.Getpgrp() == pid {
		_ = unix.Kill(-pid, unix.SIGKILL)
	}
	_ = unix.Kill(os.Getpid(), unix.SIGKILL)
}

func kill(p *os.Process) {
	killGroup(p.Pid)
	_ = p.Kill() // it may have ended
}

func terminate(p *os.Process) { _ = p.Signal(syscall.SIGTERM) } // it may have ended

func signalOf(s *os.ProcessState) (syscall.Signal, bool) {
	status, ok := s.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return 0, false
	}
	return status.Signal(), true
}
