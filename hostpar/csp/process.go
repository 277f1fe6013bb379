package csp

import (
	"context"
	"errors"
	"fmt"

	"github.com/tandem-go/tandem/hostpar/par"
)

// Process is a function with the channel ends it looks after. It may be run once.
type Process struct {
	run  func(ctx context.Context) error
	ends []End
}

// Proc makes a process of a function and the ends it uses. When the function returns, the ends are given up: nil and
// ErrRetired retire them; ErrPoisoned, every other error, and a panic poison them, so that no neighbour waits for ever.
// An end that is not given is nobody's business but the function's.
func Proc(run func(ctx context.Context) error, ends ...End) Process {
	return Process{run: run, ends: ends}
}

// call runs the process and gives up its ends. ErrPoisoned and ErrRetired are how processes end, not errors.
func (p Process) call(ctx context.Context) error {
	healthy := false
	defer func() {
		if !healthy {
			p.poison()
			return
		}
		for _, e := range p.ends {
			e.Retire()
		}
	}()
	err := p.run(ctx)
	healthy = err == nil || errors.Is(err, ErrRetired)
	if healthy || errors.Is(err, ErrPoisoned) {
		return nil
	}
	return err
}

func (p Process) poison() {
	for _, e := range p.ends {
		e.Poison()
	}
}

// Par runs the processes at the same time and returns when all have ended. If one returns an error that is neither
// ErrPoisoned nor ErrRetired, the context of the others ends, and Par returns it as a *par.ItemError with the index of
// the process; of several, the first process's. A panic is re-raised by Par.
func Par(ctx context.Context, ps ...Process) error { return Spawn(ctx, ps...)() }

// Spawn starts the processes and returns a function that waits for them as Par does. It must be called.
func Spawn(ctx context.Context, ps ...Process) (wait func() error) {
	g := par.NewGroup(ctx, par.GroupConfig{})
	begun := make([]bool, len(ps))
	for i, p := range ps {
		g.Go(func(ctx context.Context) error {
			begun[i] = true
			return p.call(ctx)
		})
	}
	return func() error {
		defer func() {
			for i, p := range ps {
				if !begun[i] { // ctx had ended
					p.poison()
				}
			}
		}()
		return g.Wait()
	}
}

// Seq runs the processes one after the other. After an error that is neither ErrPoisoned nor ErrRetired the rest is not
// run, and its ends are poisoned; the error is as with Par.
func Seq(ctx context.Context, ps ...Process) error {
	done := 0
	defer func() {
		for _, p := range ps[done:] {
			p.poison()
		}
	}()
	for i, p := range ps {
		err := p.call(ctx)
		done++
		if err != nil {
			return &par.ItemError{Index: i, Err: err}
		}
	}
	return nil
}

// Sub makes one process of several that run in parallel: a network within a network.
func Sub(ps ...Process) Process {
	var ends []End
	for _, p := range ps {
		ends = append(ends, p.ends...)
	}
	return Proc(func(ctx context.Context) error { return Par(ctx, ps...) }, ends...)
}

// Identity copies in to out.
func Identity[T any](in *In[T], out *Out[T]) Process {
	return Map(in, out, func(x T) (T, error) { return x, nil })
}

// Prefix writes the values to out, then copies in to out.
func Prefix[T any](in *In[T], out *Out[T], values ...T) Process {
	return Proc(func(ctx context.Context) error {
		for _, x := range values {
			if err := out.Write(ctx, x); err != nil {
				return err
			}
		}
		return each(ctx, in, func(x T) error { return out.Write(ctx, x) })
	}, in, out)
}

// Map writes fn of each value of in to out.
func Map[T, U any](in *In[T], out *Out[U], fn func(x T) (U, error)) Process {
	return Proc(func(ctx context.Context) error {
		return each(ctx, in, func(x T) error {
			y, err := fn(x)
			if err != nil {
				return fmt.Errorf("map %v: %w", x, err)
			}
			return out.Write(ctx, y)
		})
	}, in, out)
}

// Delta writes each value of in to all outs, in the order given.
func Delta[T any](in *In[T], outs ...*Out[T]) Process {
	ends := []End{in}
	for _, o := range outs {
		ends = append(ends, o)
	}
	return Proc(func(ctx context.Context) error {
		return each(ctx, in, func(x T) error {
			for _, o := range outs {
				if err := o.Write(ctx, x); err != nil {
					return err
				}
			}
			return nil
		})
	}, ends...)
}

// Pairs writes fn of each value and its predecessor to out, from the second value on.
func Pairs[T, U any](in *In[T], out *Out[U], fn func(previous, x T) U) Process {
	return Proc(func(ctx context.Context) error {
		previous, err := in.Read(ctx)
		if err != nil {
			return err
		}
		return each(ctx, in, func(x T) error {
			y := fn(previous, x)
			previous = x
			return out.Write(ctx, y)
		})
	}, in, out)
}

// Zip writes fn of one value from each of a and b to out.
func Zip[A, B, C any](a *In[A], b *In[B], out *Out[C], fn func(a A, b B) C) Process {
	return Proc(func(ctx context.Context) error {
		for {
			x, err := a.Read(ctx)
			if err != nil {
				return err
			}
			y, err := b.Read(ctx)
			if err != nil {
				return err
			}
			if err := out.Write(ctx, fn(x, y)); err != nil {
				return err
			}
		}
	}, a, b, out)
}

// Mux copies all ins to out, choosing fairly. It ends when all ins have retired.
func Mux[T any](out *Out[T], ins ...*In[T]) Process {
	ends := []End{out}
	for _, in := range ins {
		ends = append(ends, in)
	}
	return Proc(func(ctx context.Context) error {
		var x T
		var guards []Guard
		for _, in := range ins {
			guards = append(guards, Recv(in, &x))
		}
		for len(guards) > 0 {
			i, err := Alt(ctx, guards...)
			switch {
			case errors.Is(err, ErrRetired):
				guards = append(guards[:i:i], guards[i+1:]...)
				continue
			case err != nil:
				return err
			}
			if err := out.Write(ctx, x); err != nil {
				return err
			}
		}
		return nil
	}, ends...)
}

// each calls fn for each value of in until reading or fn fails.
func each[T any](ctx context.Context, in *In[T], fn func(x T) error) error {
	for {
		x, err := in.Read(ctx)
		if err != nil {
			return err
		}
		if err := fn(x); err != nil {
			return err
		}
	}
}
