package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/listing"
)

const addOne = `.version 7.0
.target sm_75
.address_size 64
.visible .entry add_one(.param .u64 y)
{
	.reg .b32 %r<3>;
	.reg .b64 %rd<3>;
	ld.param.u64 %rd1, [y];
	ld.global.u32 %r1, [%rd1];
	add.s32 %r2, %r1, 1;
	st.global.u32 [%rd1], %r2;
	ret;
}
`

// TestPTX: the commands that show what becomes of PTX.
func TestPTX(t *testing.T) {
	folder(t)
	write(t, "good.ptx", addOne)
	write(t, "bad.ptx", addOne+"\n.visible .entry more() { nonsense.u32 1; }")
	for _, c := range []struct {
		args           []string
		status         int
		stdout, stderr string
	}{
		{[]string{"check", "good.ptx"}, 0, "", ""},
		{[]string{"check", "bad.ptx"}, 3, "", "bad.ptx:15:26: unknown instruction nonsense"},
		{[]string{"dump", "good.ptx"}, 0, "add.s32", ""},
		{[]string{"dump", "--stage=lower", "good.ptx"}, 0, "add.s32", ""},
		{[]string{"dump", "--stage=none", "good.ptx"}, 2, "", `no stage "none"`},
		{[]string{"dump", "--block=x", "good.ptx"}, 2, "", "--block"},
		{[]string{"dump", "--kernel=more", "good.ptx"}, 2, "", "has no kernel more"},
		{[]string{"dump", "bad.ptx"}, 3, "", "unknown instruction"},
		{[]string{"dump"}, 2, "", "want one FILE"},
	} {
		status, stdout, stderr := tandem(t, append([]string{"ptx"}, c.args...)...)
		require.Equal(t, c.status, status, stderr)
		require.Contains(t, stdout, c.stdout, c.args)
		require.Contains(t, stderr, c.stderr, c.args)
	}
	for _, engine := range listing.Engines() {
		status, stdout, stderr := tandem(t, "ptx", "dump", "--stage=asm", "--engine="+engine, "--block=32", "good.ptx")
		require.Zero(t, status, stderr)
		require.Regexp(t, `line 10: add\.s32 %r2, %r1, 1;\n *[0-9a-f]+  ([0-9a-f]{2} )+ +\w`, stdout)
	}
}
