package jit

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/mem"
)

// call runs compiled code from a warp on. It returns 0 behind the last warp, and 1 where a warp stops: its frame says why.
//
//go:noescape
func call(code, frame, area uint64) uint64

// New returns the engine for this machine's processor, or an error that wraps ErrUnavailable.
func New() (engine.Engine, error) {
	x := cpu.X86
	if !(x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512CD && x.HasFMA && x.HasBMI1 && x.HasBMI2 && x.HasPOPCNT) {
		return nil, fmt.Errorf("%w: it needs AVX-512 F, BW, DQ, VL and CD", ErrUnavailable)
	}
	return avx512{reference: interp.New()}, nil
}

type avx512 struct{ reference engine.Engine }

func (avx512) Name() string { return "jit/avx512" }

// program is a compiled kernel.
type program struct {
	kernel    *ir.Kernel
	options   engine.Options
	reference engine.Program
	plan      *plan
	sites     []site
	retries   []int // by site: offset of the code that tries an access again
	code      *code
	resume    uint64 // address of the code that restores all registers of a warp and goes on where it stands
	next      uint64 // address of the code that goes on with the next warp
	light     bool   // warps pass barriers without Go
	area      []byte // as it begins
	limits    map[int64]int32
	known     []int32
	frame     int // bytes
	escaped   atomic.Uint64
	pool      sync.Pool
}

// Escaped is the number of lane operations that were executed in Go so far.
func (p *program) Escaped() uint64 { return p.escaped.Load() }

// Compile compiles a kernel. It fails where the reference engine does, and for kernels with calls.
func (a avx512) Compile(k *ir.Kernel, o engine.Options) (engine.Program, error) {
	reference, err := a.reference.Compile(k, o)
	if err != nil {
		return nil, err
	}
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
	p := &program{kernel: k, options: o, reference: reference, plan: analyse(k.Funcs[0], o.Block, o.Globals)}
	frame := p.plan.allocate(machine, (framePend+4*int32(len(k.Funcs[0].Blocks))+63)/64*64)
	p.frame = int(frame+63) / 64 * 64
	if p.frame%1024 == 0 {
		p.frame += 64 // frames that would compete for the same lines of the cache
	}
	p.light = oneBarrier(k.Funcs[0], p.plan)
	if err := p.emit(); err != nil {
		return nil, fmt.Errorf("compile kernel %s: %w", k.Name, err)
	}
	p.pool.New = func() any { return &running{program: p} }
	return p, nil
}

func (p *program) emit() error {
	e := &emitter{
		p: p.plan, k: p.kernel, o: p.options, consts: map[uint64]int32{}, vectors: map[string]int32{}, limits: map[int64]int32{},
		frame: int32(p.frame), light: p.light,
		area: make([]byte, areaParams+(p.kernel.Params+63)/64*64),
	}
	e.code()
	text, err := e.Finish()
	if err == nil {
		err = e.err
	}
	if err != nil {
		return err
	}
	if p.code, err = install(text); err != nil {
		return err
	}
	p.sites, p.area, p.limits, p.known = e.sites, e.area, e.limits, e.known
	p.resume, p.next = p.code.base+uint64(e.Offset(e.resume)), p.code.base+uint64(e.Offset(e.next))
	for _, s := range e.sites {
		at := 0
		if s.kind == siteAccess {
			at = e.Offset(s.retry)
		}
		p.retries = append(p.retries, at)
	}
	return nil
}

// LocalBytes is what the reference engine needs, since a block may go on there.
func (p *program) LocalBytes() int { return p.reference.LocalBytes() }

// Text returns the machine code, for tools.
func (p *program) Text() []byte { return p.code.text }

// code is executable memory. It is given back when nothing refers to it any more.
type code struct {
	text []byte
	base uint64
}

// install copies machine code to memory that is executable, and no longer writable.
func install(text []byte) (*code, error) {
	m, err := unix.Mmap(-1, 0, len(text), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("map %d bytes for code: %w", len(text), err)
	}
	copy(m, text)
	if err := unix.Mprotect(m, unix.PROT_READ|unix.PROT_EXEC); err != nil {
		return nil, fmt.Errorf("make %d bytes of code executable: %w", len(text), errors.Join(err, unix.Munmap(m)))
	}
	c := &code{text: m[:len(text)], base: mem.AddressOf(m)}
	runtime.AddCleanup(c, func(m []byte) { _ = unix.Munmap(m) }, m)
	return c, nil
}
