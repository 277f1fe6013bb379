package drivertest

import (
	"math"

	"github.com/tandem-go/tandem/internal/driver"
)

// handles calls every method that takes a handle with handles that are not of this device.
func handles(t *T, s driver.Stream, e driver.Event, m driver.Module, f driver.Function) {
	t.Helper()
	p := t.words(1, 2, 3, 4)
	good := t.event(true)
	b := make([]byte, 4)
	_, stream := t.Launch(&driver.Launch{Function: t.kernel("empty"), Grid: one, Block: one, Stream: s})
	_, function := t.Launch(&driver.Launch{Function: f, Grid: one, Block: one})
	_, elapsedA := t.Elapsed(e, good)
	_, elapsedB := t.Elapsed(good, e)
	_, fn := t.Function(m, "empty")
	_, _, global := t.Global(m, "counter")
	_, info := t.FunctionInfo(f)
	for name, err := range map[string]error{
		"Write":            t.Write(p, b, s),
		"Read":             t.Read(b, p, s),
		"Copy":             t.Copy(p, p+8, 4, s),
		"Fill":             t.Fill(p, 0, 4, 1, s),
		"DestroyStream":    t.DestroyStream(s),
		"Synchronize":      t.Synchronize(s),
		"Query":            t.Query(s),
		"DestroyEvent":     t.DestroyEvent(e),
		"Record stream":    t.Record(good, s),
		"Record event":     t.Record(e, 0),
		"WaitEvent stream": t.WaitEvent(s, good),
		"WaitEvent event":  t.WaitEvent(0, e),
		"QueryEvent":       t.QueryEvent(e),
		"SynchronizeEvent": t.SynchronizeEvent(e),
		"HostFunc":         t.HostFunc(s, func() { t.Error("called a host function of no stream") }),
		"UnloadModule":     t.UnloadModule(m),
		"Launch stream":    stream,
		"Launch function":  function,
		"Elapsed a":        elapsedA,
		"Elapsed b":        elapsedB,
		"Function":         fn,
		"Global":           global,
		"FunctionInfo":     info,
	} {
		t.Log(name)
		t.is(err, driver.InvalidHandle)
	}
	equal(t, []uint32{1, 2, 3, 4}, t.read(p, 4, 0))
}

var handleChecks = []check{
	{"BadHandles", "No method panics on bad input or ends the process. Zero is no object, except that Stream zero is the device's default stream.", func(t *T) {
		handles(t, math.MaxUint64, 0, 0, 0)
		handles(t, 1, math.MaxUint64, math.MaxUint64, math.MaxUint64)
		t.is(t.DestroyStream(0), driver.InvalidHandle, driver.InvalidValue)
		t.ok(t.Synchronize(0))
	}},
	{"StaleHandles", "a stale or foreign handle is InvalidHandle", func(t *T) {
		s, e, m := t.stream(), t.event(true), t.load()
		f := t.function(m, "empty")
		t.ok(t.DestroyStream(s))
		t.ok(t.DestroyEvent(e))
		t.ok(t.UnloadModule(m))
		for range 20 { // a new object must not take the place of an old one
			t.stream()
			t.event(true)
		}
		t.function(t.load(), "empty")
		handles(t, s, e, m, f)
	}},
	{"ForeignHandles", "A handle is valid for the device that made it only; a stale or foreign handle is InvalidHandle", func(t *T) {
		other := &T{T: t.T, Device: t.open(t.T)}
		objects := func(t *T) (driver.Stream, driver.Event, driver.Module, driver.Function) {
			s, e, m := t.stream(), t.event(true), t.load()
			return s, e, m, t.function(m, "empty")
		}
		objects(t) // if handles were numbers that begin at one, they would be the same on both
		s, e, m, f := objects(other)
		handles(t, s, e, m, f)
		t.ok(other.Synchronize(s))
		t.ok(other.QueryEvent(e))
		other.start(f, s)
		t.ok(other.Close())
	}},
	{"Attributes", "The attributes that every back end answers. InvalidValue if the device has none.", func(t *T) {
		for _, a := range []driver.Attribute{
			driver.MaxThreadsPerBlock, driver.MaxBlockDimX, driver.MaxBlockDimY, driver.MaxBlockDimZ, driver.MaxGridDimX,
			driver.MaxGridDimY, driver.MaxGridDimZ, driver.MaxSharedBytesPerBlock, driver.TotalConstantBytes, driver.WarpSize,
			driver.MaxRegistersPerBlock, driver.ClockRateKHz, driver.MultiprocessorCount, driver.MaxThreadsPerSM,
			driver.ComputeCapabilityMajor, driver.MaxSharedBytesPerSM, driver.MaxSharedBytesPerBlockOptin,
		} {
			v, err := t.Attribute(a)
			t.ok(err)
			t.that(v > 0, "attribute %d is %d", a, v)
		}
		for _, a := range []driver.Attribute{
			driver.Integrated, driver.CanMapHostMemory, driver.ConcurrentKernels, driver.ECCEnabled, driver.PCIBusID,
			driver.PCIDeviceID, driver.MemoryClockRateKHz, driver.GlobalMemoryBusWidth, driver.L2CacheBytes,
			driver.AsyncEngineCount, driver.UnifiedAddressing, driver.PCIDomainID, driver.ComputeCapabilityMinor,
			driver.ManagedMemory, driver.CooperativeLaunch, driver.MemoryPoolsSupported,
		} {
			v, err := t.Attribute(a)
			t.ok(err)
			t.that(v >= 0, "attribute %d is %d", a, v)
		}
		for a, name := range driver.AttributeNames {
			_, err := t.Attribute(a)
			t.that(err == nil, "attribute %d (%s): %v", a, name, err)
		}
		major, _ := t.Attribute(driver.ComputeCapabilityMajor)
		minor, _ := t.Attribute(driver.ComputeCapabilityMinor)
		i := t.Info()
		t.that(i.ComputeMajor == major && i.ComputeMinor == minor, "Info says %d.%d, Attribute %d.%d", i.ComputeMajor, i.ComputeMinor, major, minor)
		t.that(i.Name != "" && i.Unusable == nil, "Info of an open device: %+v", i)
		for _, a := range []driver.Attribute{-1, 0, 1 << 20} {
			_, err := t.Attribute(a)
			t.is(err, driver.InvalidValue)
		}
	}},
	{"Close", "A second Close does nothing. [Deinitialized: the device was closed]", func(t *T) {
		m := t.load()
		p := t.words(1)
		t.ok(t.Close())
		t.ok(t.Close())
		_, err := t.Alloc(1)
		t.is(err, driver.Deinitialized)
		t.is(t.Free(p), driver.Deinitialized)
		t.is(t.Synchronize(0), driver.Deinitialized)
		t.is(t.Write(p, []byte{1}, 0), driver.Deinitialized)
		t.is(t.Read([]byte{1}, p, 0), driver.Deinitialized)
		_, err = t.Function(m, "empty")
		t.is(err, driver.Deinitialized)
		_, err = t.NewStream(0)
		t.is(err, driver.Deinitialized)
		t.is(t.Reset(), driver.Deinitialized, driver.NotSupported)
		t.that(t.Info().Name != "", "Info after Close is empty")
		t.ok(t.Err())
	}},
	{"CloseRunning", "[Close] waits for running work (where StopsKernels, it stops it), frees everything", func(t *T) {
		m := t.load()
		s := t.stream()
		if !t.Caps().StopsKernels {
			t.start(t.function(m, "count"), s, t.alloc(4), uint32(1<<20))
			t.ok(t.Close())
			return
		}
		flag := t.words(0)
		t.forever(m, s, one, one)
		t.forever(m, 0, one, one)
		t.start(t.function(m, "forever"), 0, flag)
		waited := t.background(func() {
			if t.Synchronize(s) == nil {
				t.Error("a wait for work that Close dropped returned nil")
			}
		})
		t.within("Close", func() { t.check(t.Close()) })
		<-waited
	}},
}
