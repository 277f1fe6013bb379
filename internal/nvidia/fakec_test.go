//go:build linux && fakecuda && !tandem_nodl

package nvidia_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// fakeC is the driver library of testdata/fakecuda, opened as the real one is: `make test-fakecuda` builds it and names its
// folder in TANDEM_FAKECUDA.
type fakeC struct {
	t   *testing.T
	lib *dl.Library
}

func openFakeC(t *testing.T) (*fakeC, driver.Backend) {
	dir := os.Getenv("TANDEM_FAKECUDA")
	require.NotEmpty(t, dir, "run: make test-fakecuda")
	lib, err := dl.Open(filepath.Join(dir, "libcuda.so.1"))
	require.NoError(t, err)
	f := &fakeC{t, lib}
	f.call("fake_reset")
	t.Cleanup(func() {
		name := dl.GoString(dl.NewFrame().Call(f.symbol("fake_misused")))
		require.Zero(t, f.call("fake_misuse"), "stale handles, missing contexts, addresses out of bounds; the last in %s", name)
		require.Zero(t, f.call("fake_live"), "objects are left")
	})
	search := cuapi.Search{Dirs: []string{dir}, Files: []string{"libcuda.so.1"}}
	return f, nvidia.New(nvidia.Config{Library: search.Open})
}

func (f *fakeC) symbol(name string) dl.Func {
	fn, err := f.lib.Symbol(name)
	require.NoError(f.t, err)
	return fn
}

func (f *fakeC) call(name string) int { return int(int32(dl.NewFrame().Call(f.symbol(name)))) }

func (f *fakeC) calls(name string) int {
	return int(int32(dl.NewFrame().String(name).Call(f.symbol("fake_calls"))))
}

func (f *fakeC) arg(name string, i int) uint64 {
	return uint64(dl.NewFrame().String(name).Int(uintptr(i)).Call(f.symbol("fake_arg")))
}

// fail makes the nth call of a function from now on fail.
func (f *fakeC) fail(name string, nth int, s driver.Status) {
	dl.NewFrame().String(name).Int(uintptr(nth)).Int(uintptr(s)).Call(f.symbol("fake_fail"))
}

func (f *fakeC) set(what string, v int) {
	dl.NewFrame().String(what).Int(uintptr(v)).Call(f.symbol("fake_set"))
}

const scalePTX = `.version 7.0
.target sm_75
.address_size 64
.visible .entry scale(.param .u64 y, .param .u64 x, .param .f32 a, .param .u32 n) { ret; }
.visible .entry nothing() { ret; }
`

// everything uses every method of the contract on the fake, and returns the first error. What a step makes goes with the
// device.
func everything(b driver.Backend) error {
	infos, err := b.Devices()
	if err != nil {
		return err
	}
	for _, i := range infos {
		if i.Unusable != nil {
			return i.Unusable
		}
	}
	d, err := b.Open(0)
	if err != nil {
		return err
	}
	s := &scene{d: d}
	for _, step := range []func() error{s.memory, s.boxes, s.images, s.mipmaps, s.references, s.pools, s.managed, s.order, s.code, s.launches, s.graphs, s.control, s.graphics} {
		if err := step(); err != nil {
			return errors.Join(err, d.Close())
		}
	}
	own, err := b.(driver.ContextOpener).OpenContext(1, driver.ContextOptions{})
	if err != nil {
		return errors.Join(err, d.Close())
	}
	return errors.Join(s.peers(own), own.Close(), d.Close())
}

// peers copies from another device.
func (s *scene) peers(other driver.Device) error {
	d := s.d.(driver.Peer)
	can, err := d.CanAccess(other)
	if err == nil && !can {
		err = errors.New("the devices reach each other")
	}
	if err != nil {
		return err
	}
	far, err := other.Alloc(256)
	if err != nil {
		return err
	}
	e, err := other.NewEvent(false)
	if err != nil {
		return err
	}
	_, err = s.d.Locate(far)
	return first(d.EnableAccess(other), other.Fill(far, 7, 4, 64, 0), other.Record(e, 0), d.WaitPeer(0, other, e),
		d.CopyPeer(s.y, other, far, 8, 0), s.expect(s.y, []byte{7, 0, 0, 0, 7, 0, 0, 0}),
		d.CopyRegionPeer(&driver.Region{Dst: driver.Place{Ptr: s.y + 8}, Src: driver.Place{Ptr: far}, Width: 4, Height: 1, Depth: 1}, other, 0),
		s.expect(s.y+8, []byte{7, 0, 0, 0}), err, d.DisableAccess(other), other.Free(far))
}

// scene is what the steps share.
type scene struct {
	d     driver.Device
	x, y  driver.Ptr
	scale driver.Function
}

func floats(v ...float32) []byte {
	var b []byte
	for _, f := range v {
		u := math.Float32bits(f)
		b = append(b, byte(u), byte(u>>8), byte(u>>16), byte(u>>24))
	}
	return b
}

// expect reads memory and compares.
func (s *scene) expect(p driver.Ptr, want []byte) error {
	got := make([]byte, len(want))
	if err := s.d.Read(got, p, 0); err != nil {
		return err
	}
	if !slices.Equal(got, want) {
		return errors.New("memory holds something else")
	}
	return nil
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *scene) memory() (err error) {
	d := s.d
	if s.x, err = d.Alloc(1024); err != nil {
		return err
	}
	if s.y, err = d.Alloc(1024); err != nil {
		return err
	}
	host, bytes, err := d.AllocHost(64)
	if err != nil {
		return err
	}
	copy(bytes, "page-locked")
	_, _, err = d.MemInfo()
	return first(err,
		d.Write(s.x, floats(1, 2, 3, 4), 0), d.Copy(s.y, s.x, 16, 0), s.expect(s.y, floats(1, 2, 3, 4)),
		d.Copy(s.y, host, 11, 0), s.expect(s.y, []byte("page-locked")),
		d.Fill(s.y, 0x12, 1, 3, 0), d.Fill(s.y+4, 0x1234, 2, 2, 0), d.Fill(s.y+8, 0x12345678, 4, 2, 0),
		s.expect(s.y, []byte{0x12, 0x12, 0x12, 'e', 0x34, 0x12, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12, 0x78, 0x56, 0x34, 0x12}),
		d.FreeHost(host))
}

func (s *scene) boxes() error {
	d := s.d
	return first(
		d.Fill(s.y, 0, 1, 64, 0),
		d.FillRows(s.y, 16, 7, 1, 2, 2, 0), d.FillRows(s.y+4, 16, 8, 2, 1, 2, 0), d.FillRows(s.y+8, 16, 9, 4, 1, 2, 0),
		s.expect(s.y, []byte{7, 7, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 7, 7, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0}),
		d.CopyRegion(&driver.Region{Dst: driver.Place{Ptr: s.y + 64, Pitch: 4, Height: 2}, Src: driver.Place{Ptr: s.y, Pitch: 16, Height: 2}, Width: 2, Height: 2, Depth: 1}, 0),
		s.expect(s.y+64, []byte{7, 7}), s.expect(s.y+68, []byte{7, 7}))
}

func (s *scene) images() error {
	d := s.d
	a, err := d.NewArray(driver.ArrayDesc{Width: 4, Height: 2, Format: driver.Unsigned8, Channels: 4, Surface: true})
	if err != nil {
		return err
	}
	t, err := d.NewTexture(&driver.TextureDesc{Array: a, Linear: true, Normalized: true})
	if err != nil {
		return err
	}
	m, err := d.NewTexture(&driver.TextureDesc{Ptr: s.x, Width: 8, Format: driver.Float, Channels: 1})
	if err != nil {
		return err
	}
	u, err := d.NewSurface(a)
	if err != nil {
		return err
	}
	to := &driver.Region{Dst: driver.Place{Array: a, X: 4, Y: 1}, Src: driver.Place{Ptr: s.x}, Width: 8, Height: 1, Depth: 1}
	from := &driver.Region{Src: driver.Place{Array: a, X: 4, Y: 1}, Dst: driver.Place{Ptr: s.y}, Width: 8, Height: 1, Depth: 1}
	return first(d.CopyRegion(to, 0), d.CopyRegion(from, 0), s.expect(s.y, floats(1, 2)),
		d.DestroyTexture(t), d.DestroyTexture(m), d.DestroySurface(u), d.DestroyArray(a))
}

func (s *scene) pools() error {
	d := s.d
	p, err := d.NewPool(driver.PoolOptions{KeepBytes: 1 << 20})
	if err != nil {
		return err
	}
	m, err := d.AllocAsync(4096, p, 0)
	if err != nil {
		return err
	}
	i, err := d.PoolInfo(p)
	if err == nil && i.Used != 4096 {
		err = errors.New("the pool's figures are wrong")
	}
	return first(err, d.FreeAsync(m, 0), d.ResetPoolPeaks(p), d.TrimPool(p, 0), d.DestroyPool(p))
}

func (s *scene) managed() error {
	d := s.d
	m, bytes, err := d.AllocManaged(256)
	if err != nil {
		return err
	}
	copy(bytes, "both worlds")
	own := make([]byte, 4096)
	r, err := d.RegisterHost(own)
	return first(err, s.expect(m, []byte("both worlds")), d.Prefetch(m, 256, true, 0), d.Prefetch(m, 256, false, 0),
		d.Advise(m, 256, driver.ReadMostly, false), d.Attach(m, driver.AttachGlobal, 0), d.Free(m),
		d.UnregisterHost(r))
}

func (s *scene) order() error {
	d := s.d
	one, err := d.NewStream(-1)
	if err != nil {
		return err
	}
	a, err := d.NewEvent(true)
	if err != nil {
		return err
	}
	b, err := d.NewEvent(true)
	if err != nil {
		return err
	}
	called := false
	err = first(d.Record(a, one), d.WaitEvent(0, a), d.Record(b, 0), d.QueryEvent(a), d.SynchronizeEvent(b),
		d.HostFunc(one, func() { called = true }), d.Query(one), d.Synchronize(one))
	if err == nil && !called {
		err = errors.New("the host function was not called")
	}
	_, e := d.Elapsed(a, b)
	return first(err, e, d.DestroyEvent(a), d.DestroyEvent(b), d.DestroyStream(one))
}

func (s *scene) code() error {
	d := s.d
	image, _, err := d.Link([]driver.LinkInput{{Name: "a.ptx", Data: []byte(scalePTX)}}, driver.ModuleOptions{MaxRegisters: 32})
	if err != nil {
		return err
	}
	linked, _, err := d.LoadModule(image, driver.ModuleOptions{})
	if err != nil {
		return err
	}
	m, log, err := d.LoadModule([]byte(scalePTX), driver.ModuleOptions{OptLevel: 2, MaxRegisters: 64, Debug: true, LineInfo: true})
	if err != nil {
		return err
	}
	if log != "fake ptxas: info" {
		return errors.New("the log is " + log)
	}
	if s.scale, err = d.Function(m, "scale"); err != nil {
		return err
	}
	i, err := d.FunctionInfo(s.scale)
	if err == nil && i.Registers != 16 {
		err = errors.New("wrong attributes")
	}
	_, n, e := d.Global(m, "counter")
	if e == nil && n != 64 {
		e = errors.New("wrong variable")
	}
	blocks, o := d.Occupancy(s.scale, 256, 0)
	if o == nil && blocks != 8 {
		o = errors.New("wrong occupancy")
	}
	_, threads, p := d.SuggestBlock(s.scale, 0, 128)
	if p == nil && threads != 128 {
		p = errors.New("wrong block")
	}
	return first(err, e, o, p, d.SetFunctionAttribute(s.scale, driver.SharedCarveout, 50), d.SetFunctionCache(s.scale, driver.CacheL1), d.UnloadModule(linked))
}

func (s *scene) block(a float32, n uint32) []byte {
	var p []byte
	for _, v := range []uint64{uint64(s.y), uint64(s.x)} {
		for i := range 8 {
			p = append(p, byte(v>>(8*i)))
		}
	}
	p = append(p, floats(a)...)
	return append(p, byte(n), byte(n>>8), 0, 0)
}

func (s *scene) launch(a float32) *driver.Launch {
	return &driver.Launch{Function: s.scale, Grid: driver.Dim3{X: 2, Y: 1, Z: 1}, Block: driver.Dim3{X: 32, Y: 2, Z: 1}, Params: s.block(a, 4)}
}

func (s *scene) launches() error {
	d := s.d
	_, err := d.Launch(s.launch(3))
	if err := first(err, s.expect(s.y, floats(3, 6, 9, 12))); err != nil {
		return err
	}
	l := s.launch(-1)
	l.SharedBytes = 100 << 10 // more than is allowed by default
	_, err = d.Launch(l)
	if err := first(err, s.expect(s.y, floats(-1, -2, -3, -4))); err != nil {
		return err
	}
	l = s.launch(2)
	l.Cooperative = true
	_, err = d.Launch(l)
	if err := first(err, s.expect(s.y, floats(2, 4, 6, 8))); err != nil {
		return err
	}
	l = s.launch(5)
	l.Grid.X, l.Cluster, l.Early = 32, driver.Dim3{X: 16, Y: 1, Z: 1}, true
	_, err = d.Launch(l)
	resident, largest, e := d.Clusters(l)
	if e == nil && (resident != 264 || largest != 16) {
		e = errors.New("wrong occupancy of clusters")
	}
	return first(err, s.expect(s.y, floats(5, 10, 15, 20)), e)
}

func (s *scene) graphs() error {
	d := s.d
	g, err := d.NewGraph()
	if err != nil {
		return err
	}
	fill, err := d.AddFill(g, nil, s.x, math.Float32bits(5), 4, 4)
	if err != nil {
		return err
	}
	kernel, err := d.AddKernel(g, []driver.Node{fill}, s.launch(2))
	if err != nil {
		return err
	}
	called := 0
	host, err := d.AddHostFunc(g, []driver.Node{fill}, func() { called++ })
	if err != nil {
		return err
	}
	join, err := d.AddEmpty(g, []driver.Node{kernel, host})
	if err != nil {
		return err
	}
	if _, err = d.AddCopy(g, []driver.Node{join}, s.y+16, s.y, 16); err != nil {
		return err
	}
	stream, err := d.NewStream(0)
	if err != nil {
		return err
	}
	if err := d.BeginCapture(stream); err != nil {
		return err
	}
	l := s.launch(4)
	l.Stream = stream
	if _, err := d.Launch(l); err != nil {
		return err
	}
	captured, err := d.EndCapture(stream)
	if err != nil {
		return err
	}
	if _, err := d.AddGraph(g, nil, captured); err != nil {
		return err
	}
	n, err := d.GraphNodes(g)
	if err == nil && n != 6 {
		err = errors.New("wrong number of nodes")
	}
	if err != nil {
		return err
	}
	x, err := d.Instantiate(g)
	if err != nil {
		return err
	}
	err = first(d.DestroyGraph(captured), d.LaunchGraph(x, 0), d.Synchronize(0),
		s.expect(s.y, floats(20, 20, 20, 20, 10, 10, 10, 10)), d.DestroyGraphExec(x), d.DestroyGraph(g), d.DestroyStream(stream))
	if err == nil && called != 1 {
		err = errors.New("the host function was not called")
	}
	return err
}

func (s *scene) control() error {
	d := s.d
	_, err := d.Limit(driver.HeapBytes)
	_, e := d.CacheConfig()
	least, greatest, p := d.PriorityRange()
	if p == nil && (least != 0 || greatest != -5) {
		p = errors.New("wrong priorities")
	}
	_, a := d.Attribute(driver.MultiprocessorCount)
	return first(err, e, p, a, d.SetLimit(driver.HeapBytes, 1<<24), d.SetCacheConfig(driver.CacheL1), d.StartProfiler(), d.StopProfiler())
}

func (s *scene) graphics() error {
	g := s.d.(driver.Graphics)
	if _, err := g.OnGLDevice(); err != nil {
		return err
	}
	b, err := g.RegisterGLBuffer(7, 0)
	if err != nil {
		return err
	}
	i, err := g.RegisterGLImage(8, 0x0DE1, 0)
	if err != nil {
		return err
	}
	if err := first(g.MapResource(b, 0), g.MapResource(i, 0)); err != nil {
		return err
	}
	p, n, err := g.MappedPointer(b)
	if err == nil && n != 256 {
		err = errors.New("wrong size of a mapped buffer")
	}
	a, desc, e := g.MappedArray(i, 0, 0)
	if e == nil && (desc.Width != 8 || desc.Height != 4 || desc.Channels != 4) {
		e = errors.New("wrong description of a mapped image")
	}
	return first(err, e, s.d.Fill(p, 1, 4, 64, 0), s.d.DestroyArray(a), g.UnmapResource(i, 0), g.UnmapResource(b, 0), g.UnregisterResource(b), g.UnregisterResource(i))
}

// older are symbols that are looked up only on drivers without their newer names.
var older = []string{"cuDeviceGetUuid", "cuDevicePrimaryCtxRelease", "cuEventElapsedTime", "cuGraphAddKernelNode", "cuMemPrefetchAsync", "cuMemAdvise"}

// TestFakeCAll: every entry point is called through the loader, with the C library's conventions, and what the calls do is seen
// in memory. No call uses a stale handle, misses its context, or leaves an object.
func TestFakeCAll(t *testing.T) {
	f, b := openFakeC(t)
	require.NoError(t, everything(b))
	for _, e := range cuapi.Entries() {
		for _, symbol := range e.Symbols() {
			switch {
			case slices.Contains(older, symbol), e == cuapi.GetErrorName, e == cuapi.GetErrorString, e == cuapi.MemGetAddressRange:
			default:
				require.Positive(t, f.calls(symbol), symbol)
			}
		}
	}
	// Some arguments as C got them: narrow integers, eight of them before the stream, a negative one.
	require.EqualValues(t, 64, f.arg("cuMemsetD32Async", 2))
	require.EqualValues(t, 2, f.arg("cuLaunchCooperativeKernel", 1))
	require.EqualValues(t, 32, f.arg("cuLaunchKernel", 4))
	require.EqualValues(t, 2, f.arg("cuLaunchKernel", 5))
	require.Equal(t, uint64(0x0DE1), f.arg("cuGraphicsGLRegisterImage", 2))
}

// TestFakeCEachFails: the status of each function that fails on order comes back, and nothing is left.
func TestFakeCEachFails(t *testing.T) {
	f, b := openFakeC(t)
	require.NoError(t, everything(b), "what is kept for the process is there")
	var wrong []string
	for _, e := range cuapi.Entries() {
		symbol := e.Symbols()[0]
		if f.calls(symbol) == 0 || e == cuapi.Init || e == cuapi.GetErrorName || e == cuapi.GetErrorString {
			continue
		}
		before := f.call("fake_live")
		f.fail(symbol, 1, driver.Status(913)) // no function gives it by itself
		err := everything(b)
		switch {
		case optional[e] && err != nil:
			wrong = append(wrong, fmt.Sprintf("%s: %v, and the device would work without it", symbol, err))
		case !optional[e] && (!errors.Is(err, driver.Status(913)) || !strings.Contains(err.Error(), symbol)):
			wrong = append(wrong, fmt.Sprintf("%s: %v", symbol, err))
		}
		// A destroy call that fails leaves its object, in the fake as on a GPU.
		if n := f.call("fake_live") - before; n != 0 && !slices.Contains(leaves, e) {
			wrong = append(wrong, fmt.Sprintf("%s: %d objects are left", symbol, n))
		}
	}
	require.Empty(t, wrong)
	f.call("fake_reset") // live objects of failed destroy calls stay with the process
	f.call("fake_forget")
}

// optional are the calls without which a device works.
var optional = map[cuapi.Entry]bool{cuapi.DeviceGetUuid: true, cuapi.DeviceGetPCIBusId: true}

// leaves are the calls that free something, and the one without which it is in doubt whether memory is still used.
var leaves = []cuapi.Entry{
	cuapi.StreamQuery,
	cuapi.DevicePrimaryCtxRelease, cuapi.CtxDestroy, cuapi.MemFree, cuapi.MemFreeHost, cuapi.ArrayDestroy, cuapi.MipmappedArrayDestroy, cuapi.TexObjectDestroy, cuapi.SurfObjectDestroy,
	cuapi.MemPoolDestroy, cuapi.MemFreeAsync, cuapi.MemHostUnregister, cuapi.GraphicsUnregisterResource, cuapi.GraphicsUnmapResources,
	cuapi.StreamDestroy, cuapi.EventDestroy, cuapi.ModuleUnload, cuapi.LinkDestroy, cuapi.GraphDestroy, cuapi.GraphExecDestroy,
}

// TestFakeCNoDevice: a driver that finds no device is none.
func TestFakeCNoDevice(t *testing.T) {
	f, b := openFakeC(t)
	f.set("devices", 0)
	_, err := b.Devices()
	require.ErrorIs(t, err, driver.ErrNoBackend)
	require.ErrorContains(t, err, "found no GPU")
}

// TestFakeCOldPTX: what the driver says of PTX that is too new comes through, log included.
func TestFakeCOldPTX(t *testing.T) {
	f, b := openFakeC(t)
	d, err := b.Open(0)
	require.NoError(t, err)
	f.set("ptx", 60)
	_, log, err := d.LoadModule([]byte(scalePTX), driver.ModuleOptions{})
	require.ErrorIs(t, err, driver.UnsupportedPTX)
	require.Equal(t, "fake ptxas: unsupported .version", log)
	require.ErrorContains(t, err, "fake: PTX is too new")
	require.NoError(t, d.Close())
}
