package faultdrv

import (
	"io"
	"time"

	"github.com/tandem-go/tandem/internal/driver"
)

type device struct {
	inner driver.Device
	b     *Backend
}

// made notes an object that a call has created.
func (d *device) made(kind string, handle uint64, err error) {
	if err == nil {
		d.b.begin(object{kind, d, handle})
	}
}

// finish passes on a call that ends an object, and then reports what the plan says.
func (d *device) finish(method, kind string, handle uint64, call func() error) error {
	planned := d.b.step(method)
	err := call()
	if err == nil {
		d.b.end(object{kind, d, handle})
	}
	if planned != nil {
		return planned
	}
	return err
}

func (d *device) Info() driver.Info     { return d.inner.Info() }
func (d *device) Caps() driver.Caps     { return d.inner.Caps() }
func (d *device) Err() error            { return d.inner.Err() }
func (d *device) SetOutput(w io.Writer) { d.inner.SetOutput(w) }

func (d *device) Attribute(a driver.Attribute) (int, error) {
	if err := d.b.step("Attribute"); err != nil {
		return 0, err
	}
	return d.inner.Attribute(a)
}

func (d *device) MemInfo() (free, total uint64, err error) {
	if err := d.b.step("MemInfo"); err != nil {
		return 0, 0, err
	}
	return d.inner.MemInfo()
}

func (d *device) Close() error {
	planned := d.b.step("Close")
	err := d.inner.Close()
	d.b.endAll(d, true) // an error of Close is one that nobody has seen; the device is closed all the same
	if planned != nil {
		return planned
	}
	return err
}

func (d *device) Reset() error {
	if err := d.b.step("Reset"); err != nil {
		return err
	}
	err := d.inner.Reset()
	if err == nil {
		d.b.endAll(d, false)
	}
	return err
}

func (d *device) Alloc(n uint64) (driver.Ptr, error) {
	if err := d.b.step("Alloc"); err != nil {
		return 0, err
	}
	p, err := d.inner.Alloc(n)
	d.made("Alloc", uint64(p), err)
	return p, err
}

func (d *device) Free(p driver.Ptr) error {
	kind := "Alloc"
	for _, k := range []string{"AllocAsync", "AllocManaged"} { // Free serves these as well
		if d.b.has(object{k, d, uint64(p)}) {
			kind = k
		}
	}
	return d.finish("Free", kind, uint64(p), func() error { return d.inner.Free(p) })
}

func (d *device) AllocHost(n uint64) (driver.Ptr, []byte, error) {
	if err := d.b.step("AllocHost"); err != nil {
		return 0, nil, err
	}
	p, b, err := d.inner.AllocHost(n)
	d.made("AllocHost", uint64(p), err)
	return p, b, err
}

func (d *device) FreeHost(p driver.Ptr) error {
	return d.finish("FreeHost", "AllocHost", uint64(p), func() error { return d.inner.FreeHost(p) })
}

func (d *device) Locate(p driver.Ptr) (driver.Location, error) {
	if err := d.b.step("Locate"); err != nil {
		return driver.Location{}, err
	}
	return d.inner.Locate(p)
}

func (d *device) Write(dst driver.Ptr, src []byte, s driver.Stream) error {
	if err := d.b.step("Write"); err != nil {
		return err
	}
	return d.inner.Write(dst, src, s)
}

func (d *device) Read(dst []byte, src driver.Ptr, s driver.Stream) error {
	if err := d.b.step("Read"); err != nil {
		return err
	}
	return d.inner.Read(dst, src, s)
}

func (d *device) Copy(dst, src driver.Ptr, n uint64, s driver.Stream) error {
	if err := d.b.step("Copy"); err != nil {
		return err
	}
	return d.inner.Copy(dst, src, n, s)
}

func (d *device) Fill(dst driver.Ptr, value uint32, width int, count uint64, s driver.Stream) error {
	if err := d.b.step("Fill"); err != nil {
		return err
	}
	return d.inner.Fill(dst, value, width, count, s)
}

func (d *device) NewStream(priority int) (driver.Stream, error) {
	if err := d.b.step("NewStream"); err != nil {
		return 0, err
	}
	s, err := d.inner.NewStream(priority)
	d.made("NewStream", uint64(s), err)
	return s, err
}

func (d *device) DestroyStream(s driver.Stream) error {
	return d.finish("DestroyStream", "NewStream", uint64(s), func() error { return d.inner.DestroyStream(s) })
}

func (d *device) Synchronize(s driver.Stream) error {
	if err := d.b.step("Synchronize"); err != nil {
		return err
	}
	return d.inner.Synchronize(s)
}

func (d *device) Query(s driver.Stream) error {
	if err := d.b.step("Query"); err != nil {
		return err
	}
	return d.inner.Query(s)
}

func (d *device) NewEvent(timing bool) (driver.Event, error) {
	if err := d.b.step("NewEvent"); err != nil {
		return 0, err
	}
	e, err := d.inner.NewEvent(timing)
	d.made("NewEvent", uint64(e), err)
	return e, err
}

func (d *device) DestroyEvent(e driver.Event) error {
	return d.finish("DestroyEvent", "NewEvent", uint64(e), func() error { return d.inner.DestroyEvent(e) })
}

func (d *device) Record(e driver.Event, s driver.Stream) error {
	if err := d.b.step("Record"); err != nil {
		return err
	}
	return d.inner.Record(e, s)
}

func (d *device) WaitEvent(s driver.Stream, e driver.Event) error {
	if err := d.b.step("WaitEvent"); err != nil {
		return err
	}
	return d.inner.WaitEvent(s, e)
}

func (d *device) QueryEvent(e driver.Event) error {
	if err := d.b.step("QueryEvent"); err != nil {
		return err
	}
	return d.inner.QueryEvent(e)
}

func (d *device) SynchronizeEvent(e driver.Event) error {
	if err := d.b.step("SynchronizeEvent"); err != nil {
		return err
	}
	return d.inner.SynchronizeEvent(e)
}

func (d *device) Elapsed(a, b driver.Event) (time.Duration, error) {
	if err := d.b.step("Elapsed"); err != nil {
		return 0, err
	}
	return d.inner.Elapsed(a, b)
}

func (d *device) HostFunc(s driver.Stream, f func()) error {
	if err := d.b.step("HostFunc"); err != nil {
		return err
	}
	return d.inner.HostFunc(s, f)
}

func (d *device) LoadModule(image []byte, o driver.ModuleOptions) (driver.Module, string, error) {
	if err := d.b.step("LoadModule"); err != nil {
		return 0, "", err
	}
	m, log, err := d.inner.LoadModule(image, o)
	d.made("LoadModule", uint64(m), err)
	return m, log, err
}

func (d *device) UnloadModule(m driver.Module) error {
	return d.finish("UnloadModule", "LoadModule", uint64(m), func() error { return d.inner.UnloadModule(m) })
}

func (d *device) Function(m driver.Module, name string) (driver.Function, error) {
	if err := d.b.step("Function"); err != nil {
		return 0, err
	}
	return d.inner.Function(m, name)
}

func (d *device) FunctionInfo(f driver.Function) (driver.FunctionInfo, error) {
	if err := d.b.step("FunctionInfo"); err != nil {
		return driver.FunctionInfo{}, err
	}
	return d.inner.FunctionInfo(f)
}

func (d *device) Global(m driver.Module, name string) (driver.Ptr, uint64, error) {
	if err := d.b.step("Global"); err != nil {
		return 0, 0, err
	}
	return d.inner.Global(m, name)
}

func (d *device) Launch(l *driver.Launch) (driver.Ticket, error) {
	if err := d.b.step("Launch"); err != nil {
		return 0, err
	}
	return d.inner.Launch(l)
}

func (d *device) Cancel(t driver.Ticket) error {
	if err := d.b.step("Cancel"); err != nil {
		return err
	}
	return d.inner.Cancel(t)
}
