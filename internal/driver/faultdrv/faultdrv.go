// Package faultdrv wraps a back end so that chosen calls fail, for tests of what happens when a driver call does.
//
// A Backend counts every call that can return an error, on all devices opened through it, and knows which objects are
// alive. A test runs its scenario once to learn how many calls it makes, then once for each n with the n-th failing, and
// asks after each that the scenario's error was reported and that Live is empty: guarantee 1 of package driver, held for
// whole operations.
//
// A call that is made to fail is not passed on, so it creates and changes nothing. The exceptions are the calls that end
// something (Free, FreeHost, DestroyStream, DestroyEvent, UnloadModule and their like, Close): they are passed on and then reported as
// failed, because a caller who is told so does right to forget the object, and only what it never tried to end is a leak.
package faultdrv

import (
	"fmt"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/internal/driver"
)

// Plan says which call fails.
type Plan struct {
	// Method is the name of a method of driver.Device or driver.Backend, such as "Alloc"; empty means any.
	Method string
	// Call is which of the calls since Fail that Method matches fails: 1 is the first. 0 lets none fail.
	Call int
	// Always makes all later matching calls fail as well.
	Always bool
	// Status is what the call returns; zero means driver.Unknown.
	Status driver.Status
}

// Backend is a back end of which calls fail on request. It may be used from any goroutine.
type Backend struct {
	inner driver.Backend

	mu    sync.Mutex
	plan  Plan
	match int
	calls []string
	live  map[object]struct{}
}

// object is something that a caller has to end.
type object struct {
	kind   string // the method that made it
	device driver.Device
	handle uint64
}

// New wraps a back end. No call fails before Fail.
func New(b driver.Backend) *Backend {
	return &Backend{inner: b, live: map[object]struct{}{}}
}

// Fail sets the plan and begins to count anew.
func (b *Backend) Fail(p Plan) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plan, b.match, b.calls = p, 0, nil
}

// Calls returns the methods called since Fail, in order.
func (b *Backend) Calls() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.calls)
}

// Live lists what was made and not ended, such as "Alloc 0x7f0000000100", sorted.
func (b *Backend) Live() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var names []string
	for o := range b.live {
		names = append(names, fmt.Sprintf("%s %#x", o.kind, o.handle))
	}
	slices.Sort(names)
	return names
}

// step counts a call and returns the error that it has to return, nil if it is to go on.
func (b *Backend) step(method string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, method)
	if b.plan.Method != "" && b.plan.Method != method {
		return nil
	}
	b.match++
	if b.plan.Call == 0 || b.match < b.plan.Call || b.match > b.plan.Call && !b.plan.Always {
		return nil
	}
	status := b.plan.Status
	if status == driver.Success {
		status = driver.Unknown
	}
	return fmt.Errorf("%s: made to fail: %w", method, status)
}

func (b *Backend) begin(o object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.live[o] = struct{}{}
}

func (b *Backend) has(o object) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.live[o]
	return ok
}

func (b *Backend) end(o object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.live, o)
}

// endAll forgets the objects of a device, and with the device itself if closed.
func (b *Backend) endAll(d driver.Device, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for o := range b.live {
		if o.device == d && (closed || o.kind != "Open") {
			delete(b.live, o)
		}
	}
}

// Name returns the name of the wrapped back end.
func (b *Backend) Name() string { return b.inner.Name() }

// Devices lists the devices of the wrapped back end.
func (b *Backend) Devices() ([]driver.Info, error) {
	if err := b.step("Devices"); err != nil {
		return nil, err
	}
	return b.inner.Devices()
}

// Open opens a device whose calls this Backend counts.
func (b *Backend) Open(ordinal int) (driver.Device, error) {
	if err := b.step("Open"); err != nil {
		return nil, err
	}
	inner, err := b.inner.Open(ordinal)
	if err != nil {
		return nil, err
	}
	d := &device{inner: inner, b: b}
	b.begin(object{"Open", d, uint64(ordinal)})
	return d, nil
}
