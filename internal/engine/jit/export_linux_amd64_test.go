package jit

import (
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
)

// Streaming returns the engine for AVX-512 with stores that go past the caches however little a launch writes.
func Streaming() (engine.Engine, error) {
	if _, err := newAVX512(); err != nil {
		return nil, err
	}
	return compiler{avx512{}, interp.New()}, nil
}

// Streams tells whether p has stores that go past the caches, and whether they do in a launch.
func Streams(p engine.Program, l *engine.Launch) (has, does bool) {
	s := p.(*program).streams
	return s != nil, s != nil && s.worthwhile(l, func(uint64) uint64 { return 1 << 40 })
}
