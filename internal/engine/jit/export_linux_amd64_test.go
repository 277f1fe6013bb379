package jit

import "github.com/tandem-go/tandem/internal/engine"

// Streaming returns the engines that this machine can run, with stores that go past the caches however little a launch writes.
func Streaming() (all []engine.Engine) {
	if _, err := newAVX512(); err == nil {
		all = append(all, newCompiler(avx512{}))
	}
	if _, err := newAVX2(); err == nil {
		all = append(all, newCompiler(avx2(0)))
	}
	return all
}

// Streams tells whether p has stores that go past the caches, and whether they do in a launch.
func Streams(p engine.Program, l *engine.Launch) (has, does bool) {
	s := p.(*program).streams
	return s != nil, s != nil && s.worthwhile(l, func(uint64) uint64 { return 1 << 40 })
}
