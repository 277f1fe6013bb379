package jit

import (
	"fmt"

	"golang.org/x/sys/cpu"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/jit/amd64"
)

// makers are the engines for this processor, the fastest first.
var makers = []maker{{"jit/avx512", newAVX512}, {"jit/avx2", newAVX2}}

// newAVX2 returns the engine for AVX2.
func newAVX2() (engine.Engine, error) {
	x := cpu.X86
	if !(x.HasAVX2 && x.HasFMA && x.HasBMI1 && x.HasBMI2 && x.HasPOPCNT) {
		return nil, fmt.Errorf("%w: it needs AVX2, FMA, BMI1, BMI2 and POPCNT", ErrUnavailable)
	}
	return newCompiler(avx2(leastStreamed)), nil
}

func avx2(leastStreamed uint64) target {
	return &narrow{engine: "jit/avx2", code: func() isa { return &avx2Code{} }, general: []uint8{3, 8, 9, 10, 11, 12, 13}, leastStreamed: leastStreamed, permutes: true}
}

// targets are what code can be emitted for, whether or not this machine can run it.
var targets = map[string]target{"jit/avx512": avx512{leastStreamed}, "jit/avx2": avx2(leastStreamed)}

// decode reads the first instruction of code. Where it names another place, that is at base plus what follows $.
func decode(code []byte, offset int) (size int, text string, base int) {
	d := amd64.Decode(code)
	return d.Size, d.Text, offset + d.Size
}
