package drivertest

import (
	"errors"
	"time"

	"github.com/tandem-go/tandem/internal/driver"
)

// badAddress is not in any allocation of any device: the first page of an address space.
const badAddress = 0x40

// provoke makes a kernel fault and returns the fault that the wait reports.
func (t *T) provoke(m driver.Module, s driver.Stream) *driver.Fault {
	t.Helper()
	t.start(t.function(m, "store"), s, uint64(badAddress))
	err := t.Synchronize(s)
	var f *driver.Fault
	t.that(errors.As(err, &f), "want a fault, have %v", err)
	t.is(err, driver.IllegalAddress)
	return f
}

// sticks ends the check if err does not wrap f.
func (t *T) sticks(name string, err error, f *driver.Fault) {
	t.Helper()
	var got *driver.Fault
	t.that(errors.As(err, &got) && got == f, "%s after a fault: want an error that wraps the same fault, have %v", name, err)
}

var faultChecks = []check{
	{"IllegalAddress", "A kernel fault is sticky (700)", func(t *T) {
		f := t.provoke(t.load(), 0)
		t.that(f.Status.Sticky(), "%v is not sticky", f.Status)
		t.that(f.Kernel == "" || f.Kernel == "store", "in kernel %q", f.Kernel)
		t.that(!f.Located || f.Block == driver.Dim3{} && f.Thread == driver.Dim3{}, "in block %v, thread %v", f.Block, f.Thread)
		t.that(f.Addr == 0 || f.Addr == badAddress && f.Size == 4 && f.Access == "write", "%s of %d bytes at %#x", f.Access, f.Size, f.Addr)
	}},
	{"Misaligned", "CUDA's sticky faults: 716", func(t *T) {
		p := t.words(0, 0)
		t.start(t.kernel("store"), 0, p+2)
		t.is(t.Synchronize(0), driver.MisalignedAddress)
		t.is(t.Err(), driver.MisalignedAddress)
	}},
	{"Trap", "CUDA's sticky faults: 719", func(t *T) {
		t.start(t.kernel("die"), 0)
		t.is(t.Synchronize(0), driver.LaunchFailed, driver.IllegalInstruction)
	}},
	{"Sticky", "after one, every call on the device that touches it returns an error that wraps the same *Fault, until Reset. Free, destroy and query calls of handles still succeed.", sticky},
	{"FaultDropsQueue", "dst is complete when [Read] returns nil and unchanged otherwise", func(t *T) {
		m := t.load()
		a, b := t.stream(), t.stream()
		acc := t.words(1)
		called := false
		open := t.gate(t.function(m, "gate"), a)
		t.start(t.function(m, "store"), a, uint64(badAddress))
		t.ok(t.HostFunc(a, func() { called = true }))
		t.start(t.function(m, "fold"), a, acc, uint32(1))
		e := t.event(false)
		t.ok(t.Record(e, a))
		t.ok(t.WaitEvent(b, e))
		t.start(t.function(m, "fold"), b, acc, uint32(1))
		open()
		dst := []byte{1, 2, 3, 4}
		t.is(t.Read(dst, acc, b), driver.IllegalAddress)
		equal(t, []byte{1, 2, 3, 4}, dst)
		t.is(t.SynchronizeEvent(e), driver.IllegalAddress)
		t.is(t.Synchronize(a), driver.IllegalAddress)
		t.that(!called, "a host function ran behind a fault")
	}},
	{"FaultStopsOthers", "A kernel fault is sticky", func(t *T) {
		m := t.load()
		if !t.Caps().StopsKernels {
			return // kernels of other streams end by themselves
		}
		s := t.stream()
		t.forever(m, s, one, one)
		f := t.provoke(m, 0)
		t.within("a wait for a kernel that a fault stopped", func() { t.sticks("Synchronize", t.Synchronize(s), f) })
	}},
	{"Reset", "Reset gives a fresh context after a fault: all handles are gone. NotSupported where the context is shared.", func(t *T) {
		m := t.load()
		s, e, p := t.stream(), t.event(false), t.words(1)
		h := t.function(m, "empty")
		t.provoke(m, s)
		if err := t.Reset(); err != nil {
			t.is(err, driver.NotSupported)
			return
		}
		t.ok(t.Err())
		t.is(t.Free(p), driver.InvalidValue)
		handles(t, s, e, m, h)
		acc := t.words(1)
		t.start(t.kernel("fold"), 0, acc, uint32(2))
		equal(t, []uint32{folded(1, 2)}, t.read(acc, 1, 0))
		f := t.provoke(t.load(), 0) // once more
		t.sticks("Err", t.Err(), f)
		t.ok(t.Reset())
		free, total, err := t.MemInfo()
		t.ok(err)
		t.that(free == total || free > total/2, "%d of %d bytes are free after Reset", free, total)
	}},
	{"CloseReportsUnseen", "[Close] returns the first error that no caller has seen. A second Close does nothing.", func(t *T) {
		m := t.load()
		s := t.stream()
		t.start(t.function(m, "store"), s, uint64(badAddress))
		for end := time.Now().Add(deadline); t.Query(s) != nil; { // Query does not report the fault
			t.that(time.Now().Before(end), "the kernel did not end")
			time.Sleep(time.Millisecond)
		}
		t.is(t.Close(), driver.IllegalAddress)
		t.ok(t.Close())
	}},
}

func sticky(t *T) {
	m := t.load()
	s, e, other := t.stream(), t.event(true), t.event(true)
	t.ok(t.Record(e, s))
	t.ok(t.Record(other, s))
	p, q := t.words(1, 2, 3, 4), t.words(1)
	host, hostBytes, err := t.AllocHost(16)
	t.ok(err)
	copy(hostBytes, encode(1, 2, 3, 4))
	empty := t.function(m, "empty")
	f := t.provoke(m, 0)

	_, alloc := t.Alloc(4)
	_, _, allocHost := t.AllocHost(4)
	_, newStream := t.NewStream(0)
	_, newEvent := t.NewEvent(false)
	_, _, load := t.LoadModule([]byte(kernels), driver.ModuleOptions{})
	_, launch := t.Launch(&driver.Launch{Function: empty, Grid: one, Block: one, Stream: s})
	dst := make([]byte, 4)
	for name, err := range map[string]error{
		"Err":              t.Err(),
		"Alloc":            alloc,
		"AllocHost":        allocHost,
		"NewStream":        newStream,
		"NewEvent":         newEvent,
		"LoadModule":       load,
		"Launch":           launch,
		"Write":            t.Write(p, dst, s),
		"Read":             t.Read(dst, p, s),
		"Copy":             t.Copy(p, p+8, 4, s),
		"Fill":             t.Fill(p, 0, 4, 1, s),
		"Record":           t.Record(e, s),
		"WaitEvent":        t.WaitEvent(s, e),
		"HostFunc":         t.HostFunc(s, func() { t.Error("called a host function after a fault") }),
		"Synchronize":      t.Synchronize(s),
		"Synchronize 0":    t.Synchronize(0),
		"SynchronizeEvent": t.SynchronizeEvent(e),
	} {
		t.sticks(name, err, f)
	}
	t.ok(t.Query(s))
	t.ok(t.Query(0))
	t.ok(t.QueryEvent(e))
	_, err = t.FunctionInfo(empty)
	t.ok(err)
	t.ok(t.Free(p))
	t.ok(t.Free(q))
	t.ok(t.FreeHost(host))
	t.ok(t.DestroyEvent(e))
	t.ok(t.DestroyStream(s))
	t.ok(t.UnloadModule(m))
	t.is(t.Free(p), driver.InvalidValue)
}
