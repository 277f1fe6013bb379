package cspproc

import (
	"context"
	"errors"
	"sync"

	"github.com/tandem-go/tandem/hostpar/csp"
	"github.com/tandem-go/tandem/hostpar/proc"
)

// Func is a registered body of processes. Make it with Register.
type Func[A any] struct{ f proc.Func[A, struct{}] }

// opened are the ends that have arrived in this process and are not finished.
var opened struct {
	sync.Mutex
	ends map[csp.End]chan struct{} // closed when nothing of it is on its way
}

// open runs what serves an end that has arrived.
func open(end csp.End, serve func()) {
	done := make(chan struct{})
	opened.Lock()
	defer opened.Unlock()
	if opened.ends == nil {
		opened.ends = map[csp.End]chan struct{}{}
	}
	opened.ends[end] = done
	go func() {
		defer close(done)
		serve()
	}()
}

// finish gives up all ends of this process and waits until what is on its way has arrived, or ctx ends: then the end of
// this process poisons what is left.
func finish(ctx context.Context, err error) {
	opened.Lock()
	ends := opened.ends
	opened.ends = nil
	opened.Unlock()
	for end := range ends {
		if err == nil || errors.Is(err, csp.ErrRetired) {
			end.Retire()
		} else {
			end.Poison()
		}
	}
	for _, done := range ends {
		select {
		case <-done:
		case <-ctx.Done():
		}
	}
}

// Register makes a function the body of processes under a name, as proc.Register does. In the process it looks after the
// ends that have come with its argument as csp.Proc does: they are retired or poisoned when fn returns.
func Register[A any](name string, fn func(ctx context.Context, a A) error) Func[A] {
	return Func[A]{proc.Register(name, func(ctx context.Context, a A) (none struct{}, err error) {
		healthy := false
		defer func() {
			if !healthy && err == nil {
				err = errPanic // which is not what the caller gets
			}
			finish(ctx, err)
		}()
		err = fn(ctx, a)
		healthy = true
		return none, err
	})}
}

var errPanic = errors.New("cspproc: panic")

// Process makes a process of a network that runs f in a process of the system. The ends that are passed are to be named
// too: they are given up if that process cannot be started.
func Process[A any](f Func[A], a A, ends ...csp.End) csp.Process {
	begun := false
	return csp.Proc(func(ctx context.Context) error {
		p, err := proc.Start(ctx, f.f, a, proc.StartConfig{})
		if err != nil {
			return err
		}
		begun = true
		_, err = p.Wait(context.WithoutCancel(ctx)) // it ends soon after ctx
		return err
	}, unlessBegun{ends, &begun})
}

// unlessBegun gives ends up if nobody else does.
type unlessBegun struct {
	ends  []csp.End
	begun *bool
}

// Poison poisons the ends' channels.
func (u unlessBegun) Poison() {
	for _, e := range u.ends {
		if !*u.begun {
			e.Poison()
		}
	}
}

// Retire gives up the ends.
func (u unlessBegun) Retire() {
	for _, e := range u.ends {
		if !*u.begun {
			e.Retire()
		}
	}
}
