package ptx_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ptx"
	"github.com/tandem-go/tandem/internal/ptx/check"
)

const linkHead = ".version 7.0\n.target sm_70\n.address_size 64\n"

func link(texts ...string) (*ptx.Module, error) {
	var in []ptx.Source
	for i, s := range texts {
		in = append(in, ptx.Source{Name: string(rune('a'+i)) + ".ptx", Text: []byte(s)})
	}
	return ptx.Link(in)
}

func TestLink(t *testing.T) {
	m, err := link(linkHead+`
.file 1 "a.cu"
.extern .func (.param .b32 r) twice(.param .b32 x);
.extern .global .align 4 .u32 shared_count;
.global .align 4 .u32 local = 1;
.visible .entry run(.param .u64 out)
{
	.reg .b32 %r<3>;
	.reg .b64 %rd<2>;
	.loc 1 7 1
	ld.global.u32 %r1, [shared_count];
	ld.global.u32 %r2, [local];
	{
	.param .b32 p0;
	.param .b32 q0;
	st.param.b32 [p0], %r1;
	call.uni (q0), twice, (p0);
	ld.param.b32 %r1, [q0];
	}
	ld.param.u64 %rd1, [out];
	st.global.u32 [%rd1], %r1;
	ret;
}
`, `.version 8.1
.target sm_75, debug
.address_size 64
.file 1 "b.cu"
.visible .global .align 4 .u32 shared_count = 21;
.global .align 4 .u32 local = 2; // "local" of the other text is another variable
.visible .func (.param .b32 r) twice(.param .b32 x)
{
	.reg .b32 %r<3>;
	.loc 1 3 1
	ld.param.b32 %r1, [x];
	ld.global.u32 %r2, [local];
	mul.lo.u32 %r1, %r1, %r2;
	st.param.b32 [r], %r1;
	ret;
}
`)
	require.NoError(t, err)
	text := m.String()
	again, err := ptx.Parse("linked.ptx", []byte(text))
	require.NoError(t, err, text)
	c, err := check.Check(again)
	require.NoError(t, err, text)
	require.Equal(t, 81, again.Version.Major*10+again.Version.Minor)
	require.Equal(t, []string{"sm_75"}, again.Target.Names)
	require.NotNil(t, c.Func("run"))
	require.True(t, c.Func("twice").Defined)
	require.NotNil(t, c.Var("local"))
	require.NotNil(t, c.Var("local$1"), "the second text's internal variable has a name of its own")
	require.Contains(t, text, "ld.global.u32 %r2, [local$1]")
	require.Contains(t, text, `"b.cu"`)
	require.Contains(t, text, ".loc 2 3 1")
	require.Equal(t, 1, strings.Count(text, "shared_count = 21"))
}

func TestLinkRefuses(t *testing.T) {
	f := linkHead + ".visible .func f() { ret; }\n"
	_, err := link(f, f)
	var list ptx.ErrorList
	require.ErrorAs(t, err, &list)
	require.ErrorContains(t, err, "b.ptx")
	require.ErrorContains(t, err, "f is defined here and in a.ptx")
	_, err = link(f, "nonsense")
	require.ErrorAs(t, err, &list)
	_, err = link(f, linkHead+".weak .func f() { ret; }\n")
	require.NoError(t, err, "a weak definition gives way")
	m, err := link(linkHead+".weak .func f() { ret; }\n", f)
	require.NoError(t, err)
	require.Contains(t, m.String(), ".visible .func f()")
	require.NotContains(t, m.String(), ".weak")
}
