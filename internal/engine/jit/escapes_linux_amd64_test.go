package jit_test

import (
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/enginetest"
	"github.com/tandem-go/tandem/internal/ir"
)

// watched keeps the programs that an engine made.
type watched struct {
	engine.Engine
	all *[]engine.Program
}

func (w watched) Compile(k *ir.Kernel, o engine.Options) (engine.Program, error) {
	p, err := w.Engine.Compile(k, o)
	if err == nil {
		*w.all = append(*w.all, p)
	}
	return p, err
}

// escapes adds up what the programs executed in Go, by form.
func escapes(all []engine.Program) map[string]uint64 {
	sum := map[string]uint64{}
	for _, p := range all {
		for form, n := range p.(interface{ Escapes() map[string]uint64 }).Escapes() {
			sum[form] += n
		}
	}
	return sum
}

func TestEscapes(t *testing.T) {
	var all []engine.Program
	n := 0
	enginetest.Run(t, fallback{watched{compiled(t), &all}, false, &n})
	enginetest.Run(t, fallback{watched{compiled(t), &all}, true, &n})
	sum := escapes(all)
	if os.Getenv("DUMP") != "" {
		for _, form := range slices.Sorted(maps.Keys(sum)) {
			t.Log(form, sum[form])
		}
	}
}
