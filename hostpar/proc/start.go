package proc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/internal/frame"
	"github.com/tandem-go/tandem/hostpar/task"
)

// StartConfig says how a process is started. The zero value is good for most.
type StartConfig struct {
	// Name is what the process is called; empty for "process-1" and so on.
	Name string
	// Daemon makes Main kill the process at its end, rather than wait for it. A daemon must not start processes itself.
	Daemon bool
	// Timeout is how long the function may take before the process is killed; 0 for any time. It is counted as
	// PoolConfig.TaskTimeout is.
	Timeout time.Duration
	// MemoryLimit is how many bytes of memory the process may occupy before it is killed; 0 for any number. It is looked at
	// every few milliseconds, on Linux only.
	MemoryLimit int64
	// Grace is how long the function may go on when its context has ended, before the process is killed; 0 for 50 ms.
	Grace time.Duration
	// Env is the environment, Dir the folder; those of this process if empty.
	Env []string
	Dir string
	// Stdout and Stderr get what the process writes; those of this process if nil.
	Stdout, Stderr io.Writer
}

// Process is a child process that runs one function. It ends with the function.
type Process[Out any] struct {
	*Child
	future *task.Future[Out]
	served atomic.Int32 // what has come from the process: one of the constants below
}

const (
	nothingYet = iota
	isReady
	hasAnswered
)

// Start calls a function in a new process. When ctx ends, so does the function's context, and the process is killed if
// that is not enough.
func Start[In, Out any](ctx context.Context, f Func[In, Out], in In, cfg StartConfig) (*Process[Out], error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if cfg.Name == "" {
		cfg.Name = nextName()
	}
	var e codec.Encoder
	encodeCall(&e, f.t.name, 1)
	if err := f.t.in.Encode(&e, &in); err != nil {
		return nil, fmt.Errorf("proc: argument of %s: %w", f.t.name, err)
	}
	c, err := startChild(childConfig{
		name: cfg.Name, daemon: cfg.Daemon, disposable: cfg.Daemon, env: cfg.Env, dir: cfg.Dir, stdout: cfg.Stdout, stderr: cfg.Stderr,
		memoryLimit: cfg.MemoryLimit, page: cfg.Timeout > 0,
	}, func(e *codec.Encoder) error {
		e.Uvarint(1) // one call only
		e.Uvarint(0) // no setups
		return nil
	})
	if err != nil {
		return nil, err
	}
	future, promise := task.NewPromise[Out]()
	p := &Process[Out]{Child: c, future: future}
	const id = 1
	sent := c.link.Send(frame.Frame{Kind: kindCall, ID: id, Body: e.Buf, Files: e.Files})
	_ = c.link.Flush() // a process that is gone is found by its reader
	for _, after := range e.Sent {
		after()
	}
	if errors.Is(sent, frame.ErrTooLarge) {
		c.Kill()
	}
	cancel := func() {
		grace := cfg.Grace
		if grace <= 0 {
			grace = defaultGrace
		}
		go func() { // writing may wait for a process that is stopped
			_ = c.link.Send(frame.Frame{Kind: kindCancel, ID: id}) // it may be over
			_ = c.link.Flush()
		}()
		time.AfterFunc(grace, func() { c.killFor(Canceled) })
	}
	promise.Start(cancel)
	stop := context.AfterFunc(ctx, cancel)
	c.drain()
	c.watch(limits{cfg.Timeout, cfg.MemoryLimit}, p.at)
	go func() {
		out, err := receiveOne(c, f, &p.served)
		stop()
		if sent != nil && errors.Is(sent, frame.ErrTooLarge) {
			err = fmt.Errorf("proc: argument of %s: %w", f.t.name, sent)
		}
		promise.Resolve(out, err)
	}()
	return p, nil
}

// at tells what the process is doing.
func (p *Process[Out]) at() duty {
	at, running := p.page.at()
	switch {
	case p.served.Load() == hasAnswered:
		return duty{} // it may wait for processes of its own
	case running:
		return duty{place: at, phase: working}
	case p.served.Load() == nothingYet || p.page.sending():
		return duty{phase: passing}
	default:
		return duty{phase: working}
	}
}

func encodeCall(e *codec.Encoder, name string, n int) {
	e.String(name)
	e.Uvarint(uint64(n))
}

// receiveOne reads the result of the only call of a process, and returns when the process has ended.
func receiveOne[In, Out any](c *Child, f Func[In, Out], served *atomic.Int32) (out Out, err error) {
	answered := false
	for {
		m, receiveErr := c.link.Receive()
		if receiveErr != nil {
			break
		}
		d := codec.NewDecoder(m.Body, m.Files)
		switch m.Kind {
		case kindReady:
			served.Store(isReady)
			if err = readyError(d, c.name); err != nil {
				answered = true
			}
		case kindFailure:
			served.Store(hasAnswered)
			answered, err = true, decodeError(d, f.t.name)
		case kindResult:
			answered = true
			served.Store(hasAnswered)
			if _, err = d.Uint64(); err == nil {
				var failure error
				outs := []Out{out}
				err = f.t.decodeResults(d, outs, func(_ int, e error) { failure = e })
				out = outs[0]
				if failure != nil {
					err = failure
				}
			}
		}
		d.Close()
	}
	c.Kill() // it has ended, or cannot be talked to
	<-c.done
	_ = c.link.Close() // the process is gone
	c.page.close()
	if !answered {
		died := c.died(f.t.name)
		died.Executions = 1
		err = died
	}
	return out, err
}

// readyError reads what a worker answers to hello.
func readyError(d *codec.Decoder, name string) error {
	failed, err := d.Uvarint()
	if err != nil || failed == 0 {
		return err
	}
	return fmt.Errorf("proc: worker %s: %w", name, decodeError(d, "start"))
}

// Wait waits for the end of the process and returns the function's result. The end of ctx ends the wait, not the
// process.
func (p *Process[Out]) Wait(ctx context.Context) (Out, error) { return p.future.Wait(ctx) }

// Future returns the result that is to come.
func (p *Process[Out]) Future() *task.Future[Out] { return p.future }

// Run calls a function in a new process and waits for the end of it.
func Run[In, Out any](ctx context.Context, f Func[In, Out], in In, cfg StartConfig) (Out, error) {
	p, err := Start(ctx, f, in, cfg)
	if err != nil {
		var zero Out
		return zero, err
	}
	return p.Wait(context.WithoutCancel(ctx)) // it ends soon after ctx
}
