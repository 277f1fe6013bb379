package cuda

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/tandem-go/tandem/internal/driver"
)

// Kind is the kind of a device.
type Kind string

// The kinds of devices.
const (
	GPU  Kind = "gpu"
	Host Kind = "host"
)

// Info describes a device.
type Info struct {
	// ID is what Open takes: "host", "gpu:0".
	ID string
	// Kind is GPU or Host; Ordinal numbers the devices of a kind, and is -1 where a driver could not even be asked.
	Kind    Kind
	Ordinal int
	// Name is the device's name, such as "NVIDIA H200" or the model of the CPU.
	Name string
	// Unusable says why the device cannot be opened; nil if it can.
	Unusable error
	// ComputeMajor and ComputeMinor are the compute capability: 7.5 for the host device.
	ComputeMajor, ComputeMinor int
	// MemoryBytes is the size of device memory: for the host device, what it may use at most.
	MemoryBytes uint64
	// DriverVersion is the version of CUDA that the driver supports, such as "12.4"; empty for the host device.
	DriverVersion string
	// UUID identifies a GPU, as "GPU-xxxxxxxx-...", and PCIBusID is its address; empty for the host device.
	UUID, PCIBusID string
}

func newInfo(k Kind, i driver.Info) Info {
	out := Info{
		ID: string(k), Kind: k, Ordinal: i.Ordinal, Name: i.Name, Unusable: i.Unusable,
		ComputeMajor: i.ComputeMajor, ComputeMinor: i.ComputeMinor, MemoryBytes: i.TotalBytes, PCIBusID: i.PCIBusID,
	}
	if k == GPU {
		out.ID = fmt.Sprintf("gpu:%d", i.Ordinal)
	}
	if v := i.DriverVersion; v != 0 {
		out.DriverVersion = fmt.Sprintf("%d.%d", v/1000, v%1000/10)
	}
	if u := i.UUID; u != [16]byte{} {
		out.UUID = fmt.Sprintf("GPU-%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
	}
	return out
}

// Device is an open device: its context and its default stream. All its objects keep it; a Device that nobody holds, and
// none of whose objects anybody holds, is closed by the garbage collector.
type Device struct {
	c             *core
	info          Info
	driverVersion int // as CUDA encodes it; 0 for the host device
	backend       driver.Backend
	cleanup       runtime.Cleanup
}

// openDevice opens a device of a back end.
func openDevice(k Kind, b driver.Backend, ordinal int) (*Device, error) {
	drv, err := b.Open(ordinal)
	if err != nil {
		return nil, err
	}
	return wrapDevice(k, b, drv), nil
}

// wrapDevice makes a Device of what a back end opened.
func wrapDevice(k Kind, b driver.Backend, drv driver.Device) *Device {
	d := &Device{c: newCore(drv), info: newInfo(k, drv.Info()), driverVersion: drv.Info().DriverVersion, backend: b}
	d.cleanup = runtime.AddCleanup(d, (*core).abandon, d.c)
	return d
}

// abandon closes a device that was dropped with all its objects, unless slices may still point into its page-locked
// memory.
func (c *core) abandon() {
	if c.pinned.Load() == 0 {
		// Closing may wait for a kernel, and a cleanup must not. Nobody is left to be told of an error.
		go func() { _ = c.close() }()
	}
}

// Info describes the device.
func (d *Device) Info() Info { return d.info }

// String returns the device's name.
func (d *Device) String() string { return d.info.Name }

// StopsKernels reports whether the device can stop a running kernel, so that Run does when its context ends.
func (d *Device) StopsKernels() bool { return d.c.caps.StopsKernels }

// Close ends all use of the device: it waits for running work, or stops it where the device can, and frees everything.
// It returns the errors that no caller has seen. Further calls do nothing.
func (d *Device) Close() error {
	d.cleanup.Stop()
	err := d.c.close()
	runtime.KeepAlive(d)
	return err
}

// Reset gives the device a fresh context after a fault: every object made before is gone, and its use returns an error
// that wraps ErrClosed. On a GPU, whose context is shared with the whole process, it returns an error that wraps
// ErrNotSupported: end the process, or run kernels that may fault in one of their own.
func (d *Device) Reset() error {
	const op = "reset"
	c := d.c
	if err := c.usable(op); err != nil {
		return err
	}
	if err := c.drv.Reset(); err != nil {
		return c.wrap(op, err)
	}
	c.gen.Add(1)
	c.fault.Store(nil)
	c.recent.forget()
	c.mu.Lock()
	defer c.mu.Unlock()
	for q := range c.queues {
		q.mu.Lock()
		q.pending = nil
		q.capture.Store(nil)
		q.gone = q != c.main
		q.mu.Unlock()
	}
	clear(c.queues)
	c.queues[c.main] = struct{}{}
	c.copies, c.dead = 0, nil
	c.unpinAll()
	if c.live != nil {
		clear(c.live)
	}
	c.count.Store(0)
	c.bytes.Store(0)
	c.pinned.Store(0)
	return nil
}

// Err returns the fault that poisoned the device, or nil.
func (d *Device) Err() error {
	if e := d.c.fault.Load(); e != nil {
		return e
	}
	return nil
}

// Synchronize waits for all work queued so far on every stream, and fills the slices in Out and InOut of its launches.
// It returns the errors of Stream.Wait.
func (d *Device) Synchronize(ctx context.Context) error {
	const op = "synchronize"
	if err := d.c.usable(op); err != nil {
		return err
	}
	d.c.mu.Lock()
	queues := make([]*queue, 0, len(d.c.queues))
	for q := range d.c.queues {
		queues = append(queues, q)
	}
	d.c.mu.Unlock()
	for _, q := range queues {
		q.mu.Lock()
		gone := q.gone
		q.mu.Unlock()
		if gone {
			continue
		}
		err := d.c.wait(ctx, op, q)
		if err != nil && !errors.Is(err, driver.InvalidHandle) { // closed meanwhile, so it has no work
			return err
		}
	}
	return nil
}

// Memory returns the free and the total device memory in bytes.
func (d *Device) Memory() (free, total uint64, err error) {
	const op = "ask for free memory"
	if err := d.c.usable(op); err != nil {
		return 0, 0, err
	}
	free, total, err = d.c.drv.MemInfo()
	return free, total, d.c.wrap(op, err)
}

// Attribute returns a property of the device by CUDA's number of it (CUdevice_attribute in the driver's manual). The
// error wraps ErrInvalidValue if the device has no such property.
func (d *Device) Attribute(number int) (int, error) {
	op := fmt.Sprintf("ask for attribute %d", number)
	if err := d.c.usable(op); err != nil {
		return 0, err
	}
	v, err := d.c.attribute(driver.Attribute(number))
	return v, d.c.wrap(op, err)
}

// Attributes returns all properties that the device tells, by CUDA's names without CU_DEVICE_ATTRIBUTE_, such as
// "MAX_THREADS_PER_BLOCK". What a CPU has no counterpart of is 0 on the host device.
func (d *Device) Attributes() (map[string]int, error) {
	const op = "ask for all attributes"
	if err := d.c.usable(op); err != nil {
		return nil, err
	}
	out := map[string]int{}
	for number, name := range driver.AttributeNames {
		v, err := d.c.attribute(number)
		switch {
		case err == nil:
			out[name] = v
		case !errors.Is(err, driver.InvalidValue): // else the driver is older than the name
			return nil, d.c.wrap(op, err)
		}
	}
	return out, nil
}

// SetOutput sets where printf in kernels writes; nil, the default, discards it. Text arrives during waits, and w is
// called by one goroutine at a time.
func (d *Device) SetOutput(w io.Writer) { d.c.drv.SetOutput(w) }
