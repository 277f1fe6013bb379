package cuda_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/ptx"
)

// fake is a device in memory whose kernels are Go functions. Work is done when it is queued, or as soon as what it waits
// for has happened: a stream stops at the kernel "spin" until the test opens the gate or the launch is cancelled. It
// checks what a real device cannot: that nothing is freed twice, or while queued work may use it.
type fake struct {
	driver.Device // nil: what the fake does not implement fails the test by a panic

	caps  driver.Caps
	limit uint64

	mu      sync.Mutex
	changed *sync.Cond
	live    map[driver.Ptr]*fakeMem
	next    driver.Ptr
	used    uint64
	streams map[driver.Stream]*fakeStream
	events  map[driver.Event]*fakeRecord
	modules map[driver.Module]*fakeModule
	funcs   map[driver.Function]fakeFunc
	handles uint64
	fault   *driver.Fault
	open    bool // the gate of "spin"
	closed  bool
	bad     []string // broken rules
	freed   int
	waiting int // goroutines inside Synchronize
	loads   int
	output  io.Writer
	refuse  string // LoadModule's log of a rejection
	rude    bool   // Free reports the fault, as NVIDIA's driver does
	reading func() // called at the start of Read
}

type fakeMem struct {
	bytes  []byte // empty for large memory, which is only counted
	size   uint64
	host   bool
	after  map[*fakeStream]int // freed when these streams have done so much
	doomed bool
}

type fakeStream struct {
	ops       []fakeOp
	done      int
	queued    int
	destroyed bool
}

type fakeOp struct {
	run    func()
	wait   *fakeRecord
	spin   bool
	ticket driver.Ticket
	cancel *bool
}

type fakeRecord struct {
	happened bool
	at       time.Time
}

type fakeModule struct{ kernels []fakeFunc }

type fakeFunc struct {
	name string
	info driver.FunctionInfo
}

// fakeBackend is a back end of one fake.
type fakeBackend struct {
	f       *fake
	devices []driver.Info
	err     error
}

func newFake() *fake {
	f := &fake{
		caps:  driver.Caps{StopsKernels: true, LoadsPTX: true, HostPointers: true},
		limit: 1 << 40, live: map[driver.Ptr]*fakeMem{}, next: 0x7f0000000000,
		streams: map[driver.Stream]*fakeStream{0: {}}, events: map[driver.Event]*fakeRecord{},
		modules: map[driver.Module]*fakeModule{}, funcs: map[driver.Function]fakeFunc{},
	}
	f.changed = sync.NewCond(&f.mu)
	return f
}

func (f *fake) backend() driver.Backend {
	return &fakeBackend{f: f, devices: []driver.Info{f.Info()}}
}

func (b *fakeBackend) Name() string                    { return "fake" }
func (b *fakeBackend) Devices() ([]driver.Info, error) { return b.devices, b.err }
func (b *fakeBackend) Open(int) (driver.Device, error) {
	if b.f == nil {
		return nil, driver.Unknown
	}
	return b.f, nil
}

func (f *fake) Info() driver.Info {
	return driver.Info{Name: "fake", ComputeMajor: 7, ComputeMinor: 5, TotalBytes: f.limit}
}
func (f *fake) Caps() driver.Caps { return f.caps }
func (f *fake) Attribute(a driver.Attribute) (int, error) {
	switch a {
	case driver.MaxThreadsPerBlock, driver.MaxBlockDimX, driver.MaxBlockDimY:
		return 1024, nil
	case driver.MaxBlockDimZ:
		return 64, nil
	case driver.MaxGridDimX:
		return math.MaxInt32, nil
	case driver.MaxGridDimY, driver.MaxGridDimZ:
		return 65535, nil
	case driver.MaxSharedBytesPerBlock, driver.MaxSharedBytesPerBlockOptin:
		return 48 << 10, nil
	}
	return 0, driver.InvalidValue
}

func (f *fake) MemInfo() (free, total uint64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.limit - f.used, f.limit, nil
}

func (f *fake) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed, f.open = true, true
	f.pump()
	f.changed.Broadcast()
	return nil
}

func (f *fake) Reset() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.used = nil, 0
	clear(f.live)
	clear(f.modules)
	f.streams = map[driver.Stream]*fakeStream{0: {}}
	return nil
}

func (f *fake) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err()
}

func (f *fake) err() error {
	if f.fault != nil {
		return f.fault
	}
	return nil
}

func (f *fake) SetOutput(w io.Writer) { f.output = w }

func (f *fake) broke(format string, args ...any) { f.bad = append(f.bad, fmt.Sprintf(format, args...)) }

func (f *fake) handle() uint64 { f.handles++; return f.handles }

func (f *fake) alloc(n uint64, host bool) (driver.Ptr, *fakeMem, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return 0, nil, driver.Deinitialized
	case f.fault != nil:
		return 0, nil, f.fault
	case n == 0:
		return 0, nil, driver.InvalidValue
	case n > f.limit-f.used:
		return 0, nil, driver.OutOfMemory
	}
	p := f.next
	f.next += driver.Ptr(n+511) &^ 255
	f.used += n
	m := &fakeMem{host: host, size: n}
	if n <= 1<<20 {
		m.bytes = make([]byte, n)
	}
	f.live[p] = m
	return p, m, nil
}

func (f *fake) Alloc(n uint64) (driver.Ptr, error) {
	p, _, err := f.alloc(n, false)
	return p, err
}

func (f *fake) AllocHost(n uint64) (driver.Ptr, []byte, error) {
	p, m, err := f.alloc(n, true)
	if err != nil {
		return 0, nil, err
	}
	return p, m.bytes, nil
}

func (f *fake) Free(p driver.Ptr) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.live[p]
	if m == nil || m.host || m.doomed {
		f.broke("free of %#x, which is not allocated", p)
		return driver.InvalidValue
	}
	m.doomed, m.after = true, map[*fakeStream]int{}
	for _, s := range f.streams {
		if s.done < s.queued {
			m.after[s] = s.queued
		}
	}
	f.bury(p, m)
	if f.rude {
		return f.err()
	}
	return nil
}

// bury removes doomed memory that no stream needs any more.
func (f *fake) bury(p driver.Ptr, m *fakeMem) {
	for s, n := range m.after {
		if s.done < n {
			return
		}
	}
	delete(f.live, p)
	f.used -= m.size
	f.freed++
}

func (f *fake) FreeHost(p driver.Ptr) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.live[p]
	if m == nil || !m.host {
		f.broke("free of page-locked %#x, which is not allocated", p)
		return driver.InvalidValue
	}
	for _, s := range f.streams {
		if s.done < s.queued {
			f.broke("page-locked memory freed while work is queued")
		}
	}
	delete(f.live, p)
	f.used -= m.size
	f.freed++
	return nil
}

// mem finds n bytes at p.
func (f *fake) mem(p driver.Ptr, n int) []byte {
	for base, m := range f.live {
		if p >= base && p+driver.Ptr(n) <= base+driver.Ptr(len(m.bytes)) {
			return m.bytes[p-base:][:n]
		}
	}
	return nil
}

func (f *fake) queue(h driver.Stream, op fakeOp) error {
	s := f.streams[h]
	switch {
	case f.closed:
		return driver.Deinitialized
	case f.fault != nil:
		return f.fault
	case s == nil:
		return driver.InvalidHandle
	}
	s.ops = append(s.ops, op)
	s.queued++
	f.pump()
	return nil
}

// pump does all work that can be done.
func (f *fake) pump() {
	for again := true; again; {
		again = false
		for _, s := range f.streams {
			for len(s.ops) > 0 {
				op := s.ops[0]
				if op.wait != nil && !op.wait.happened && f.fault == nil || op.spin && !f.open && !*op.cancel && f.fault == nil {
					break
				}
				if op.run != nil && f.fault == nil {
					op.run()
				}
				s.ops = s.ops[1:]
				s.done++
				again = true
			}
		}
	}
	for p, m := range f.live {
		if m.doomed {
			f.bury(p, m)
		}
	}
	f.changed.Broadcast()
}

func (f *fake) Write(dst driver.Ptr, src []byte, s driver.Stream) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	data := append([]byte(nil), src...)
	return f.queue(s, fakeOp{run: func() { f.copyTo(dst, data) }})
}

func (f *fake) copyTo(dst driver.Ptr, data []byte) {
	to := f.mem(dst, len(data))
	if to == nil {
		f.broke("copy of %d bytes to %#x, which is not allocated", len(data), dst)
	}
	copy(to, data)
}

func (f *fake) Read(dst []byte, src driver.Ptr, h driver.Stream) error {
	if f.reading != nil {
		f.reading()
	}
	if err := f.Synchronize(h); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	from := f.mem(src, len(dst))
	if from == nil {
		f.broke("copy of %d bytes from %#x, which is not allocated", len(dst), src)
		return driver.InvalidValue
	}
	copy(dst, from)
	return nil
}

func (f *fake) Copy(dst, src driver.Ptr, n uint64, s driver.Stream) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.queue(s, fakeOp{run: func() {
		from := f.mem(src, int(n))
		if from == nil {
			f.broke("copy of %d bytes from %#x, which is not allocated", n, src)
		}
		f.copyTo(dst, from)
	}})
}

func (f *fake) Fill(dst driver.Ptr, value uint32, width int, count uint64, s driver.Stream) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.queue(s, fakeOp{run: func() {
		data := make([]byte, 0, int(count)*width)
		for range count {
			data = append(data, binary.LittleEndian.AppendUint32(nil, value)[:width]...)
		}
		f.copyTo(dst, data)
	}})
}

func (f *fake) NewStream(int) (driver.Stream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return 0, driver.Deinitialized
	}
	h := driver.Stream(f.handle())
	f.streams[h] = &fakeStream{}
	return h, nil
}

func (f *fake) DestroyStream(h driver.Stream) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.streams[h] == nil || h == 0 {
		f.broke("stream %d destroyed twice", h)
		return driver.InvalidHandle
	}
	delete(f.streams, h)
	return nil
}

func (f *fake) Synchronize(h driver.Stream) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.streams[h]
	if s == nil {
		return driver.InvalidHandle
	}
	f.waiting++
	f.changed.Broadcast()
	defer func() { f.waiting-- }()
	for target := s.queued; s.done < target && f.fault == nil; {
		f.changed.Wait()
	}
	return f.err()
}

func (f *fake) Query(h driver.Stream) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.streams[h]
	switch {
	case s == nil:
		return driver.InvalidHandle
	case f.fault == nil && s.done < s.queued:
		return driver.NotReady
	}
	return nil
}

func (f *fake) NewEvent(bool) (driver.Event, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return 0, driver.Deinitialized
	}
	h := driver.Event(f.handle())
	f.events[h] = &fakeRecord{happened: true}
	return h, nil
}

func (f *fake) DestroyEvent(e driver.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.events[e] == nil {
		f.broke("event %d destroyed twice", e)
	}
	delete(f.events, e)
	return nil
}

func (f *fake) Record(e driver.Event, s driver.Stream) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := &fakeRecord{}
	if err := f.queue(s, fakeOp{run: func() { r.happened, r.at = true, time.Now() }}); err != nil {
		return err
	}
	f.events[e] = r
	return nil
}

func (f *fake) WaitEvent(s driver.Stream, e driver.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.queue(s, fakeOp{wait: f.events[e]})
}

func (f *fake) QueryEvent(e driver.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.events[e]; !r.happened {
		return driver.NotReady
	}
	return nil
}

func (f *fake) SynchronizeEvent(e driver.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for r := f.events[e]; !r.happened && f.fault == nil; {
		f.changed.Wait()
	}
	return f.err()
}

func (f *fake) Elapsed(a, b driver.Event) (time.Duration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.events[a].happened || !f.events[b].happened {
		return 0, driver.NotReady
	}
	return f.events[b].at.Sub(f.events[a].at), nil
}

func (f *fake) HostFunc(s driver.Stream, fn func()) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.queue(s, fakeOp{run: fn})
}

func (f *fake) LoadModule(image []byte, o driver.ModuleOptions) (driver.Module, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loads++
	sigs, err := ptx.Headers(image)
	if err != nil || f.refuse != "" || !strings.Contains(string(image), ".version") {
		return 0, f.refuse, fmt.Errorf("%s: %w", o.Name, driver.InvalidPTX)
	}
	m := &fakeModule{}
	for i := range sigs {
		m.kernels = append(m.kernels, fakeFunc{sigs[i].Entry, driver.FunctionInfo{Signature: &sigs[i], MaxThreads: 1024, SharedBytes: 16}})
	}
	h := driver.Module(f.handle())
	f.modules[h] = m
	return h, "", nil
}

func (f *fake) UnloadModule(m driver.Module) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.modules[m] == nil {
		f.broke("module %d unloaded twice", m)
	}
	delete(f.modules, m)
	return nil
}

func (f *fake) Function(m driver.Module, name string) (driver.Function, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range f.modules[m].kernels {
		if k.name == name {
			h := driver.Function(f.handle())
			f.funcs[h] = k
			return h, nil
		}
	}
	return 0, driver.NotFound
}

func (f *fake) FunctionInfo(h driver.Function) (driver.FunctionInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.funcs[h].info, nil
}

func (f *fake) Global(m driver.Module, name string) (driver.Ptr, uint64, error) {
	if name != "table" && name != "_ZN2nsL5scaleE" {
		return 0, 0, driver.NotFound
	}
	p, err := f.Alloc(64)
	return p, 64, err
}

func (f *fake) Launch(l *driver.Launch) (driver.Ticket, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.funcs[l.Function]
	t := driver.Ticket(f.handle())
	call := fakeCall{f: f, name: k.name, params: append([]byte(nil), l.Params...), threads: int(l.Grid.Count() * l.Block.Count())}
	return t, f.queue(l.Stream, fakeOp{run: call.run, spin: k.name == "spin", ticket: t, cancel: new(bool)})
}

func (f *fake) Cancel(t driver.Ticket) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.streams {
		for i := range s.ops {
			if s.ops[i].ticket == t {
				*s.ops[i].cancel = true
			}
		}
	}
	f.pump()
	return nil
}

// release opens the gate of "spin".
func (f *fake) release() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.open = true
	f.pump()
}

// fakeCall is one launch.
type fakeCall struct {
	f       *fake
	name    string
	params  []byte
	threads int
}

func (c *fakeCall) ptr(i int) driver.Ptr {
	return driver.Ptr(binary.LittleEndian.Uint64(c.params[8*i:]))
}

// at is element i of 4 bytes; nil after a fault.
func (c *fakeCall) at(p driver.Ptr, i int, access string) []byte {
	b := c.f.mem(p+driver.Ptr(4*i), 4)
	if b == nil && c.f.fault == nil {
		c.f.fault = &driver.Fault{
			Status: driver.IllegalAddress, Kernel: c.name, Located: true, Thread: driver.Dim3{X: uint32(i)},
			Access: access, Addr: uint64(p) + uint64(4*i), Size: 4, Space: "global", Detail: "outside any allocation",
			PTXFile: "kernel.ptx", PTXLine: 20, SourceFile: "kernel.cu", SourceLine: 4,
		}
	}
	return b
}

func (c *fakeCall) run() {
	switch c.name {
	case "multiply_them": // dest, a, b
		for i := range c.threads {
			dest, a, b := c.at(c.ptr(0), i, "write"), c.at(c.ptr(1), i, "read"), c.at(c.ptr(2), i, "read")
			if c.f.fault != nil {
				return
			}
			v := math.Float32frombits(binary.LittleEndian.Uint32(a)) * math.Float32frombits(binary.LittleEndian.Uint32(b))
			binary.LittleEndian.PutUint32(dest, math.Float32bits(v))
		}
	case "increment", "spin": // p
		if len(c.params) < 8 {
			return
		}
		for i := range c.threads {
			p := c.at(c.ptr(0), i, "atomic")
			if p == nil {
				return
			}
			binary.LittleEndian.PutUint32(p, binary.LittleEndian.Uint32(p)+1)
		}
	}
}
