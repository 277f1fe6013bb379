package ptx_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ksig"
	"github.com/tandem-go/tandem/internal/ptx"
)

func TestHeaders(t *testing.T) {
	sigs, err := ptx.Headers([]byte(`.version 99.1
.target sm_200x, future
.address_size 64
.newdirective { .entry hidden() { } }
.global .q99 x = {;};
.entry first(
	.param .u64 .ptr .global .align 16 first_param_0,
	.param .align 8 .b8 first_param_1[20],
	.param .f32 first_param_2,
	.param .u8 first_param_3,
	.param .f64 first_param_4
)
.maxntid 128, 2
.futuredirective 7, "x"
.pragma "a;b{";
{
	frobnicate.new.f3 {%a, "}"}, ` + "`$ // }" + `
	{ @ ! ;; }
}
.weak .entry .attribute(.future(1, (2))) second .reqntid 8, 8, 8 { ret; }
.visible .entry declared(.param .u32 p);
.visible .entry declared(.param .u32 p) .maxntid 32, 1, 1 { }
.func (.param .b32 r) f(.param .b32 a) { ret; }
`))
	require.NoError(t, err)
	first := ksig.Signature{Entry: "first", MaxThreads: [3]int{128, 2}, Size: 48, Params: []ksig.Param{
		{Name: "first_param_0", Offset: 0, Size: 8, Align: 8, Class: ksig.Integer},
		{Name: "first_param_1", Offset: 8, Size: 20, Align: 8, Class: ksig.Aggregate},
		{Name: "first_param_2", Offset: 28, Size: 4, Align: 4, Class: ksig.Float},
		{Name: "first_param_3", Offset: 32, Size: 1, Align: 1, Class: ksig.Integer},
		{Name: "first_param_4", Offset: 40, Size: 8, Align: 8, Class: ksig.Float},
	}}
	require.Equal(t, []ksig.Signature{
		first,
		{Entry: "second", ReqThreads: [3]int{8, 8, 8}},
		{Entry: "declared", MaxThreads: [3]int{32, 1, 1}, Size: 4,
			Params: []ksig.Param{{Name: "p", Size: 4, Align: 4, Class: ksig.Integer}}},
	}, sigs)
}

func TestHeadersOfBrokenHeader(t *testing.T) {
	sigs, err := ptx.Headers([]byte(`.entry a(.param .newtype x) { }
.entry b(.param .b8 y[2000000000]) { }
.entry c(.param .u16 z) { }`))
	require.ErrorContains(t, err, "ptx:1:10: parameter x has no known type")
	require.ErrorContains(t, err, "ptx:2:10: parameter y is too large")
	require.Len(t, sigs, 1)
	require.Equal(t, "c", sigs[0].Entry)
}

func TestHeadersOfOtherText(t *testing.T) {
	sigs, err := ptx.Headers([]byte("\x7fELF nothing here \x00\xff {{{"))
	require.NoError(t, err)
	require.Empty(t, sigs)
}
