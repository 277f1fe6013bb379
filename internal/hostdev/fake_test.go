package hostdev_test

import (
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

// fake is an engine whose kernels are Go functions, chosen by the kernel's name, so that tests say what a block does at
// each step.
type fake struct {
	kernels map[string]step
	refuse  error // from Compile
	local   int   // LocalBytes

	mu       sync.Mutex
	compiled []engine.Options
	open     atomic.Int64 // blocks that are not closed
	most     atomic.Int64 // largest value of open
}

// step is one call of Run: n counts the calls for the block.
type step func(b *block, n int) (engine.State, *engine.Fault)

func (*fake) Name() string { return "fake" }

func (f *fake) Compile(k *ir.Kernel, o engine.Options) (engine.Program, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.compiled = append(f.compiled, o)
	if f.refuse != nil {
		return nil, f.refuse
	}
	return &program{f: f, step: f.kernels[k.Name], mem: o.Memory}, nil
}

type program struct {
	f    *fake
	step step
	mem  *mem.Space
}

func (p *program) LocalBytes() int { return p.f.local }

func (p *program) Block(l *engine.Launch, i uint64, w engine.Windows) engine.Block {
	n := p.f.open.Add(1)
	for m := p.f.most.Load(); n > m && !p.f.most.CompareAndSwap(m, n); m = p.f.most.Load() {
	}
	return &block{program: p, l: l, i: i, w: w}
}

type block struct {
	*program
	l    *engine.Launch
	i    uint64
	w    engine.Windows
	runs int
}

func (b *block) Run(int) (engine.State, *engine.Fault) {
	b.runs++
	return b.step(b, b.runs)
}

func (b *block) Close() { b.f.open.Add(-1) }

func (b *block) threads() int { return int(b.l.Block[0] * b.l.Block[1] * b.l.Block[2]) }

func (b *block) coordinate() (c [3]uint32) {
	i := uint32(b.i)
	c[0], i = i%b.l.Grid[0], i/b.l.Grid[0]
	c[1], c[2] = i%b.l.Grid[1], i/b.l.Grid[1]
	return c
}

func (b *block) fault(f engine.Fault) (engine.State, *engine.Fault) {
	f.Block = b.coordinate()
	return 0, &f
}
