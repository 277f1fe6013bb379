package cuda_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

// references is what a compiler before CUDA 12 makes of a kernel with texture and surface references: each thread adds an element
// of the texture row and one of the texture picture, and counts in the surface.
const references = `
.version 7.8
.target sm_75
.address_size 64
.global .texref row;
.global .texref picture;
.global .surfref marks;
.global .u32 number;
.visible .entry add(.param .u64 out)
{
	.reg .f32 %f<12>;
	.reg .b32 %r<8>;
	.reg .b64 %rd<4>;
	ld.param.u64 %rd1, [out];
	mov.u32 %r1, %tid.x;
	tex.1d.v4.u32.s32 {%r2, %r3, %r4, %r5}, [row, {%r1}];
	mov.b32 %f1, %r2;
	cvt.rn.f32.s32 %f2, %r1;
	add.f32 %f2, %f2, 0f3F000000;
	tex.2d.v4.f32.f32 {%f3, %f4, %f5, %f6}, [picture, {%f2, %f2}];
	add.f32 %f7, %f1, %f3;
	mul.wide.u32 %rd2, %r1, 4;
	add.s64 %rd3, %rd1, %rd2;
	st.global.f32 [%rd3], %f7;
	shl.b32 %r6, %r1, 2;
	mov.u32 %r7, 0;
	sust.b.2d.b32.trap [marks, {%r6, %r7}], {%r1};
	ret;
}
`

func referencing(t *testing.T) (*cuda.Device, *cuda.Module, *cuda.Function) {
	d, err := cuda.OpenHost(cuda.HostConfig{Workers: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	m, err := d.Load(background, []byte(references), cuda.LoadConfig{Name: "references.ptx"})
	require.NoError(t, err)
	add, err := m.Function("add")
	require.NoError(t, err)
	return d, m, add
}

// TestReferences: kernels read and write through references what these were set to last, which the module keeps.
func TestReferences(t *testing.T) {
	d, m, _ := referencing(t)
	texture := checkReferences(t, d, m)
	other, _, _ := referencing(t)
	foreign, err := cuda.NewTexture(uploaded(t, other, uint8(1)), cuda.TextureConfig{})
	require.NoError(t, err)
	require.ErrorIs(t, m.SetTexture(background, "row", foreign), cuda.ErrWrongDevice)
	require.NoError(t, texture.Close())
	require.ErrorIs(t, m.SetTexture(background, "row", texture), cuda.ErrClosed)
}

// checkReferences runs the kernel and returns the texture that picture is set to.
func checkReferences(t *testing.T, d *cuda.Device, m *cuda.Module) *cuda.Texture {
	add, err := m.Function("add")
	require.NoError(t, err)
	picture, err := d.NewArray(cuda.ArrayConfig{Width: 4, Height: 4, Format: cuda.FormatFloat32})
	require.NoError(t, err)
	v := make([]float32, 16)
	for i := range v {
		v[i] = float32(10 * i)
	}
	require.NoError(t, cuda.FillArray(background, picture, v))
	marks, err := d.NewArray(cuda.ArrayConfig{Width: 4, Height: 1, Format: cuda.FormatUint32, Surface: true})
	require.NoError(t, err)
	texture, err := picture.NewTexture(cuda.TextureConfig{})
	require.NoError(t, err)
	surface, err := marks.NewSurface()
	require.NoError(t, err)
	require.NoError(t, m.SetTexture(background, "picture", texture))
	require.NoError(t, m.SetSurface(background, "marks", surface))
	out := make([]float32, 4)
	for _, first := range []uint8{0, 255} { // bytes are read as numbers from 0 to 1
		row, err := cuda.NewTexture(uploaded(t, d, first, 51, 102, 255), cuda.TextureConfig{})
		require.NoError(t, err)
		require.NoError(t, m.SetTexture(background, "row", row))
		runtime.GC()
		require.NoError(t, add.Run(background, threads(4), cuda.Out(out)))
		require.Equal(t, []float32{float32(first) / 255, 50 + float32(51)/255, 100 + float32(102)/255, 151}, out)
	}
	counted := make([]uint32, 4)
	require.NoError(t, cuda.ReadArray(background, counted, marks))
	require.Equal(t, []uint32{0, 1, 2, 3}, counted)

	require.ErrorIs(t, m.SetTexture(background, "nothing", texture), cuda.ErrNotFound)
	require.ErrorIs(t, m.SetTexture(background, "number", texture), cuda.ErrNotFound, "it is no reference")
	return texture
}

// TestReferenceNotSet: the fault says what is wrong.
func TestReferenceNotSet(t *testing.T) {
	_, _, add := referencing(t)
	err := add.Run(background, threads(4), cuda.Out(make([]float32, 4)))
	require.ErrorIs(t, err, cuda.ErrIllegalAddress)
	require.ErrorContains(t, err, "0x0 is no texture or surface object")
}
