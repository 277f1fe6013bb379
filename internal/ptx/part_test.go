package ptx_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/ptx"
)

const partText = `.version 7.0
.target sm_75, debug
.address_size 64
.file 1 "a.cu"
.global .align 4 .u32 total = 3;
.visible .global .align 8 .u64 table[2] = {total, 0};
.global .align 1 .b8 $str[3] = {104, 105, 0};
.const .align 4 .u32 step;
.const .align 4 .u32 fixed = 5;
.visible .global .align 8 .u64 pointers[1] = {add};
.func (.param .b32 r) add(.param .b32 a)
{
	.reg .b32 %r<3>;
	ld.param.u32 %r1, [a];
	ld.global.u32 %r2, [total];
	add.u32 %r1, %r1, %r2;
	st.param.b32 [r], %r1;
	ret;
}
.func (.param .b32 r) where()
{
	.reg .b32 %r<2>;
	mov.u32 %r1, %ctaid.x;
	st.param.b32 [r], %r1;
	ret;
}
.visible .entry other(.param .u64 p)
{
	ret;
}
.visible .entry k(.param .u64 p)
.maxntid 64, 1, 1
{
	.reg .b32 %r<9>;
	.reg .b64 %rd<9>;
	.loc 1 7 3
	mov.u32 %r1, %ctaid.y;
	mad.lo.u32 %r2, %nctaid.x, 4, %r1;
	mov.u64 %rd1, table+8;
	ld.global.u64 %rd2, [table+8];
	ld.global.u64 %rd3, [total];
	mov.u64 %rd4, $str;
	ld.const.u32 %r3, [step];
	ld.const.u32 %r4, [fixed];
	{
		.reg .b64 total;
		mov.u64 %rd5, total;
	}
	{
		.param .b32 a;
		.param .b32 r;
		st.param.b32 [a], %r1;
		call.uni (r), add, (a);
		ld.param.b32 %r5, [r];
	}
	ret;
}
.visible .entry called()
{
	.param .b32 r;
	call.uni (r), where;
	ret;
}
.visible .entry vector()
{
	.reg .b32 %r<4>;
	mov.v4.u32 {%r0, %r1, %r2, %r3}, %ctaid;
	ret;
}
.visible .entry pointer()
{
	.reg .b64 %rd<2>;
	mov.u64 %rd1, add;
	ret;
}
.visible .entry indirect()
{
	.reg .b64 %rd<2>;
	ld.global.u64 %rd1, [pointers];
	proto: .callprototype _;
	call %rd1, proto;
	ret;
}
.visible .entry clustered() .explicitcluster
{
	ret;
}
.visible .entry cluster()
{
	.reg .b32 %r<2>;
	mov.u32 %r1, %clusterid.x;
	ret;
}
.visible .entry secret()
{
	.reg .b64 %rd<2>;
	mov.u64 %rd1, hidden;
	ret;
}
.global .u32 hidden;
`

// partRewritten is kernel k of partText, with the addresses of partAddress.
const partRewritten = `.version 7.0
.target sm_75
.address_size 64
.global .align 4 .u32 total = 3;
.visible .global .align 8 .u64 table[2] = {total, 0};
.global .align 1 .b8 $str[3] = {104, 105, 0};
.const .align 4 .u32 step;
.const .align 4 .u32 fixed = 5;
.func (.param .b32 r) add(.param .b32 a)
{
	.reg .b64 %tandem_v<1>;
	mov.u64 %tandem_v0, 4096;
	.reg .b32 %r<3>;
	ld.param.u32 %r1, [a];
	ld.global.u32 %r2, [%tandem_v0];
	add.u32 %r1, %r1, %r2;
	st.param.b32 [r], %r1;
	ret;
}
.visible .entry k(.param .u64 p, .param .align 8 .b8 tandem_part[40])
.maxntid 64, 1, 1
{
	.reg .b32 %tandem_c<3>;
	.reg .b32 %tandem_n<3>;
	.reg .b32 %tandem_r;
	.reg .b64 %tandem_l;
	.reg .b64 %tandem_b;
	.reg .pred %tandem_p;
	ld.param.u32 %tandem_r, [tandem_part];
	mov.u32 %tandem_c0, %ctaid.x;
	add.u32 %tandem_c0, %tandem_c0, %tandem_r;
	ld.param.u32 %tandem_n0, [tandem_part+12];
	ld.param.u32 %tandem_r, [tandem_part+4];
	mov.u32 %tandem_c1, %ctaid.y;
	add.u32 %tandem_c1, %tandem_c1, %tandem_r;
	ld.param.u32 %tandem_n1, [tandem_part+16];
	ld.param.u32 %tandem_r, [tandem_part+8];
	mov.u32 %tandem_c2, %ctaid.z;
	add.u32 %tandem_c2, %tandem_c2, %tandem_r;
	ld.param.u32 %tandem_n2, [tandem_part+20];
	mad.lo.u32 %tandem_r, %tandem_c2, %tandem_n1, %tandem_c1;
	mul.wide.u32 %tandem_l, %tandem_r, %tandem_n0;
	cvt.u64.u32 %tandem_b, %tandem_c0;
	add.u64 %tandem_l, %tandem_l, %tandem_b;
	ld.param.u64 %tandem_b, [tandem_part+24];
	sub.u64 %tandem_l, %tandem_l, %tandem_b;
	ld.param.u64 %tandem_b, [tandem_part+32];
	setp.ge.u64 %tandem_p, %tandem_l, %tandem_b;
	@%tandem_p ret;
	.reg .b64 %tandem_v<3>;
	mov.u64 %tandem_v0, 8200;
	mov.u64 %tandem_v1, 8192;
	mov.u64 %tandem_v2, 4096;
	.reg .b32 %r<9>;
	.reg .b64 %rd<9>;
	mov.u32 %r1, %tandem_c1;
	mad.lo.u32 %r2, %tandem_n0, 4, %r1;
	mov.u64 %rd1, %tandem_v0;
	ld.global.u64 %rd2, [%tandem_v1+8];
	ld.global.u64 %rd3, [%tandem_v2];
	mov.u64 %rd4, $str;
	ld.const.u32 %r3, [step];
	ld.const.u32 %r4, [fixed];
	{
		.reg .b64 total;
		mov.u64 %rd5, total;
	}
	{
		.param .b32 a;
		.param .b32 r;
		st.param.b32 [a], %r1;
		call.uni (r), add, (a);
		ld.param.b32 %r5, [r];
	}
	ret;
}
.global .u32 hidden;
`

func partAddress(name string) (uint64, bool) {
	at, ok := map[string]uint64{"total": 0x1000, "table": 0x2000, "step": 0x3000, "pointers": 0x4000}[name]
	return at, ok
}

func TestPartOfAKernel(t *testing.T) {
	k, err := ptx.NewPartKernel("part", []byte(partText), "k", partAddress)
	require.NoError(t, err)
	require.Equal(t, []string{"step"}, k.Constants, "what nobody can write needs no copy")
	require.Equal(t, partRewritten, k.Text)
	sigs, err := ptx.Headers([]byte(k.Text))
	require.NoError(t, err)
	require.Equal(t, 48, sigs[0].Size)
	p := ptx.Part{Origin: [3]uint32{1, 2, 3}, Grid: [3]uint32{4, 5, 6}, First: 7, Count: 8}
	require.Len(t, p.Append(make([]byte, 3)), 48)
}

func TestKernelsThatCannotRunInParts(t *testing.T) {
	for entry, why := range map[string]string{
		"called":    "23:15: where, which is called, reads %ctaid.x",
		"vector":    "reads %ctaid in a way that is not known",
		"pointer":   "pointer takes the address of function add",
		"indirect":  "indirect calls through a pointer",
		"clustered": "kernel clustered is made for clusters (.explicitcluster)",
		"cluster":   "cluster reads %clusterid",
		"secret":    "secret uses the static variable hidden",
		"absent":    "part has no kernel absent",
		"add":       "part has no kernel add",
	} {
		_, err := ptx.NewPartKernel("part", []byte(partText), entry, partAddress)
		require.ErrorContains(t, err, why, entry)
	}
	_, err := ptx.NewPartKernel("part", []byte(".entry"), "k", partAddress)
	var list ptx.ErrorList
	require.ErrorAs(t, err, &list)
}
