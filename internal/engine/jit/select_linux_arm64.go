package jit

import (
	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/interp"
)

// makers are the engines for this processor.
var makers = []maker{{"jit/neon", newNEON}}

// newNEON returns the engine for Advanced SIMD, which every processor of 64 bits has.
func newNEON() (engine.Engine, error) {
	t := &narrow{engine: "jit/neon", code: func() isa { return &neonCode{} }, general: neonGeneral}
	return compiler{t, interp.New()}, nil
}
