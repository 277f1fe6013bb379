package cuda_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/cuda"
)

// placesPTX adds to element blockIdx.y*gridDim.x+blockIdx.x: 1000*gridDim.x + gridDim.y.
const placesPTX = `
.version 7.0
.target sm_75
.address_size 64
.visible .entry places(.param .u64 p)
{
	.reg .b32 %r<8>;
	.reg .b64 %rd<4>;
	ld.param.u64 %rd1, [p];
	cvta.to.global.u64 %rd1, %rd1;
	mov.u32 %r1, %ctaid.x;
	mov.u32 %r2, %ctaid.y;
	mov.u32 %r3, %nctaid.x;
	mov.u32 %r4, %nctaid.y;
	mad.lo.u32 %r5, %r2, %r3, %r1;
	mul.wide.u32 %rd2, %r5, 4;
	add.u64 %rd1, %rd1, %rd2;
	mad.lo.u32 %r6, %r3, 1000, %r4;
	ld.global.u32 %r7, [%rd1];
	add.u32 %r7, %r7, %r6;
	st.global.u32 [%rd1], %r7;
	ret;
}`

func TestPartsOfAGridMakeTheGrid(t *testing.T) {
	d, err := cuda.OpenHost(cuda.HostConfig{})
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	require.True(t, d.LaunchesParts())
	m, err := d.Load(background, []byte(placesPTX), cuda.LoadConfig{})
	require.NoError(t, err)
	k, err := m.Function("places")
	require.NoError(t, err)

	const w, h = 7, 5
	want := make([]uint32, w*h)
	grid := cuda.LaunchConfig{Grid: cuda.D2(w, h), Block: cuda.D1(1)}
	require.NoError(t, k.Run(background, grid, cuda.InOut(want)))
	require.Equal(t, uint32(1000*w+h), want[w*h-1])

	r := rand.New(rand.NewPCG(3, 9))
	for range 20 {
		b, err := cuda.Alloc[uint32](d, w*h)
		require.NoError(t, err)
		require.NoError(t, b.Fill(0, nil))
		for first := 0; first < w*h; {
			cfg := grid
			cfg.Part = cuda.BlockRange{First: first, Count: 1 + r.IntN(w*h-first)}
			if r.IntN(2) == 0 {
				require.NoError(t, k.Launch(cfg, b))
			} else {
				p, err := k.Prepare(cfg, b)
				require.NoError(t, err)
				require.NoError(t, p.Launch())
			}
			first += cfg.Part.Count
		}
		got, err := b.Download(background)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.NoError(t, b.Close())
	}

	for _, bad := range []cuda.BlockRange{{First: -1, Count: 1}, {First: 1}, {Count: -1}, {First: w * h, Count: 1}, {First: 1, Count: w * h}} {
		cfg := grid
		cfg.Part = bad
		require.ErrorIs(t, k.Launch(cfg, cuda.InOut(want)), cuda.ErrInvalidValue, "%+v", bad)
	}
}

func TestPartOfAGridWhereItIsNotSupported(t *testing.T) {
	d, _ := open(t) // the fake has no block ranges
	require.False(t, d.LaunchesParts())
	x := []int32{1, 2}
	cfg := threads(2)
	cfg.Part = cuda.BlockRange{Count: 1}
	require.ErrorIs(t, function(t, d, "increment").Run(background, cfg, cuda.InOut(x)), cuda.ErrNotSupported)
	require.Equal(t, []int32{1, 2}, x)
}

func TestViewsOfHostBuffers(t *testing.T) {
	d, _ := open(t)
	h, err := cuda.AllocHost[int32](d, 8)
	require.NoError(t, err)
	copy(h.Slice(), []int32{0, 1, 2, 3, 4, 5, 6, 7})
	v, err := h.View(2, 7)
	require.NoError(t, err)
	v, err = v.View(1, 4)
	require.NoError(t, err)
	require.Equal(t, []int32{3, 4, 5}, v.Slice())
	b, err := cuda.Alloc[int32](d, 3)
	require.NoError(t, err)
	require.NoError(t, cuda.Copy(b, v, nil))
	got, err := b.Download(background)
	require.NoError(t, err)
	require.Equal(t, []int32{3, 4, 5}, got)
	require.NoError(t, function(t, d, "increment").Run(background, threads(2), v))
	require.Equal(t, []int32{0, 1, 2, 4, 5, 5, 6, 7}, h.Slice(), "a kernel gets the view's address")

	for _, bad := range [][2]int{{-1, 0}, {2, 1}, {0, 4}} {
		_, err := v.View(bad[0], bad[1])
		require.ErrorIs(t, err, cuda.ErrLength)
	}
	require.NoError(t, v.Close())
	require.NotNil(t, h.Slice(), "closing a view frees nothing")
	require.NoError(t, b.Close())
	require.NoError(t, h.Close())
	require.Nil(t, v.Slice())
}
