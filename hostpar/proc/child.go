package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/internal/frame"
)

// Child is a process that this one has started. All methods may be called from any goroutine.
type Child struct {
	name       string
	pid        int
	daemon     bool
	disposable bool // killed at the end of Main
	cmd        *exec.Cmd
	link       *frame.Link
	page       *page // nil where the system has no such thing

	mu     sync.Mutex
	reaped bool // its number may belong to another process
	reason Reason
	code   int
	signal syscall.Signal

	done chan struct{}
}

// childConfig is what all kinds of children have in common.
type childConfig struct {
	name           string
	daemon         bool
	disposable     bool
	env            []string
	dir            string
	stdout, stderr io.Writer
	memoryLimit    int64
	page           bool
}

// Frames from parent to child.
const (
	kindHello  = 1 + iota // who it is
	kindCall              // id; function, number of arguments, arguments
	kindCancel            // id
	kindRevoke            // id: give it back if it has not begun
	kindQuit              // end when all is done
	// Frames from child to parent.
	kindReady   // it serves
	kindResult  // id; time taken, results
	kindFailure // id; nothing was called: an error
	kindRevoked // id: it was given back
)

// startChild starts this binary again as a worker and says hello. The first frame that comes back is its ready.
func startChild(cfg childConfig, setup func(e *codec.Encoder) error) (*Child, error) {
	if err := allowed(); err != nil {
		return nil, err
	}
	me := Current()
	c := &Child{name: cfg.name, daemon: cfg.daemon, disposable: cfg.disposable, done: make(chan struct{})}
	hello := codec.Encoder{}
	hello.Uint64(fingerprint())
	hello.String(cfg.name)
	hello.Uvarint(uint64(me.PID))
	hello.Uvarint(uint64(me.Depth + 1))
	hello.Uvarint(flag(cfg.daemon))
	hello.Uvarint(uint64(max(0, cfg.memoryLimit)))
	if err := setup(&hello); err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{
		Path: executable(), Args: []string{cfg.name}, Dir: cfg.dir, Stdout: cfg.stdout, Stderr: cfg.stderr,
		Env: cfg.env, WaitDelay: endOfOutput,
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	if cmd.Stdout == nil {
		cmd.Stdout = os.Stdout
	}
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	if err := c.connect(cmd, cfg.page); err != nil {
		return nil, fmt.Errorf("proc: start %s: %w", cfg.name, err)
	}
	c.cmd, c.pid = cmd, cmd.Process.Pid
	children.Lock()
	if children.all == nil {
		children.all = map[*Child]bool{}
	}
	children.all[c] = true
	children.Unlock()
	go c.reap()
	// A child that is gone already is found by its reader, so errors of writing are not looked at.
	_ = c.link.Send(frame.Frame{Kind: kindHello, Body: hello.Buf, Files: hello.Files})
	_ = c.link.Flush()
	for _, sent := range hello.Sent {
		sent()
	}
	return c, nil
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// connect starts the process with its link.
func (c *Child) connect(cmd *exec.Cmd, wantPage bool) error {
	if wantPage {
		c.page = newPage() // nil is fine
	}
	link, theirs, err := newLink(cmd, c.page)
	if err != nil {
		c.page.close()
		return err
	}
	ownGroup(cmd)
	err = cmd.Start()
	for _, f := range theirs {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		c.page.close()
		return errors.Join(err, link.Close())
	}
	c.link = link
	return nil
}

// reap waits for the end of the process, kills what is left of its group and then lets the system forget it.
func (c *Child) reap() {
	awaitEnd(c.pid)
	c.mu.Lock()
	killGroup(c.pid)
	c.mu.Unlock()
	_ = c.cmd.Wait() // the state has all that is of interest
	c.mu.Lock()
	c.reaped = true
	c.code = c.cmd.ProcessState.ExitCode()
	if sig, ok := signalOf(c.cmd.ProcessState); ok {
		c.signal = sig
		if c.reason == Exited {
			c.reason = Signaled
		}
	} else if haveSignals {
		c.reason = Exited // it was faster than who wanted to kill it
	}
	c.mu.Unlock()
	children.Lock()
	delete(children.all, c)
	children.Unlock()
	close(c.done)
}

// Name returns the name of the process.
func (c *Child) Name() string { return c.name }

// PID returns the number of the process. When the process has ended, it may belong to another one.
func (c *Child) PID() int { return c.pid }

// Daemon reports whether the process was started as a daemon.
func (c *Child) Daemon() bool { return c.daemon }

// Done is closed when the process has ended and was waited for.
func (c *Child) Done() <-chan struct{} { return c.done }

// Alive reports whether the process has not ended.
func (c *Child) Alive() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// Join waits for the end of the process, whatever the reason.
func (c *Child) Join(ctx context.Context) error {
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ExitCode returns how the process has ended: its status, or -1 and the signal that killed it. ok is false while it is
// alive.
func (c *Child) ExitCode() (code int, sig syscall.Signal, ok bool) {
	if c.Alive() {
		return 0, 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.code, c.signal, true
}

// Terminate asks the process to end, with SIGTERM where there are signals.
func (c *Child) Terminate() { c.do(terminate) }

// Kill ends the process at once, with all processes of its group.
func (c *Child) Kill() {
	if haveSignals { // where there are none, nothing tells a process that was killed from one that exits
		c.killFor(Signaled)
		return
	}
	c.do(kill)
}

func (c *Child) do(signal func(*os.Process)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped {
		signal(c.cmd.Process)
	}
}

// killFor kills the process and notes why, unless another reason was first.
func (c *Child) killFor(r Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.reaped {
		if c.reason == Exited {
			c.reason = r
		}
		kill(c.cmd.Process)
	}
}

// died describes the end of the process, which is over, to the owner of a task.
func (c *Child) died(fn string) *WorkerError {
	c.mu.Lock()
	defer c.mu.Unlock()
	return &WorkerError{Func: fn, Worker: c.name, PID: c.pid, Reason: c.reason, ExitCode: c.code, Signal: c.signal}
}

// drain makes the end of the link follow the end of the process, even if somebody else holds a copy of the link.
func (c *Child) drain() {
	go func() {
		<-c.done
		time.AfterFunc(endOfOutput, func() { _ = c.link.Close() }) // usually its reader has closed it
	}()
}
