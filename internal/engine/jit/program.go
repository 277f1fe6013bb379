//go:build linux && (amd64 || arm64)

package jit

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/ir"
)

// call runs compiled code from a warp on. It returns 0 behind the last warp, and 1 where a warp stops: its frame says why.
//
//go:noescape
func call(code, frame, area uint64) uint64

// program is a compiled kernel.
type program struct {
	kernel    *ir.Kernel
	options   engine.Options
	reference func() (engine.Program, error) // compiles once, for the first block that needs it
	local     int                            // bytes of local memory that each thread needs there
	target    target
	plan      *plan
	sites     []site
	code      *code
	resume    uint64 // address of the code that restores all registers of a warp and goes on where it stands
	next      uint64 // address of the code that goes on with the next warp
	light     bool   // warps pass barriers without Go
	chains    bool   // compiled code begins the next block of a row itself
	streams   *streams
	area      []byte // as it begins
	limits    map[limit]int32
	known     []int32
	strides   int32           // place of the offsets of the lanes' local memory, 0: not used
	frame     int             // bytes
	escapes   []atomic.Uint64 // by site: the lane operations that were executed in Go
	pool      sync.Pool
	room      []byte // for code before it is installed
	marks     *marks // nil unless the code is listed
	// executed are the operations of lanes in blocks that were closed, given those of them in blocks that went on in the
	// reference engine; both only where options.Count.
	executed, given atomic.Uint64
}

// compiler is the engine for one target.
type compiler struct {
	target    target
	reference engine.Engine
	rooms     *sync.Pool // of *[]byte: where code was emitted before
}

func newCompiler(t target) compiler { return compiler{t, interp.New(), new(sync.Pool)} }

func (c compiler) Name() string { return c.target.name() }

// Escaped is the number of lane operations that were executed in Go so far.
func (p *program) Escaped() (n uint64) {
	for i := range p.escapes {
		n += p.escapes[i].Load()
	}
	return n
}

// Executed is how many operations of lanes were executed, and how many of these in Go.
func (p *program) Executed() (all, inGo uint64) {
	given := p.given.Load()
	return p.executed.Load() + given, p.Escaped() + given
}

// Escapes is Escaped by the form of the operation.
func (p *program) Escapes() map[string]uint64 {
	all := map[string]uint64{}
	for i := range p.escapes {
		if n := p.escapes[i].Load(); n > 0 {
			all[form(p.sites[i].in)] += n
		}
	}
	return all
}

// Compile compiles a kernel. It fails for operations that neither this engine nor the reference engine has, and for kernels
// with calls.
func (c compiler) Compile(k *ir.Kernel, o engine.Options) (engine.Program, error) {
	for _, like := range o.Like {
		if p, ok := like.(*program); ok && p.serves(c.target, k, o) {
			return p, nil
		}
	}
	p, err := c.prepare(k, o)
	if err != nil {
		return nil, err
	}
	room, ok := c.rooms.Get().(*[]byte)
	if !ok {
		room = new([]byte)
	}
	p.room = *room
	err = p.emit()
	*room, p.room = p.room, nil
	c.rooms.Put(room)
	if err != nil {
		return nil, fmt.Errorf("compile kernel %s: %w", k.Name, err)
	}
	p.pool.New = func() any { return &running{program: p} }
	return p, nil
}

// serves tells that p is what a compilation of k with options o for the same target would give.
func (p *program) serves(t target, k *ir.Kernel, o engine.Options) bool {
	return p.kernel == k && p.target == t && p.options.Memory == o.Memory && p.options.Count == o.Count &&
		slices.Equal(p.options.Globals, o.Globals) && p.plan.extent == extentOf(o.Block)
}

// prepare does all that comes before code is emitted.
func (c compiler) prepare(k *ir.Kernel, o engine.Options) (*program, error) {
	if len(k.Funcs) > 1 || len(k.FuncTable) > 0 {
		return nil, fmt.Errorf("compile kernel %s: calls are not supported", k.Name)
	}
	for _, b := range k.Funcs[0].Blocks {
		for _, in := range b.Instrs {
			for _, r := range in.Results {
				if r.Type == ir.B128 {
					return nil, fmt.Errorf("compile kernel %s: values of 128 bits are not supported", k.Name)
				}
			}
		}
	}
	if len(k.Globals) > len(o.Globals) {
		return nil, fmt.Errorf("compile kernel %s: %d addresses for %d variables", k.Name, len(o.Globals), len(k.Globals))
	}
	p := &program{kernel: k, options: o, local: interp.LocalBytes(k), target: c.target, plan: analyse(c.target, k.Funcs[0], extentOf(o.Block), o.Globals)}
	p.reference = sync.OnceValues(func() (engine.Program, error) { return c.reference.Compile(k, o) })
	frame := p.plan.allocate(c.target.registers(), (framePend+4*int32(len(k.Funcs[0].Blocks))+63)/64*64)
	p.frame = frameSize(int(frame))
	p.light = oneBarrier(k.Funcs[0], p.plan)
	return p, nil
}

// output is what a target makes of a plan.
type output struct {
	text  []byte
	sites []site
	// area is a block's area as it begins. limits and known are the places there of limits of shared memory and of what
	// accesses know.
	area   []byte
	limits map[limit]int32
	known  []int32
	// strides is the place of the offsets of the lanes' local memory from that of lane 0, 32 bits each; 0: not used.
	strides int32
	// chains tells that the code begins the next blocks of a row itself, as many as the area says.
	chains bool
	// streams are the stores that the code lets go past the caches where the area says so, nil if there are none.
	streams *streams
	// resume and next are the offsets of the code that restores all registers of a warp and goes on where it stands, and
	// of the code that goes on with the next warp.
	resume, next int
	// frame is the size of a warp's frame, if it is more than the plan asked for.
	frame int
}

// frameSize is the size of a frame that holds n bytes.
func frameSize(n int) int {
	n = (n + 63) / 64 * 64
	if n%1024 == 0 {
		n += 64 // frames that would compete for the same lines of the cache
	}
	return n
}

func (p *program) emit() error {
	o, err := p.target.emit(p)
	if err != nil {
		return err
	}
	p.room = o.text
	if p.code, err = install(o.text); err != nil {
		return err
	}
	p.frame = max(p.frame, o.frame)
	p.escapes = make([]atomic.Uint64, len(o.sites))
	p.sites, p.area, p.limits, p.known, p.strides, p.chains = o.sites, o.area, o.limits, o.known, o.strides, o.chains
	p.streams = o.streams
	p.resume, p.next = p.code.base+uint64(o.resume), p.code.base+uint64(o.next)
	return nil
}

// LocalBytes is what the reference engine needs, since a block may go on there.
func (p *program) LocalBytes() int { return p.local }

// Text returns the machine code, for tools.
func (p *program) Text() []byte { return p.code.text }
