package ptx_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ptx"
)

// FuzzParse holds that no text makes Parse or Headers panic, and that what Parse accepts prints to a fixed point.
func FuzzParse(f *testing.F) {
	for _, name := range files(f) {
		src, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(src)
	}
	for _, src := range []string{
		"", ".version 6.0\n.target sm_75", ".func f { a|b", ".global .u32 x = 0x8(y)+-(.s64)1U;",
		".entry k(.param .u64 .ptr .align 8 p) .pragma \"x\"; ;", ".func f { x: .callprototype (.reg .b32 _) _; }",
		".global .u32 n = 3 %2 ? 1e5 : -0f7F800000;", ".section .s {\"}\"}",
	} {
		f.Add([]byte(src))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		_, _ = ptx.Headers(src)
		m, err := ptx.Parse("f.ptx", src)
		require.NotNil(t, m)
		if err != nil {
			return
		}
		requireFixedPoint(t, m)
	})
}
