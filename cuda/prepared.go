package cuda

import (
	"context"
	"runtime/trace"

	"github.com/tandem-go/tandem/internal/driver"
)

// Prepared is a launch whose arguments were checked once, for loops that launch often: Launch takes no memory. It keeps
// the function, the stream and the buffers. It is for one goroutine at a time.
type Prepared struct {
	f      *Function
	s      *Stream // nil for the default stream
	q      *queue
	v      invocation
	spans  []span // of v, whose held is empty between launches
	index  []int  // the parameter of each span
	launch driver.Launch
}

// Prepare checks a launch as Launch does, and queues nothing. Slices in In, Out and InOut cannot be prepared, since
// each launch copies them: the error wraps ErrNotSupported.
func (f *Function) Prepare(cfg LaunchConfig, args ...any) (*Prepared, error) {
	for i, a := range args {
		if _, ok := a.(Arg); ok {
			return nil, misused("prepare "+f.name, ErrNotSupported, "parameter %d is a slice, which each launch copies; use a Buffer", i)
		}
	}
	p := &Prepared{f: f, s: cfg.Stream}
	p.v.c = f.mod.dev.c
	held, err := f.prepare(context.Background(), &p.v, &cfg, args)
	if err != nil {
		p.v.release()
		return nil, err
	}
	p.q, p.launch = held.q, held.launch
	for i, s := range p.v.held {
		p.spans = append(p.spans, s)
		p.index = append(p.index, p.v.uses[i].index)
	}
	p.v.release()
	held.release()
	return p, nil
}

// Set replaces argument i. If the new one does not fit, the error wraps ErrArgument and the old one stays.
func (p *Prepared) Set(i int, arg any) error {
	if sig := p.v.enc.Sig; sig == nil || i < 0 || i >= len(sig.Params) {
		return misused(p.f.op, ErrArgument, "there is no parameter %d to set", i)
	}
	if _, ok := arg.(Arg); ok {
		return misused(p.f.op, ErrNotSupported, "parameter %d: each launch copies a slice; use a Buffer", i)
	}
	var one invocation
	one.c = p.v.c
	one.enc = p.v.enc // the same block: only parameter i of it is written, and only if it fits
	err := one.bindOne(p.f, p.f.op, i, arg)
	defer one.release()
	if err != nil {
		return asArgumentError(p.f.op, err)
	}
	p.drop(i)
	for k, s := range one.held {
		p.spans = append(p.spans, s)
		p.index = append(p.index, i)
		p.v.uses = append(p.v.uses, one.uses[k])
	}
	return nil
}

// drop forgets the buffer of parameter i.
func (p *Prepared) drop(i int) {
	for k := range p.index {
		if p.index[k] == i {
			last := len(p.index) - 1
			p.index[k], p.spans[k], p.v.uses[k] = p.index[last], p.spans[last], p.v.uses[last]
			p.index, p.spans, p.v.uses = p.index[:last], p.spans[:last], p.v.uses[:last]
			return
		}
	}
}

// Launch queues the kernel, as Function.Launch does.
func (p *Prepared) Launch() error {
	if trace.IsEnabled() {
		defer trace.StartRegion(context.Background(), p.f.op).End()
	}
	c := p.v.c
	if err := p.f.mod.res.acquire(p.f.op, "module"); err != nil {
		return err
	}
	defer p.f.mod.res.release()
	if p.s != nil {
		if err := p.s.acquire(p.f.op); err != nil {
			return err
		}
		defer p.s.release()
	}
	defer p.v.release()
	for _, s := range p.spans {
		if err := s.m.acquire(p.f.op, "buffer"); err != nil {
			return err
		}
		p.v.held = append(p.v.held, s)
	}
	p.launch.Params = p.v.enc.Block
	c.recent.note(p.f.kernel, p.v.uses)
	if _, err := c.drv.Launch(&p.launch); err != nil {
		return c.wrap(p.f.op, err)
	}
	for _, s := range p.spans {
		s.m.touch(p.q)
	}
	if k := p.q.capture.Load(); k != nil {
		k.add(p.f.mod)
	}
	return nil
}
