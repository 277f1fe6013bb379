package jit

import (
	"fmt"

	"golang.org/x/sys/cpu"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
	"github.com/tandem-go/tandem/internal/ir"
)

// newAVX512 returns the engine for AVX-512.
func newAVX512() (engine.Engine, error) {
	x := cpu.X86
	if !(x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL && x.HasAVX512CD && x.HasFMA && x.HasBMI1 && x.HasBMI2 && x.HasPOPCNT) {
		return nil, fmt.Errorf("%w: it needs AVX-512 F, BW, DQ, VL and CD", ErrUnavailable)
	}
	return newCompiler(avx512{leastStreamed}), nil
}

// avx512 is the target whose vectors hold half a warp.
type avx512 struct {
	// leastStreamed is how many bytes a launch writes at least whose stores go past the caches.
	leastStreamed uint64
}

func (avx512) name() string { return "jit/avx512" }

func (avx512) registers() registers { return machine }

func (avx512) vector(in *ir.Instr) (ok, nan bool) {
	n := nativeOf(in)
	return n.emit != nil, n.nan
}

func (avx512) scalar(in *ir.Instr) bool { return scalarNative(in) }

func (avx512) early(p *plan, in *ir.Instr) bool { return early(p, in) }

func (avx512) lasts(p *plan, in *ir.Instr, v *ir.Value) bool { return lasts(p, in, v) }

func (avx512) prepare(p *plan) {
	p.findJoined()
	p.findRepeated()
}

func (t avx512) emit(p *program) (*output, error) {
	e := &emitter{
		p: p.plan, k: p.kernel, o: p.options, consts: map[uint64]int32{}, vectors: map[string]int32{}, limits: map[limit]int32{},
		frame: int32(p.frame), light: p.light, local: int64(p.LocalBytes()), retries: map[int]amd64.Label{}, jointly: map[*ir.Instr]*indexGroup{},
		area:  make([]byte, areaParams+(p.kernel.Params+63)/64*64),
		marks: p.marks, streams: p.plan.findStreams(t.leastStreamed),
	}
	n := p.plan.instructions
	e.Reserve(p.room, 128*n+4096)
	e.sites, e.cold = make([]site, 0, n/2), make([]func(), 0, n)
	e.code()
	text, err := e.Finish()
	if err == nil {
		err = e.err
	}
	if err != nil {
		return nil, err
	}
	for i, l := range e.retries {
		e.sites[i].retry = e.Offset(l)
	}
	if !e.streaming {
		e.streams = nil
	}
	return &output{
		text: text, streams: e.streams, sites: e.sites, area: e.area, limits: e.limits, known: e.known, strides: e.strides, chains: true, resume: e.Offset(e.resume), next: e.Offset(e.next),
	}, nil
}
