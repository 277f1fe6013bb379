package drivertest

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/internal/driver"
)

// everyCall calls each method of a device that can fail, with arguments that are good but for what the caller made of them.
func everyCall(d driver.Device, p driver.Ptr, s driver.Stream, e driver.Event, m driver.Module, f driver.Function) map[string]error {
	b := make([]byte, 4)
	l := &driver.Launch{Function: f, Grid: one, Block: one, Stream: s}
	region := &driver.Region{Dst: driver.Place{Ptr: p}, Src: driver.Place{Ptr: p + 8}, Width: 4, Height: 1, Depth: 1}
	_, _, allocHost := d.AllocHost(4)
	_, _, allocManaged := d.AllocManaged(4)
	_, _, load := d.LoadModule([]byte(kernels), driver.ModuleOptions{})
	_, _, link := d.Link([]driver.LinkInput{{Data: []byte(kernels)}}, driver.ModuleOptions{})
	_, _, global := d.Global(m, "counter")
	_, _, memInfo := d.MemInfo()
	_, _, priorities := d.PriorityRange()
	_, _, suggest := d.SuggestBlock(f, 0, 0)
	return map[string]error{
		"MemInfo": memInfo, "AllocHost": allocHost, "AllocManaged": allocManaged, "LoadModule": load, "Link": link, "Global": global,
		"PriorityRange": priorities, "SuggestBlock": suggest,
		"Attribute": second(d.Attribute(driver.WarpSize)), "Alloc": second(d.Alloc(4)), "Free": d.Free(p), "FreeHost": d.FreeHost(p),
		"Locate": second(d.Locate(p)), "Write": d.Write(p, b, s), "Read": d.Read(b, p, s), "Copy": d.Copy(p, p+8, 4, s),
		"Fill": d.Fill(p, 0, 4, 1, s), "CopyRegion": d.CopyRegion(region, s), "FillRows": d.FillRows(p, 4, 0, 4, 1, 1, s),
		"NewArray":  second(d.NewArray(driver.ArrayDesc{Width: 4, Format: driver.Float, Channels: 1})),
		"NewPool":   second(d.NewPool(driver.PoolOptions{})),
		"NewStream": second(d.NewStream(0)), "DestroyStream": d.DestroyStream(s), "Synchronize": d.Synchronize(s), "Query": d.Query(s),
		"NewEvent": second(d.NewEvent(false)), "DestroyEvent": d.DestroyEvent(e), "Record": d.Record(e, s), "WaitEvent": d.WaitEvent(s, e),
		"QueryEvent": d.QueryEvent(e), "SynchronizeEvent": d.SynchronizeEvent(e), "Elapsed": second(d.Elapsed(e, e)),
		"HostFunc": d.HostFunc(s, func() {}), "BeginCapture": d.BeginCapture(s), "Capturing": second(d.Capturing(s)),
		"EndCapture": second(d.EndCapture(s)), "NewGraph": second(d.NewGraph()),
		"UnloadModule": d.UnloadModule(m), "Function": second(d.Function(m, "empty")), "FunctionInfo": second(d.FunctionInfo(f)),
		"Limit": second(d.Limit(driver.HeapBytes)), "SetLimit": d.SetLimit(driver.HeapBytes, 1<<24),
		"CacheConfig": second(d.CacheConfig()), "SetCacheConfig": d.SetCacheConfig(driver.CacheL1),
		"SetFunctionAttribute": d.SetFunctionAttribute(f, driver.SharedCarveout, 50), "SetFunctionCache": d.SetFunctionCache(f, driver.CacheL1),
		"Occupancy": second(d.Occupancy(f, 32, 0)), "RegisterHost": second(d.RegisterHost(b)), "UnregisterHost": d.UnregisterHost(p),
		"Launch": second(d.Launch(l)),
	}
}

var badInputChecks = []check{
	{"UseAfterClose", "[Deinitialized: the device was closed]", func(t *T) {
		m := t.load()
		p, s, e, f := t.words(1, 2, 3, 4), t.stream(), t.event(true), t.function(m, "empty")
		t.ok(t.Close())
		for name, err := range everyCall(t.Device, p, s, e, m, f) {
			t.Log(name)
			t.is(err, driver.Deinitialized)
		}
	}},
	{"CloseWithLiveObjects", "Close ends all use of the device: it frees everything", func(t *T) {
		other := &T{T: t.T, Device: t.open(t.T), open: t.open}
		keep := other.words(5)
		m := t.load()
		t.start(t.function(m, "fold"), t.stream(), t.words(1), uint32(2))
		_, _, err := t.AllocHost(100)
		t.ok(err)
		_, _, err = t.AllocManaged(100)
		t.ok(err)
		t.ok(second(t.RegisterHost(outsideHeap(t, 4096))))
		t.ok(second(t.NewArray(driver.ArrayDesc{Width: 8, Height: 8, Format: driver.Float, Channels: 1})))
		if pool, ok := t.pool(driver.PoolOptions{}); ok {
			t.ok(second(t.AllocAsync(100, pool, 0)))
		}
		g, err := t.NewGraph()
		t.ok(err)
		t.ok(second(t.AddKernel(g, nil, launch(t.function(m, "empty")))))
		t.exec(g)
		t.ok(t.BeginCapture(t.stream()))
		t.ok(t.Close())
		equal(t, []uint32{5}, other.read(keep, 1, 0)) // another device is not touched
		t.ok(other.Close())
	}},
	{"TwoDevices", "A handle is valid for the device that made it only", func(t *T) {
		other := &T{T: t.T, Device: t.open(t.T), open: t.open}
		fold, p := t.kernel("fold"), t.words(1)
		foreign := other.kernel("fold")
		_, err := t.Launch(&driver.Launch{Function: fold, Grid: one, Block: one, Stream: other.stream(), Params: params(p, uint32(1))})
		t.is(err, driver.InvalidHandle)
		t.is(second(t.Launch(launch(foreign, p, uint32(1)))), driver.InvalidHandle)
		g, err := t.NewGraph()
		t.ok(err)
		t.is(second(t.AddKernel(g, nil, launch(foreign, p, uint32(1)))), driver.InvalidHandle)
		theirs, err := other.NewGraph()
		t.ok(err)
		t.is(second(t.AddGraph(g, nil, theirs)), driver.InvalidHandle)
		t.is(second(t.Instantiate(theirs)), driver.InvalidHandle)
		a, err := other.NewArray(driver.ArrayDesc{Width: 8, Format: driver.Float, Channels: 1, Surface: true})
		t.ok(err)
		t.is(second(t.NewTexture(&driver.TextureDesc{Array: a})), driver.InvalidHandle)
		t.is(second(t.NewSurface(a)), driver.InvalidHandle)
		t.is(t.CopyRegion(&driver.Region{Dst: driver.Place{Array: a}, Src: driver.Place{Ptr: p}, Width: 4, Height: 1, Depth: 1}, 0), driver.InvalidHandle)
		equal(t, []uint32{1}, t.read(p, 1, 0))
		t.ok(other.Close())
	}},
	{"HugeSizes", "No method panics on bad input. (What is negative to the caller is huge here.)", func(t *T) {
		p := t.words(1, 2, 3, 4)
		for _, n := range []uint64{math.MaxUint64, math.MaxUint64 - 254, 1 << 63, 1 << 48} {
			t.is(second(t.Alloc(n)), driver.OutOfMemory, driver.InvalidValue)
			_, _, err := t.AllocHost(n)
			t.is(err, driver.OutOfMemory, driver.InvalidValue)
			_, _, err = t.AllocManaged(n)
			t.is(err, driver.OutOfMemory, driver.InvalidValue)
			t.is(t.Copy(p, p+8, n, 0), driver.InvalidValue)
			t.is(t.Fill(p, 0, 1, n, 0), driver.InvalidValue)
			t.is(t.FillRows(p, n, 0, 1, 1, 2, 0), driver.InvalidValue)
			t.is(t.FillRows(p, 4, 0, 1, n, 1, 0), driver.InvalidValue)
			t.is(t.FillRows(p, 4, 0, 1, 4, n, 0), driver.InvalidValue)
			t.is(t.CopyRegion(&driver.Region{Dst: driver.Place{Ptr: p}, Src: driver.Place{Ptr: p + 8}, Width: n, Height: 1, Depth: 1}, 0), driver.InvalidValue)
			t.is(t.CopyRegion(&driver.Region{Dst: driver.Place{Ptr: p, X: n}, Src: driver.Place{Ptr: p + 8}, Width: 4, Height: 1, Depth: 1}, 0), driver.InvalidValue)
		}
		for _, bad := range []driver.ArrayDesc{
			{Width: -1, Format: driver.Float, Channels: 1}, {Width: 8, Height: -1, Format: driver.Float, Channels: 1},
			{Width: math.MaxInt, Height: math.MaxInt, Depth: math.MaxInt, Format: driver.Float, Channels: 4},
		} {
			t.is(second(t.NewArray(bad)), driver.InvalidValue)
		}
		equal(t, []uint32{1, 2, 3, 4}, t.read(p, 4, 0))
	}},
	{"OverlappingCopies", "InvalidValue if the ranges overlap.", func(t *T) {
		want := noise(64, 11)
		p := t.upload(want)
		g, err := t.NewGraph()
		t.ok(err)
		for _, c := range []struct{ dst, src, n uint64 }{{0, 0, 1}, {0, 0, 64}, {1, 0, 2}, {0, 1, 2}, {0, 31, 33}, {31, 0, 32}} {
			dst, src := p+driver.Ptr(c.dst), p+driver.Ptr(c.src)
			t.is(t.Copy(dst, src, c.n, 0), driver.InvalidValue)
			t.is(t.CopyRegion(&driver.Region{Dst: driver.Place{Ptr: dst}, Src: driver.Place{Ptr: src}, Width: c.n, Height: 1, Depth: 1}, 0), driver.InvalidValue)
			t.is(second(t.AddCopy(g, nil, dst, src, c.n)), driver.InvalidValue)
		}
		got := make([]byte, 64)
		t.ok(t.Read(got, p, 0))
		equal(t, want, got)
		t.ok(t.Copy(p+32, p, 32, 0)) // side by side
		t.ok(t.Read(got, p, 0))
		equal(t, slices.Concat(want[:32], want[:32]), got)
	}},
	{"OtherArchitecture", "an image without code for this device NoBinaryForGPU", func(t *T) {
		m, _, err := t.LoadModule(cubinFor(20), driver.ModuleOptions{})
		t.is(err, driver.NoBinaryForGPU, driver.InvalidImage)
		t.that(m == 0, "a module beside an error")
	}},
	{"NewerPTX", "Bad PTX is InvalidPTX. (A version that the device does not know: UnsupportedPTX, unless it takes any.)", func(t *T) {
		newer := strings.Replace(kernels, ".version 6.4", ".version 99.9", 1)
		m, log, err := t.LoadModule([]byte(newer), driver.ModuleOptions{})
		if err == nil {
			p := t.words(1)
			t.start(t.function(m, "fold"), 0, p, uint32(2))
			equal(t, []uint32{folded(1, 2)}, t.read(p, 1, 0))
			return
		}
		t.is(err, driver.UnsupportedPTX)
		t.that(m == 0 && log != "", "module %#x, log %q", m, log)
	}},
}

// cubinFor is an ELF file for the architecture sm_sm (EM_CUDA, 190) without any code.
func cubinFor(sm uint32) []byte {
	header := []any{
		[16]byte{0x7f, 'E', 'L', 'F', 2, 1, 1, 0x33, 7}, uint16(2), uint16(190), uint32(1), uint64(0), uint64(0), uint64(0),
		sm<<16 | sm, uint16(64), uint16(56), uint16(0), uint16(64), uint16(0), uint16(0),
	}
	var b bytes.Buffer
	for _, v := range header {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic("drivertest: " + err.Error()) // all of it has a size
		}
	}
	return b.Bytes()
}
