//go:build linux && !tandem_nodl

package nvidia_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/nvidiatest"
)

const placePTX = `.version 7.0
.target sm_75
.address_size 64
.visible .global .align 4 .u32 runs;
.visible .entry place(.param .u64 p)
{
	.reg .b32 %r<9>;
	.reg .b64 %rd<4>;
	ld.param.u64 %rd1, [p];
	mov.u32 %r1, %ctaid.x;
	mov.u32 %r2, %ctaid.y;
	mov.u32 %r3, %ctaid.z;
	mov.u32 %r4, %nctaid.x;
	mov.u32 %r5, %nctaid.y;
	mad.lo.u32 %r6, %r3, %r5, %r2;
	mad.lo.u32 %r6, %r6, %r4, %r1;
	mul.wide.u32 %rd2, %r6, 4;
	add.u64 %rd1, %rd1, %rd2;
	atom.global.add.u32 %r7, [%rd1], 1;
	atom.global.add.u32 %r7, [runs], 1;
	ret;
}
.func where()
{
	.reg .b32 %r<2>;
	mov.u32 %r1, %ctaid.x;
	ret;
}
.visible .entry called()
{
	call.uni where;
	ret;
}`

// TestPartsOfGrids launches random parts of random grids and holds which blocks ran.
func TestPartsOfGrids(t *testing.T) {
	f := nvidiatest.New(t)
	d := f.Open(t)
	defer func() { require.NoError(t, d.Close()) }()
	m, _, err := d.LoadModule([]byte(placePTX), driver.ModuleOptions{})
	require.NoError(t, err)
	k, err := d.Function(m, "place")
	require.NoError(t, err)
	runs, _, err := d.Global(m, "runs")
	require.NoError(t, err)
	loads := f.Called("cuModuleLoadDataEx")
	r, total := rand.New(rand.NewPCG(1, 2)), uint64(0)
	for range 60 {
		grid := driver.Dim3{X: uint32(1 + r.IntN(9)), Y: uint32(1 + r.IntN(5)), Z: uint32(1 + r.IntN(4))}
		n := grid.Count()
		p, err := d.Alloc(4 * n)
		require.NoError(t, err)
		require.NoError(t, d.Fill(p, 0, 4, n, 0))
		first := r.Uint64N(n)
		count := 1 + r.Uint64N(n-first)
		_, err = d.Launch(&driver.Launch{Function: k, Grid: grid, First: first, Count: count, Block: driver.Dim3{X: 1, Y: 1, Z: 1},
			Params: binary.LittleEndian.AppendUint64(nil, uint64(p))})
		require.NoError(t, err)
		got := make([]byte, 4*n)
		require.NoError(t, d.Read(got, p, 0))
		for i := range n {
			want := uint32(0)
			if i >= first && i < first+count {
				want = 1
			}
			require.Equal(t, want, binary.LittleEndian.Uint32(got[4*i:]), "block %d of %v, from %d on %d", i, grid, first, count)
		}
		total += count
		require.NoError(t, d.Free(p))
	}
	b := make([]byte, 4)
	require.NoError(t, d.Read(b, runs, 0))
	require.Equal(t, uint32(total), binary.LittleEndian.Uint32(b), "a part uses the variables of the module")
	require.Equal(t, loads+1, f.Called("cuModuleLoadDataEx"), "it is made once")
	unloads := f.Called("cuModuleUnload")
	require.NoError(t, d.UnloadModule(m))
	require.Equal(t, unloads+2, f.Called("cuModuleUnload"), "and goes with its module")
}

// TestPartsThatCannotBeLaunched: what has no part says why, and still runs whole.
func TestPartsThatCannotBeLaunched(t *testing.T) {
	f := nvidiatest.New(t)
	d := f.Open(t)
	defer func() { require.NoError(t, d.Close()) }()
	m, _, err := d.LoadModule([]byte(placePTX), driver.ModuleOptions{})
	require.NoError(t, err)
	one := driver.Dim3{X: 1, Y: 1, Z: 1}
	launch := func(name string, l driver.Launch) error {
		k, err := d.Function(m, name)
		require.NoError(t, err)
		l.Function, l.Grid, l.Block = k, driver.Dim3{X: 4, Y: 1, Z: 1}, one
		_, err = d.Launch(&l)
		return err
	}
	err = launch("called", driver.Launch{Count: 2})
	require.ErrorIs(t, err, driver.NotSupported)
	require.ErrorContains(t, err, "where, which is called, reads %ctaid.x")
	require.NoError(t, launch("called", driver.Launch{}))
	p, err := d.Alloc(16)
	require.NoError(t, err)
	params := binary.LittleEndian.AppendUint64(nil, uint64(p))
	require.ErrorIs(t, launch("place", driver.Launch{Count: 2, Cooperative: true, Params: params}), driver.NotSupported)

	f.Force("cuModuleLoadDataEx", driver.OutOfMemory)
	require.ErrorIs(t, launch("place", driver.Launch{Count: 2, Params: params}), driver.OutOfMemory)
	f.Force("cuModuleLoadDataEx", 0)
	require.NoError(t, launch("place", driver.Launch{Count: 2, Params: params}), "a failure of the driver is not remembered")
}

// TestPartsOfMachineCode: a cubin's parts are made from the PTX that came with it.
func TestPartsOfMachineCode(t *testing.T) {
	f := nvidiatest.New(t)
	d := f.Open(t)
	defer func() { require.NoError(t, d.Close()) }()
	binary := binary.LittleEndian.AppendUint32(nil, 0xba55ed50) // an empty fatbin: the fake takes its own text for it
	binary = append(binary, 1, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	f.Binary = placePTX
	one := driver.Dim3{X: 1, Y: 1, Z: 1}
	for _, text := range [][]byte{nil, []byte(placePTX)} {
		m, _, err := d.LoadModule(binary, driver.ModuleOptions{PTX: text})
		require.NoError(t, err)
		k, err := d.Function(m, "place")
		require.NoError(t, err)
		p, err := d.Alloc(16)
		require.NoError(t, err)
		_, err = d.Launch(&driver.Launch{Function: k, Grid: driver.Dim3{X: 4, Y: 1, Z: 1}, First: 1, Count: 2, Block: one, Params: eight(p)})
		if text == nil {
			require.ErrorIs(t, err, driver.NotSupported)
			require.ErrorContains(t, err, "only machine code")
			continue
		}
		require.NoError(t, err)
	}
}

func eight(p driver.Ptr) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(p)) }
