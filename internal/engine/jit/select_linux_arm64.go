package jit

import (
	"encoding/binary"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/jit/arm64"
)

// makers are the engines for this processor.
var makers = []maker{{"jit/neon", newNEON}}

// newNEON returns the engine for Advanced SIMD, which every processor of 64 bits has.
func newNEON() (engine.Engine, error) {
	return newCompiler(neon()), nil
}

func neon() target {
	return &narrow{engine: "jit/neon", code: func() isa { return &neonCode{} }, general: neonGeneral}
}

// targets are what code can be emitted for.
var targets = map[string]target{"jit/neon": neon()}

// decode reads the first instruction of code. Where it names another place, that is at base plus what follows $.
func decode(code []byte, offset int) (size int, text string, base int) {
	return 4, arm64.Decode(binary.LittleEndian.Uint32(code)), offset
}
