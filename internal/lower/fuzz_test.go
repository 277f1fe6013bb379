package lower_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/metrics"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ir"
	"github.com/tandem-go/tandem/internal/lower"
	"github.com/tandem-go/tandem/internal/passes"
	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

// allowance is what the way from text to IR may allocate: 64 times the size of the text, and a fixed sum for the tables
// that any module needs.
const (
	allowance = 64
	fixed     = 1 << 20
)

// FuzzLower holds that no text makes the checker, the lowering or a pass panic, that what they make passes Verify, and
// that what is live at the end of each stage is bounded by the size of the text.
func FuzzLower(f *testing.F) {
	for _, pattern := range []string{"testdata/*.ptx", "../engine/enginetest/testdata/*/*.ptx"} {
		names, err := filepath.Glob(pattern)
		require.NoError(f, err)
		require.NotEmpty(f, names)
		for _, name := range names {
			src, err := os.ReadFile(name)
			require.NoError(f, err)
			f.Add(src)
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, k := range bounded(t, src) {
			require.NoError(t, ir.Verify(k))
		}
	})
}

// TestNestedLoops: values that are live through many loops do not make more IR than the text allows.
func TestNestedLoops(t *testing.T) {
	for _, n := range []int{10, 100, 400, 4000, 20000} {
		bounded(t, []byte(nestedLoops(n)))
	}
}

// nestedLoops is a kernel of n nested loops around a change of n variables, each of which therefore has a value of its own
// in each loop.
func nestedLoops(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".version 6.0\n.target sm_75\n.address_size 64\n.entry k()\n{\n.reg .b32 %%r<%d>;\n.reg .pred %%p;\n", n)
	for i := range n {
		fmt.Fprintf(&b, "mov.u32 %%r%d,%d;\n", i, i)
	}
	for i := range n {
		fmt.Fprintf(&b, "L%d:\nadd.u32 %%r0,%%r0,%%r1;\n", i)
	}
	for i := range n {
		fmt.Fprintf(&b, "add.u32 %%r%d,%%r%d,%%r%d;\n", i, i, (i+1)%n)
	}
	b.WriteString("setp.ne.u32 %p,%r0,%r1;\n")
	for i := range n {
		fmt.Fprintf(&b, "@%%p bra L%d;\n", n-1-i)
	}
	b.WriteString("ret;\n}\n")
	return b.String()
}

// allocated is what the process has allocated on Go's heap so far, garbage included.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// bounded takes text as far as it goes on the way to an engine, and holds that neither the checked module nor any kernel of
// it costs more than the allowance. Others of the process allocate too, so what costs too much is measured again.
func bounded(t *testing.T, src []byte) []*ir.Kernel {
	var kernels []*ir.Kernel
	var err error
	for range 4 {
		if kernels, err = compile(t, src); err == nil {
			break
		}
	}
	require.NoError(t, err)
	return kernels
}

// compile is bounded once.
func compile(t *testing.T, src []byte) (kernels []*ir.Kernel, dear error) {
	before := allocated()
	within := func(what string) {
		now := allocated()
		if n := now - before; n > uint64(allowance*len(src)+fixed) && dear == nil {
			dear = fmt.Errorf("%s: %d bytes allocated for %d bytes of text", what, n, len(src))
		}
		before = now
	}
	m, err := ptx.Parse("f.ptx", src)
	within("parse")
	if err != nil {
		return nil, dear
	}
	c, err := check.Check(m)
	within("check")
	if err != nil {
		return nil, dear
	}
	for _, fn := range c.Funcs {
		if !fn.Entry || !fn.Defined {
			continue
		}
		k, err := lower.Kernel(c, fn.Name)
		within("lower " + fn.Name)
		if err != nil {
			continue
		}
		require.NoError(t, passes.Run(k, passes.Options{}))
		within("passes of " + fn.Name)
		kernels = append(kernels, k)
	}
	return kernels, dear
}
