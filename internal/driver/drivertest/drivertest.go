// Package drivertest checks that a back end keeps the contract of package driver.
//
// Each check quotes the sentence that it enforces, from the comments of package driver or from the design's page on
// semantics. The kernels it needs are PTX text in this package, which any device of compute capability 5.0 or later runs.
package drivertest

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tandem-go/tandem/internal/driver"
)

//go:embed kernels.ptx
var kernels string

// check is one test: the sentence it enforces, and how.
type check struct {
	name  string
	quote string
	run   func(t *T)
}

// groups are all checks, those that leave a fault behind last.
func groups() [][]check {
	return [][]check{memoryChecks, imageChecks, levelChecks, poolChecks, orderChecks, graphChecks, controlChecks, programChecks, moduleChecks, launchChecks, peerChecks, handleChecks, badInputChecks, faultChecks}
}

// Names lists the names of the checks, each of which is a subtest of Run. Where only the end of a process clears a fault,
// each check can be run in a process of its own.
func Names() []string {
	var names []string
	for _, group := range groups() {
		for _, c := range group {
			names = append(names, c.name)
		}
	}
	return names
}

// Run runs all checks. open returns an open device, of which the check is the only user and which it closes: a check may
// leave a fault behind, so open must not return one device twice unless Close and Open in between clear faults.
func Run(t *testing.T, open func(t *testing.T) driver.Device) {
	for _, group := range groups() {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				d := open(t)
				defer func() {
					// A check that provoked a fault has seen it, so Close has nothing to say.
					if err := d.Close(); err != nil {
						t.Errorf("close the device: %v", err)
					}
					if t.Failed() {
						t.Logf("the contract says: %q", c.quote)
					}
				}()
				c.run(&T{T: t, Device: d, open: open})
			})
		}
	}
}

// T is one check in progress.
type T struct {
	*testing.T
	driver.Device
	open func(t *testing.T) driver.Device
}

// ok ends the check if err is not nil.
func (t *T) ok(err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

// that ends the check if cond is false.
func (t *T) that(cond bool, format string, args ...any) {
	t.Helper()
	if !cond {
		t.Fatalf(format, args...)
	}
}

// is ends the check if err does not wrap one of the statuses.
func (t *T) is(err error, want ...driver.Status) {
	t.Helper()
	var got driver.Status
	if !errors.As(err, &got) {
		t.Fatalf("want an error that wraps %v, have %v", want, err)
	}
	for _, w := range want {
		if got == w {
			return
		}
	}
	t.Fatalf("want %v, have %v (%v)", want, got, err)
}

// deadline is how long anything may take before a check gives up on it: far beyond every promise of the contract.
const deadline = 30 * time.Second

// within ends the check if f does not return.
func (t *T) within(what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(deadline):
		t.Fatalf("%s did not end within %v", what, deadline)
	}
}

// check reports err from any goroutine.
func (t *T) check(err error) {
	t.Helper()
	if err != nil {
		t.Errorf("unexpected error: %v", err)
	}
}

// background runs f and gives it a moment, in which it usually ends. The channel is closed when it has ended.
func (t *T) background(f func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(100 * time.Millisecond):
	}
	return done
}

// alloc returns n bytes of memory.
func (t *T) alloc(n uint64) driver.Ptr {
	t.Helper()
	p, err := t.Alloc(n)
	t.ok(err)
	t.that(p != 0 && p%256 == 0, "Alloc(%d) = %#x is not aligned to 256 bytes", n, p)
	return p
}

// upload returns memory that holds b.
func (t *T) upload(b []byte) driver.Ptr {
	t.Helper()
	p := t.alloc(uint64(len(b)))
	t.ok(t.Write(p, b, 0))
	t.ok(t.Synchronize(0))
	return p
}

// words returns memory that holds the numbers.
func (t *T) words(v ...uint32) driver.Ptr {
	t.Helper()
	return t.upload(encode(v...))
}

// read returns n words of memory after the work of stream s.
func (t *T) read(p driver.Ptr, n int, s driver.Stream) []uint32 {
	t.Helper()
	b := make([]byte, 4*n)
	t.ok(t.Read(b, p, s))
	return decode(b)
}

func encode(v ...uint32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return b
}

func decode(b []byte) []uint32 {
	v := make([]uint32, len(b)/4)
	for i := range v {
		v[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	return v
}

// equal ends the check if the slices differ, and says where.
func equal[E comparable](t *T, want, got []E) {
	t.Helper()
	if slices.Equal(want, got) {
		return
	}
	t.that(len(want) == len(got), "want %d elements, have %d", len(want), len(got))
	for i := range want {
		t.that(want[i] == got[i], "element %d: want %v, have %v", i, want[i], got[i])
	}
}

func (t *T) stream() driver.Stream {
	t.Helper()
	s, err := t.NewStream(0)
	t.ok(err)
	t.that(s != 0, "NewStream returned the default stream")
	return s
}

func (t *T) event(timing bool) driver.Event {
	t.Helper()
	e, err := t.NewEvent(timing)
	t.ok(err)
	return e
}

// load returns the module of this package's kernels.
func (t *T) load() driver.Module {
	t.Helper()
	m, log, err := t.LoadModule([]byte(kernels), driver.ModuleOptions{Name: "kernels.ptx"})
	if err != nil {
		t.Fatalf("load the kernels: %v\n%s", err, log)
	}
	// A device may load code when it is first launched, and wait for the whole device to do so. Not behind a gate.
	p := t.words(1)
	t.start(t.function(m, "empty"), 0)
	t.start(t.function(m, "gate"), 0, p)
	t.start(t.function(m, "fold"), 0, p, uint32(0))
	t.ok(t.Synchronize(0))
	t.ok(t.Free(p))
	return m
}

func (t *T) function(m driver.Module, name string) driver.Function {
	t.Helper()
	f, err := t.Function(m, name)
	t.ok(err)
	return f
}

// kernel returns a kernel of a fresh module.
func (t *T) kernel(name string) driver.Function {
	t.Helper()
	return t.function(t.load(), name)
}

// one is an extent of one.
var one = driver.Dim3{X: 1, Y: 1, Z: 1}

// start queues one thread of f with parameters of the sizes of args: uint8 to uint64 and driver.Ptr.
func (t *T) start(f driver.Function, s driver.Stream, args ...any) driver.Ticket {
	t.Helper()
	ticket, err := t.Launch(&driver.Launch{Function: f, Grid: one, Block: one, Stream: s, Params: params(args...)})
	t.ok(err)
	return ticket
}

// params lays arguments out as the parameters of a kernel: each at a multiple of its size.
func params(args ...any) []byte {
	var b []byte
	for _, a := range args {
		if p, ok := a.(driver.Ptr); ok {
			a = uint64(p)
		}
		n := binary.Size(a)
		for len(b)%n != 0 {
			b = append(b, 0)
		}
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, a); err != nil {
			panic(fmt.Sprintf("drivertest: parameter of type %T", a))
		}
	}
	return b
}

// gate occupies a stream until the function that it returns is called, which may be done more than once.
func (t *T) gate(f driver.Function, s driver.Stream) (open func()) {
	t.Helper()
	p, flag, err := t.AllocHost(4)
	t.ok(err)
	clear(flag)
	t.start(f, s, p)
	return func() { flag[0] = 1 }
}

// forever starts a kernel without end on a stream and waits until it runs.
func (t *T) forever(m driver.Module, s driver.Stream, grid, block driver.Dim3) driver.Ticket {
	t.Helper()
	p, flag, err := t.AllocHost(4)
	t.ok(err)
	clear(flag)
	ticket, err := t.Launch(&driver.Launch{
		Function: t.function(m, "forever"), Grid: grid, Block: block, Stream: s, Params: params(p),
	})
	t.ok(err)
	for end := time.Now().Add(deadline); decode(flag)[0] == 0; {
		t.that(time.Now().Before(end), "the kernel did not begin within %v", deadline)
		time.Sleep(time.Millisecond)
	}
	return ticket
}
