package jit_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/enginetest"
	"github.com/tandem-go/tandem/internal/engine/jit"
	"github.com/tandem-go/tandem/internal/ir"
)

// watched keeps the programs that an engine made.
type watched struct {
	engine.Engine
	all *[]engine.Program
	// forms are those of the instructions that it compiled.
	forms map[string]bool
}

func (w watched) Compile(k *ir.Kernel, o engine.Options) (engine.Program, error) {
	p, err := w.Engine.Compile(k, o)
	if err == nil {
		*w.all = append(*w.all, p)
		for _, b := range k.Funcs[0].Blocks {
			for _, in := range b.Instrs {
				w.forms[jit.Form(in)] = true
			}
		}
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

var rewrite = flag.Bool("rewrite", false, "write the list of native operations anew")

// TestNative holds the list: what it calls native never left compiled code when the run files were executed, and
// everything else did.
func TestNative(t *testing.T) {
	var all []engine.Program
	n := 0
	e, err := jit.Named("jit/avx512")
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, specialised := range []bool{false, true} {
		enginetest.Run(t, fallback{watched{e, &all, seen}, specialised, &n})
	}
	left := escapes(all)
	var have strings.Builder
	for _, form := range slices.Sorted(maps.Keys(seen)) {
		how := "native"
		if left[form] > 0 {
			how = "go"
		}
		fmt.Fprintf(&have, "%s %s\n", form, how)
	}
	if *rewrite {
		require.NoError(t, os.WriteFile(nativeList, []byte(have.String()), 0o644))
	}
	want, err := os.ReadFile(nativeList)
	require.NoError(t, err)
	require.Equal(t, strings.Split(string(want), "\n"), strings.Split(have.String(), "\n"), "after a change of what is compiled: go test -run TestNative -rewrite")
}
