package cspproc

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/tandem-go/tandem/hostpar/csp"
	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/proc"
)

// The ends of networks are known to all processes.
var (
	_ = proc.RegisterError(csp.ErrPoisoned)
	_ = proc.RegisterError(csp.ErrRetired)
)

// Kinds of messages between an end and its channel.
const (
	value  = iota // here is one; for a writing end's channel: and I wait until it is taken
	want          // a reading end wants a value
	taken         // the value was taken
	poison        // the channel is poisoned
	retire        // the end, or the channel, is retired
)

type message[T any] struct {
	Kind uint8
	X    T
}

type conn[T any] = proc.Conn[message[T]]

// In is a reading end in another process than its channel's. Make it with Reader, and pass it to that process once. Until
// then it can only be given up.
type In[T any] struct {
	*csp.In[T]
	far[T]
}

// Out is a writing end in another process than its channel's. Make it with Writer, and pass it to that process once. Until
// then it can only be given up.
type Out[T any] struct {
	*csp.Out[T]
	far[T]
}

// far is an end that is still to be passed, or was.
type far[T any] struct{ c *conn[T] }

// say tells the channel how an end that was not passed is given up. One that was passed is not there to be given up.
func (f far[T]) say(kind uint8) {
	if f.c.Send(context.Background(), message[T]{Kind: kind}) == nil { // there is room for it
		_ = f.c.Close() // it was sent
	}
}

// Poison poisons the channel.
func (in *In[T]) Poison() {
	if in.In == nil {
		in.say(poison)
		return
	}
	in.In.Poison()
}

// Retire gives up the end.
func (in *In[T]) Retire() {
	if in.In == nil {
		in.say(retire)
		return
	}
	in.In.Retire()
}

// Poison poisons the channel.
func (out *Out[T]) Poison() {
	if out.Out == nil {
		out.say(poison)
		return
	}
	out.Out.Poison()
}

// Retire gives up the end.
func (out *Out[T]) Retire() {
	if out.Out == nil {
		out.say(retire)
		return
	}
	out.Out.Retire()
}

// Reader makes a reading end of a channel for another process. If it is not passed there, it must be given up.
func Reader[T any](c *csp.Chan[T]) (*In[T], error) {
	ours, theirs, err := proc.Pipe[message[T]]()
	if err != nil {
		return nil, fmt.Errorf("cspproc: reading end: %w", err)
	}
	go serveReader(c.In(), ours)
	return &In[T]{far: far[T]{theirs}}, nil
}

// Writer makes a writing end of a channel for another process. If it is not passed there, it must be given up.
func Writer[T any](c *csp.Chan[T]) (*Out[T], error) {
	ours, theirs, err := proc.Pipe[message[T]]()
	if err != nil {
		return nil, fmt.Errorf("cspproc: writing end: %w", err)
	}
	go serveWriter(c, c.Out(), ours)
	return &Out[T]{far: far[T]{theirs}}, nil
}

// listen takes what the other side says until it gives up its end, which is then given up here. fn is called for all else.
// The death of the other side is poison.
func listen[T any](c *conn[T], end csp.End, fn func(m message[T])) {
	for {
		m, err := c.Receive(context.Background()) // ends with the other process
		switch {
		case errors.Is(err, proc.ErrClosed), m.Kind == retire && err == nil:
			end.Retire() // they have, or tell was the last word here
			return
		case err != nil, m.Kind == poison:
			end.Poison()
			return
		default:
			fn(m)
		}
	}
}

// serveReader reads for an end in another process.
func serveReader[T any](in *csp.In[T], c *conn[T]) {
	ctx, cancel := context.WithCancel(context.Background())
	wanted := make(chan struct{}, 1) // there is one at a time
	var reading sync.WaitGroup
	reading.Go(func() {
		for range wanted {
			x, err := in.Read(ctx)
			if tell(c, message[T]{Kind: value, X: x}, err) != nil {
				return
			}
		}
	})
	listen(c, in, func(message[T]) {
		select {
		case wanted <- struct{}{}:
		default:
		}
	})
	cancel()
	close(wanted)
	reading.Wait()
	_ = c.Close() // all is said
}

// serveWriter writes for an end in another process.
func serveWriter[T any](ch *csp.Chan[T], out *csp.Out[T], c *conn[T]) {
	ctx, cancel := context.WithCancel(context.Background())
	values := make(chan T, 1) // there is one at a time
	over := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for {
			select {
			case x := <-values:
				if tell(c, message[T]{Kind: taken}, out.Write(ctx, x)) != nil {
					return
				}
			case <-ch.Ended():
				_ = tell(c, message[T]{}, ch.Err()) // which is not nil
				return
			case <-over:
				return
			}
		}
	})
	listen(c, out, func(m message[T]) {
		select {
		case values <- m.X:
		default:
		}
	})
	cancel()
	close(over)
	writing.Wait()
	_ = c.Close() // all is said
}

// tell sends a message, or as the last one how the channel has ended, and returns what ends the talk.
func tell[T any](c *conn[T], m message[T], err error) error {
	switch {
	case err == nil:
		return c.Send(context.Background(), m) // ends with the other process
	case errors.Is(err, csp.ErrPoisoned):
		_ = c.Send(context.Background(), message[T]{Kind: poison}) // the other side may have ended too
	case errors.Is(err, csp.ErrRetired):
		_ = c.Send(context.Background(), message[T]{Kind: retire}) // as above
	}
	_ = c.Close() // what was sent arrives
	return err
}

// EncodeHandle is for package proc.
func (in *In[T]) EncodeHandle(e *codec.Encoder) error { return in.encode(e) }

// EncodeHandle is for package proc.
func (out *Out[T]) EncodeHandle(e *codec.Encoder) error { return out.encode(e) }

func (f far[T]) encode(e *codec.Encoder) error {
	if f.c == nil {
		return fmt.Errorf("%w: an end is made with Reader or Writer, and passed once", codec.ErrType)
	}
	return f.c.EncodeHandle(e)
}

// DecodeHandle is for package proc.
func (in *In[T]) DecodeHandle(d *codec.Decoder) error {
	c := new(conn[T])
	if err := c.DecodeHandle(d); err != nil {
		return err
	}
	ch := csp.New[T](csp.Config{})
	in.In = ch.In()
	open(in.In, func() { fetch(ch, c) })
	return nil
}

// DecodeHandle is for package proc.
func (out *Out[T]) DecodeHandle(d *codec.Decoder) error {
	c := new(conn[T])
	if err := c.DecodeHandle(d); err != nil {
		return err
	}
	ch := csp.New[T](csp.Config{})
	out.Out = ch.Out()
	open(out.Out, func() { deliver(ch.In(), c) })
	return nil
}

// fetch gets values for a reading end whose channel is in another process.
func fetch[T any](ch *csp.Chan[T], c *conn[T]) {
	out := ch.Out()
	var asking sync.WaitGroup
	answered := make(chan struct{}, 1)
	over := make(chan struct{})
	asking.Go(func() {
		for {
			err := out.Wanted(context.Background()) // ends with the end
			if tell(c, message[T]{Kind: want}, err) != nil {
				return
			}
			select {
			case <-answered:
			case <-ch.Ended():
			case <-over:
				return
			}
		}
	})
	listen(c, out, func(m message[T]) {
		_ = out.Write(context.Background(), m.X) // when the end is given up, so is the value
		answered <- struct{}{}                   // there is one at a time
	})
	close(over)
	asking.Wait()
	_ = c.Close() // all is said
}

// deliver sends the values of a writing end whose channel is in another process.
func deliver[T any](in *csp.In[T], c *conn[T]) {
	answered := make(chan struct{}, 1)
	over := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		for {
			x, err := in.Read(context.Background()) // ends with the end
			if tell(c, message[T]{Kind: value, X: x}, err) != nil {
				return
			}
			select {
			case <-answered:
			case <-over:
				return
			}
		}
	})
	listen(c, in, func(message[T]) { answered <- struct{}{} }) // there is one at a time
	close(over)
	sending.Wait()
	_ = c.Close() // all is said
}
