package hostdev_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/hostdev"
	"github.com/tandem-go/tandem/internal/mem"
)

func host(t testing.TB) driver.Device {
	d := open(t, hostdev.Config{MemoryLimit: 1 << 30})
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func launchOne(t testing.TB, d driver.Device, f driver.Function, params ...uint64) {
	t.Helper()
	var p []byte
	for _, v := range params {
		p = binary.LittleEndian.AppendUint64(p, v)
	}
	one := driver.Dim3{X: 1, Y: 1, Z: 1}
	_, err := d.Launch(&driver.Launch{Function: f, Grid: one, Block: one, Params: p})
	require.NoError(t, err)
}

func words(t testing.TB, d driver.Device, p driver.Ptr, n int) []uint64 {
	t.Helper()
	b := make([]byte, 8*n)
	require.NoError(t, d.Read(b, p, 0))
	v := make([]uint64, n)
	_, err := binary.Decode(b, binary.LittleEndian, v)
	require.NoError(t, err)
	return v
}

// The log has every error, each with its place.
func TestLogListsAllErrors(t *testing.T) {
	d := host(t)
	text := header + `.visible .entry a()
{
	.reg .b32 %r<2>;
	nonsense.u32 %r1, %r1;
	add.u32 %r1, %r9, 1;
	ret;
}
.visible .entry b()
{
	bra NOWHERE;
}
`
	m, log, err := d.LoadModule([]byte(text), driver.ModuleOptions{Name: "three.ptx"})
	require.ErrorIs(t, err, driver.InvalidPTX)
	require.Zero(t, m)
	lines := strings.Split(log, "\n")
	require.Len(t, lines, 3, log)
	require.Contains(t, lines[0], "three.ptx:7:")
	require.Contains(t, lines[1], "three.ptx:8:")
	require.Contains(t, lines[2], "three.ptx:13:")
}

func TestAddressSize(t *testing.T) {
	d := host(t)
	_, log, err := d.LoadModule([]byte(strings.Replace(kernel, "size 64", "size 32", 1)), driver.ModuleOptions{})
	require.ErrorIs(t, err, driver.InvalidPTX)
	require.Equal(t, "ptx:1:1: addresses of 32 bits: the host device needs .address_size 64", log)
}

func TestImagesOfGPUs(t *testing.T) {
	d := host(t)
	for _, c := range []struct {
		image, log string
		status     driver.Status
	}{
		{"\x7fELF\x02\x01", "a cubin holds machine code of a GPU", driver.NoBinaryForGPU},
		{"\x50\xed\x55\xba\x01", "a fatbin is not searched for PTX", driver.NoBinaryForGPU},
		{"\xb1\x43\x62\x46\x01", "a fatbin is not searched for PTX", driver.NoBinaryForGPU},
		{"", "the image is empty", driver.InvalidImage},
		{"\x00\x00", "the image is empty", driver.InvalidImage},
		{".version 6.4\x00.target", "byte 0x00 at 12", driver.InvalidImage},
	} {
		_, log, err := d.LoadModule([]byte(c.image), driver.ModuleOptions{})
		require.ErrorIs(t, err, c.status, "%q", c.image)
		require.Contains(t, log, c.log)
	}
}

// Addresses in initialisers: of variables, with offsets, in parts; of functions, called through a table.
const initialisers = header + `
.global .align 8 .u64 numbers[3] = {11, 22, 33};
.visible .global .align 8 .u64 second = generic(numbers) + 8;
.const .align 8 .u64 third = numbers+16;
.visible .global .align 8 .u64 zeros[4] = {7};
.func (.param .b64 result) twice(.param .b64 x)
{
	.reg .b64 %rd<3>;
	ld.param.u64 %rd1, [x];
	add.u64 %rd2, %rd1, %rd1;
	st.param.b64 [result], %rd2;
	ret;
}
.func (.param .b64 result) square(.param .b64 x)
{
	.reg .b64 %rd<3>;
	ld.param.u64 %rd1, [x];
	mul.lo.u64 %rd2, %rd1, %rd1;
	st.param.b64 [result], %rd2;
	ret;
}
.visible .global .align 8 .u64 table[2] = {square, twice};
.visible .entry data(.param .u64 out)
{
	.reg .b64 %rd<8>;
	ld.param.u64 %rd1, [out];
	ld.global.u64 %rd2, [second];
	ld.u64 %rd3, [%rd2];
	st.global.u64 [%rd1], %rd3;
	ld.const.u64 %rd4, [third];
	ld.global.u64 %rd5, [%rd4];
	st.global.u64 [%rd1+8], %rd5;
	ret;
}
.visible .entry code(.param .u64 out, .param .u64 which, .param .u64 x)
{
	.reg .b64 %rd<9>;
	ld.param.u64 %rd1, [out];
	ld.param.u64 %rd2, [which];
	ld.param.u64 %rd3, [x];
	mov.u64 %rd4, table;
	shl.b64 %rd5, %rd2, 3;
	add.u64 %rd6, %rd4, %rd5;
	ld.global.u64 %rd7, [%rd6];
	{
		.param .b64 p;
		.param .b64 r;
		st.param.b64 [p], %rd3;
		prototype: .callprototype (.param .b64 _) _ (.param .b64 _);
		call (r), %rd7, (p), prototype;
		ld.param.b64 %rd8, [r];
	}
	st.global.u64 [%rd1], %rd8;
	ret;
}
`

func TestInitialisers(t *testing.T) {
	d := host(t)
	m, log, err := d.LoadModule([]byte(initialisers), driver.ModuleOptions{})
	require.NoError(t, err, log)
	out, err := d.Alloc(16)
	require.NoError(t, err)
	f, err := d.Function(m, "data")
	require.NoError(t, err)
	launchOne(t, d, f, uint64(out))
	require.Equal(t, []uint64{22, 33}, words(t, d, out, 2))

	zeros, n, err := d.Global(m, "zeros")
	require.NoError(t, err)
	require.EqualValues(t, 32, n)
	require.Equal(t, []uint64{7, 0, 0, 0}, words(t, d, zeros, 4))

	f, err = d.Function(m, "code")
	require.NoError(t, err)
	for which, want := range []uint64{81, 18} {
		launchOne(t, d, f, uint64(out), uint64(which), 9)
		require.Equal(t, []uint64{want}, words(t, d, out, 1))
	}
}

// A variable is an allocation: what lies behind it belongs to nobody.
func TestVariableBounds(t *testing.T) {
	d := host(t)
	f := lookUp(t, d, header+`.global .align 4 .u32 small[3];
.visible .entry past()
{
	.reg .b32 %r<2>;
	ld.global.u32 %r1, [small+12];
	st.global.u32 [small], %r1;
	ret;
}
`, "past")
	launchOne(t, d, f)
	var fault *driver.Fault
	require.ErrorAs(t, d.Synchronize(0), &fault)
	require.Equal(t, driver.IllegalAddress, fault.Status)
	require.Contains(t, fault.Detail, "allocation of 12 bytes")
}

// Unloading gives the memory of variables back.
func TestUnloadFreesVariables(t *testing.T) {
	d := host(t)
	text := header + ".visible .global .align 4 .b8 big[100000000];\n"
	for range 30 { // three gigabytes on a device of one
		m, log, err := d.LoadModule([]byte(text), driver.ModuleOptions{})
		require.NoError(t, err, log)
		require.NoError(t, d.UnloadModule(m))
	}
	_, log, err := d.LoadModule([]byte(strings.Replace(text, "100000000", "2000000000", 1)), driver.ModuleOptions{})
	require.ErrorIs(t, err, driver.OutOfMemory)
	require.Contains(t, log, "variable big of 2000000000 bytes")
	free, total, err := d.MemInfo()
	require.NoError(t, err)
	require.Equal(t, total, free)
}

// The whole report of a fault, with the position in the source that -lineinfo gives.
func TestFaultReport(t *testing.T) {
	d := host(t)
	f := lookUp(t, d, header+`
.file 1 "woods.cu"
.visible .entry lost(.param .u64 p)
{
	.reg .b32 %r<4>;
	.reg .b64 %rd<4>;
	.reg .pred %p<2>;
	.loc 1 7 3
	ld.param.u64 %rd1, [p];
	mov.u32 %r1, %tid.x;
	mov.u32 %r2, %ctaid.x;
	mad.lo.u32 %r3, %r2, 8, %r1;
	mul.wide.u32 %rd2, %r3, 4;
	add.u64 %rd3, %rd1, %rd2;
	.loc 1 9 5
	st.global.u32 [%rd3], %r3;
	ret;
}
`, "lost")
	p, err := d.Alloc(84) // block 2 has 5 elements
	require.NoError(t, err)
	_, err = d.Launch(&driver.Launch{
		Function: f, Grid: driver.Dim3{X: 3, Y: 1, Z: 1}, Block: driver.Dim3{X: 8, Y: 1, Z: 1},
		Params: binary.LittleEndian.AppendUint64(nil, uint64(p)),
	})
	require.NoError(t, err)
	var fault *driver.Fault
	require.ErrorAs(t, d.Synchronize(0), &fault)
	require.Equal(t, &driver.Fault{
		Status: driver.IllegalAddress, Kernel: "lost", Located: true,
		Block: driver.Dim3{X: 2}, Thread: driver.Dim3{X: 5},
		PTXFile: "test.ptx", PTXLine: 19, SourceFile: "woods.cu", SourceLine: 9,
		Access: "write", Addr: uint64(p) + 84, Size: 4, Space: "global",
		Detail: fault.Detail,
	}, fault)
	require.Contains(t, fault.Detail, "past the end of an allocation of 84 bytes")
}

// A kernel that the host device cannot run is known when it is looked up; others of its module run.
func TestUnsupportedKernel(t *testing.T) {
	d := host(t)
	m, log, err := d.LoadModule([]byte(header+`
.visible .entry good() { ret; }
.visible .entry bad(.param .u64 p)
{
	.reg .b32 %r<9>;
	.reg .b64 %rd<2>;
	ld.param.u64 %rd1, [p];
	stacksave.u64 %rd1;
	ret;
}
`), driver.ModuleOptions{Name: "two.ptx"})
	require.NoError(t, err, log)
	_, err = d.Function(m, "bad")
	require.ErrorIs(t, err, driver.NotSupported)
	require.ErrorContains(t, err, "prepare kernel bad: ")
	require.ErrorContains(t, err, "two.ptx:11:")
	f, err := d.Function(m, "good")
	require.NoError(t, err)
	again, err := d.Function(m, "good")
	require.NoError(t, err)
	require.Equal(t, f, again)
	launchOne(t, d, f)
	require.NoError(t, d.Synchronize(0))
}

func TestPoison(t *testing.T) {
	d := open(t, hostdev.Config{Poison: true, MemoryLimit: 1 << 30})
	defer d.Close()
	p, err := d.Alloc(100)
	require.NoError(t, err)
	b := make([]byte, 100)
	require.NoError(t, d.Read(b, p, 0))
	require.Equal(t, bytes.Repeat([]byte{mem.PoisonByte}, 100), b)
	f := lookUp(t, d, header+`.visible .entry peek(.param .u64 p)
{
	.shared .align 4 .u32 s;
	.reg .b32 %r<2>;
	.reg .b64 %rd<2>;
	ld.param.u64 %rd1, [p];
	ld.shared.u32 %r1, [s];
	st.global.u32 [%rd1], %r1;
	ret;
}
`, "peek")
	require.NoError(t, d.Fill(p, 0, 1, 100, 0))
	launchOne(t, d, f, uint64(p))
	require.NoError(t, d.Read(b, p, 0))
	require.Equal(t, bytes.Repeat([]byte{mem.PoisonByte}, 4), b[:4])
}

func TestBackend(t *testing.T) {
	b := hostdev.New(hostdev.Config{MemoryLimit: 100 << 20, Workers: 3})
	require.Equal(t, "host", b.Name())
	list, err := b.Devices()
	require.NoError(t, err)
	require.Len(t, list, 1)
	for _, ordinal := range []int{-1, 1, 1 << 40} {
		_, err = b.Open(ordinal)
		require.ErrorIs(t, err, driver.InvalidDevice)
	}
	d, err := b.Open(list[0].Ordinal)
	require.NoError(t, err)
	defer d.Close()
	require.Equal(t, list[0], d.Info())
	require.NotEmpty(t, d.Info().Name)
	require.EqualValues(t, 100<<20, d.Info().TotalBytes)
	require.Equal(t, [2]int{7, 5}, [2]int{d.Info().ComputeMajor, d.Info().ComputeMinor})
	n, err := d.Attribute(driver.MultiprocessorCount)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.Equal(t, driver.Caps{StopsKernels: true, BlockRanges: true, HostPointers: true, LoadsPTX: true, MemoryPools: true, Checks: true}, d.Caps())
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("no paper") }

// An error of the output's writer is not dropped.
func TestOutputFails(t *testing.T) {
	d := host(t)
	d.SetOutput(brokenWriter{})
	f := lookUp(t, d, header+`
.extern .func (.param .b32 result) vprintf(.param .b64 format, .param .b64 args);
.global .align 1 .b8 text[3] = {104, 105, 0};
.visible .entry hi()
{
	.reg .b64 %rd<3>;
	mov.u64 %rd1, text;
	mov.u64 %rd2, 0;
	{
		.param .b64 p0;
		.param .b64 p1;
		.param .b32 r0;
		st.param.b64 [p0], %rd1;
		st.param.b64 [p1], %rd2;
		call.uni (r0), vprintf, (p0, p1);
	}
	ret;
}
`, "hi")
	launchOne(t, d, f)
	err := d.Synchronize(0)
	require.ErrorIs(t, err, driver.OperatingSystem)
	require.ErrorContains(t, err, "write the output of kernels: ")
	require.ErrorContains(t, err, "no paper")
	require.NoError(t, d.Err())
	require.NoError(t, d.Synchronize(0))
}

// What is not initialised is zero, also where the memory was used before.
func TestVariablesBeginAsZero(t *testing.T) {
	d := host(t)
	const n = 1 << 20
	p, err := d.Alloc(n)
	require.NoError(t, err)
	require.NoError(t, d.Fill(p, 0xff, 1, n, 0))
	require.NoError(t, d.Synchronize(0))
	require.NoError(t, d.Free(p))
	m, log, err := d.LoadModule([]byte(header+".visible .global .align 8 .b64 v[131072] = {5};\n"), driver.ModuleOptions{})
	require.NoError(t, err, log)
	v, size, err := d.Global(m, "v")
	require.NoError(t, err)
	require.EqualValues(t, n, size)
	want := make([]uint64, n/8)
	want[0] = 5
	require.Equal(t, want, words(t, d, v, n/8))
}
