// Package gl lets kernels work on OpenGL's buffers, textures and renderbuffers.
//
// A program registers an object once, maps it for the time of kernels, and unmaps it before OpenGL uses it again: what PyCUDA
// calls RegisteredBuffer, RegisteredImage and RegisteredMapping. On the host device a mapped buffer is OpenGL's own memory,
// not a copy; images are copied, for OpenGL has no way to map them.
//
// No OpenGL library is linked: New takes the GetProcAddress of whoever made the context, go-gl, GLFW, EGL or SDL. All
// functions of this package but those of a mapping's memory must be called on the thread on which the context is current,
// so the goroutine must be locked to it. Bindings that they change are restored. Nothing is undone by the garbage collector,
// for it has no context: what was not unregistered is listed by Leaked.
//
// Source: OpenGL 3.3 core profile, sections 2.9 and 6.1; the CUDA driver API, "OpenGL Interoperability".
package gl

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/dl"
)

// Errors that others wrap; the names in brackets are CUDA's codes for the same mistakes.
var (
	// ErrMapped says that a buffer is mapped already (CUDA_ERROR_ALREADY_MAPPED).
	ErrMapped = errors.New("already mapped")
	// ErrNotMapped says that a mapping has ended (CUDA_ERROR_NOT_MAPPED).
	ErrNotMapped = errors.New("not mapped")
	// ErrHandle says that an object of OpenGL does not exist, or that its registration has ended
	// (CUDA_ERROR_INVALID_HANDLE).
	ErrHandle = errors.New("invalid handle")
	// ErrContext says that no context is current on this thread, or one without the functions that are needed
	// (CUDA_ERROR_INVALID_GRAPHICS_CONTEXT).
	ErrContext = errors.New("no usable OpenGL context")
	// ErrFormat says that CUDA does not share images of that format or kind (CUDA_ERROR_INVALID_VALUE).
	ErrFormat = errors.New("no format that CUDA shares")
	// ErrLost says that the system lost a buffer's contents while it was mapped, as glUnmapBuffer may report.
	ErrLost = errors.New("contents lost while mapped")
)

// Flags say what kernels will do with a mapped object (PyCUDA's graphics_map_flags and graphics_register_flags).
type Flags uint32

// Uses of a mapped object. The last two are for images and may be added to the others.
const (
	// ReadWrite is any use.
	ReadWrite Flags = 0
	// ReadOnly promises that kernels do not write.
	ReadOnly Flags = 1
	// WriteDiscard promises that kernels write everything and read nothing of what was there before.
	WriteDiscard Flags = 2
	// SurfaceLoadStore lets kernels use an image as a surface.
	SurfaceLoadStore Flags = 4
	// TextureGather lets kernels read four texels of an image at a time.
	TextureGather Flags = 8

	access Flags = 3 // the part that is ReadOnly or WriteDiscard
)

const (
	copyReadBuffer  = 0x8F36 // the name of its binding, too
	bufferSize      = 0x8764
	mapReadBit      = 1
	mapWriteBit     = 2
	mapInvalidate   = 8
	noError         = 0
	versionName     = 0x1F02
	majorVersion    = 0x821B
	minorVersion    = 0x821C
	maxErrorsInARow = 64
)

// functions are the entry points of OpenGL.
type functions struct {
	getError, getString, getIntegerv, isBuffer, bindBuffer, getBufferParameteri64v, mapBufferRange, unmapBuffer dl.Func

	// The same without binding, from OpenGL 4.5 on; 0 before.
	getNamedBufferParameteri64v, mapNamedBufferRange, unmapNamedBuffer dl.Func
}

// sizeOf, mapAll and unmap are calls on a buffer, with what is bound restored. The size is 0 if there is no such buffer.

func (x *Interop) sizeOf(name uint32) int {
	n := []uintptr{0}
	if x.f.unmapNamedBuffer != 0 {
		dl.NewFrame().Int(uintptr(name)).Int(bufferSize).Words(n).Call(x.f.getNamedBufferParameteri64v)
		return int(n[0])
	}
	if !x.is(name) { // binding it might make one
		return 0
	}
	defer x.bind(name)()
	dl.NewFrame().Int(copyReadBuffer).Int(bufferSize).Words(n).Call(x.f.getBufferParameteri64v)
	return int(n[0])
}

func (x *Interop) mapAll(name uint32, n int, bits uintptr) uintptr {
	if x.f.unmapNamedBuffer != 0 {
		return x.f.mapNamedBufferRange.Call(uintptr(name), 0, uintptr(n), bits)
	}
	defer x.bind(name)()
	return x.f.mapBufferRange.Call(copyReadBuffer, 0, uintptr(n), bits)
}

func (x *Interop) unmap(name uint32) bool {
	if x.f.unmapNamedBuffer != 0 {
		return byte(x.f.unmapNamedBuffer.Call(uintptr(name))) != 0
	}
	defer x.bind(name)()
	return byte(x.f.unmapBuffer.Call(copyReadBuffer)) != 0
}

// Interop is OpenGL's objects on one device. It belongs to the context that was current at New, or that shares with it.
type Interop struct {
	dev    *cuda.Device
	find   ProcAddress
	f      functions
	images imageFunctions // once an image is registered

	mu   sync.Mutex
	open map[object]string // where they were registered; guarded by mu
}

// object is what OpenGL knows by a name: a buffer if the target is 0.
type object struct {
	target Target
	name   uint32
}

// New prepares the sharing of the current context's objects with dev. On a GPU the context must be one of that GPU: one of
// Mesa's cannot be shared with it. The error wraps ErrContext.
func New(dev *cuda.Device, find ProcAddress) (*Interop, error) {
	x := &Interop{dev: dev, find: find, open: map[object]string{}}
	for name, fn := range map[string]*dl.Func{
		"glGetError": &x.f.getError, "glGetString": &x.f.getString, "glGetIntegerv": &x.f.getIntegerv, "glIsBuffer": &x.f.isBuffer,
		"glBindBuffer": &x.f.bindBuffer, "glGetBufferParameteri64v": &x.f.getBufferParameteri64v,
		"glMapBufferRange": &x.f.mapBufferRange, "glUnmapBuffer": &x.f.unmapBuffer,
	} {
		if *fn = function(find, name); *fn == 0 {
			return nil, fmt.Errorf("share OpenGL's buffers: %w: there is no %s", ErrContext, name)
		}
	}
	if err := x.current("share OpenGL's buffers"); err != nil {
		return nil, err
	}
	if x.version() >= 45 {
		x.f.getNamedBufferParameteri64v = function(find, "glGetNamedBufferParameteri64v")
		x.f.mapNamedBufferRange, x.f.unmapNamedBuffer = function(find, "glMapNamedBufferRange"), function(find, "glUnmapNamedBuffer")
	}
	on, err := dev.OnGLDevice()
	if err != nil {
		return nil, fmt.Errorf("share OpenGL's buffers: %w", err)
	}
	if !on {
		return nil, fmt.Errorf("share OpenGL's buffers: %w: it is not on device %s", ErrContext, dev.Info().ID)
	}
	return x, nil
}

// version is ten times OpenGL's.
func (x *Interop) version() int {
	v := []int32{0, 0}
	dl.NewFrame().Int(majorVersion).Ints(v[:1]).Call(x.f.getIntegerv)
	dl.NewFrame().Int(minorVersion).Ints(v[1:]).Call(x.f.getIntegerv)
	return 10*int(v[0]) + int(v[1])
}

// current checks that there is a context on this thread, and forgets errors of calls that were not ours.
func (x *Interop) current(op string) error {
	if x.f.getString.Call(versionName) == 0 {
		return fmt.Errorf("%s: %w: none is current on this thread", op, ErrContext)
	}
	x.forget()
	return nil
}

// forget forgets OpenGL's errors of earlier calls.
func (x *Interop) forget() {
	for range maxErrorsInARow {
		if uint32(x.f.getError.Call()) == noError {
			break
		}
	}
}

// is reports whether there is a context and in it the buffer.
func (x *Interop) is(name uint32) bool { return byte(x.f.isBuffer.Call(uintptr(name))) != 0 }

// failed is the error of OpenGL's calls since current, if there is one.
func (x *Interop) failed(op, call string) error {
	if code := uint32(x.f.getError.Call()); code != noError {
		return fmt.Errorf("%s: %s: OpenGL error %#x", op, call, code)
	}
	return nil
}

// bind binds a buffer where it disturbs nothing, and returns what undoes that.
func (x *Interop) bind(name uint32) (restore func()) {
	before := []int32{0}
	dl.NewFrame().Int(copyReadBuffer).Ints(before).Call(x.f.getIntegerv)
	x.f.bindBuffer.Call(copyReadBuffer, uintptr(name))
	return func() { x.f.bindBuffer.Call(copyReadBuffer, uintptr(uint32(before[0]))) }
}

// register notes an object as registered from now on, by the caller's caller.
func (x *Interop) register(op string, o object) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, ok := x.open[o]; ok {
		return fmt.Errorf("%s: %w: it is registered", op, ErrHandle)
	}
	_, file, line, _ := runtime.Caller(2)
	x.open[o] = fmt.Sprintf("%s:%d", file, line)
	return nil
}

func (x *Interop) unregister(o object) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.open, o)
}

// Leak is an object that was not unregistered.
type Leak struct {
	// Handle is OpenGL's name of it, Target its kind, 0 for buffers, and Where the place that registered it.
	Handle uint32
	Target Target
	Where  string
}

// Leaked lists what is registered now, buffers first.
func (x *Interop) Leaked() []Leak {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []Leak
	for o, where := range x.open {
		out = append(out, Leak{o.name, o.target, where})
	}
	slices.SortFunc(out, func(a, b Leak) int { return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Handle, b.Handle)) })
	return out
}

// Buffer is a registered buffer of OpenGL.
type Buffer struct {
	x       *Interop
	name    uint32
	mapOp   string // what Map attempts, and Unmap
	unmapOp string
	flags   Flags
	gpu     *cuda.GLBuffer // nil on the host device
	gone    bool
	mapping *Mapping
}

// RegisterBuffer registers the buffer of that name, which must have memory. It may be registered once at a time.
func (x *Interop) RegisterBuffer(name uint32, flags Flags) (*Buffer, error) {
	op := fmt.Sprintf("register OpenGL buffer %d", name)
	if flags > WriteDiscard {
		return nil, fmt.Errorf("%s: %w: flags %#x", op, cuda.ErrInvalidValue, uint32(flags))
	}
	if err := x.current(op); err != nil {
		return nil, err
	}
	if x.sizeOf(name) == 0 {
		return nil, x.why(op, name)
	}
	if err := x.register(op, object{name: name}); err != nil {
		return nil, err
	}
	b := &Buffer{x: x, name: name, flags: flags}
	b.mapOp, b.unmapOp = fmt.Sprintf("map OpenGL buffer %d", name), fmt.Sprintf("unmap OpenGL buffer %d", name)
	if x.dev.Info().Kind == cuda.Host {
		return b, nil
	}
	var err error
	if b.gpu, err = x.dev.RegisterGLBuffer(name, uint32(flags)); err != nil {
		x.unregister(object{name: name})
		return nil, err
	}
	return b, nil
}

// Handle is OpenGL's name of the buffer.
func (b *Buffer) Handle() uint32 { return b.name }

// Map lets kernels use the buffer until Unmap. All drawing that was asked for before is finished. OpenGL must not use the
// buffer meanwhile. The size is what the buffer has now.
func (b *Buffer) Map() (*Mapping, error) {
	op := b.mapOp
	if b.gone {
		return nil, fmt.Errorf("%s: %w: it was unregistered", op, ErrHandle)
	}
	if b.mapping != nil {
		return nil, fmt.Errorf("%s: %w", op, ErrMapped)
	}
	n := b.x.sizeOf(b.name)
	if n == 0 {
		return nil, b.x.why(op, b.name)
	}
	mem, err := b.acquire(op, n)
	if err != nil {
		return nil, err
	}
	b.mapping = &Mapping{b: b, mem: mem}
	return b.mapping, nil
}

// why is the reason why OpenGL gave no size of a buffer. A call without a context, or of a buffer that is none, leaves its results
// as they are, so the calls that tell these apart are made only then.
func (x *Interop) why(op string, name uint32) error {
	if err := x.current(op); err != nil {
		return err
	}
	if !x.is(name) {
		return fmt.Errorf("%s: %w: there is no such buffer", op, ErrHandle)
	}
	return fmt.Errorf("%s: %w: it has no memory", op, ErrHandle)
}

// acquire takes the n bytes of the buffer from OpenGL.
func (b *Buffer) acquire(op string, n int) (*cuda.Buffer[uint8], error) {
	if b.gpu != nil {
		return b.gpu.Map()
	}
	bits := uintptr(mapReadBit | mapWriteBit)
	switch b.flags {
	case ReadOnly:
		bits = mapReadBit
	case WriteDiscard:
		bits = mapWriteBit | mapInvalidate
	}
	p := b.x.mapAll(b.name, n, bits)
	if p == 0 { // again, to tell OpenGL's error from earlier ones
		b.x.forget()
		p = b.x.mapAll(b.name, n, bits)
	}
	if p == 0 {
		return nil, errors.Join(fmt.Errorf("%s: glMapBufferRange of %d bytes failed", op, n), b.x.failed(op, "glMapBufferRange"))
	}
	mem, err := cuda.Foreign[uint8](b.x.dev, uint64(p), n)
	if err != nil {
		b.x.unmap(b.name)
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return mem, nil
}

// Unregister ends the registration, and a mapping that is left.
func (b *Buffer) Unregister() error {
	if b.gone {
		return fmt.Errorf("unregister OpenGL buffer %d: %w: it was unregistered", b.name, ErrHandle)
	}
	var err error
	if b.mapping != nil {
		err = b.mapping.Unmap()
	}
	if b.mapping == nil {
		if b.gpu != nil {
			err = errors.Join(err, b.gpu.Unregister())
		}
		b.gone = true
		b.x.unregister(object{name: b.name})
	}
	return err
}

// Mapping is a buffer while kernels may use it.
type Mapping struct {
	b   *Buffer
	mem *cuda.Buffer[uint8]
}

// Memory is the mapped bytes. Unmap closes it.
func (m *Mapping) Memory() (*cuda.Buffer[uint8], error) {
	if m.mem == nil {
		return nil, fmt.Errorf("memory of OpenGL buffer %d: %w", m.b.name, ErrNotMapped)
	}
	return m.mem, nil
}

// Elements is the mapped memory as elements of type T. Unmap closes it. The error wraps cuda.ErrLength if the memory is no
// whole number of them.
func Elements[T cuda.Element](m *Mapping) (*cuda.Buffer[T], error) {
	mem, err := m.Memory()
	if err != nil {
		return nil, err
	}
	return cuda.Reinterpret[T](mem)
}

// DevicePtrAndSize is the address of the mapped memory on the device, and its size in bytes.
func (m *Mapping) DevicePtrAndSize() (ptr uint64, size int, err error) {
	mem, err := m.Memory()
	if err != nil {
		return 0, 0, err
	}
	return mem.Ptr(), mem.Len(), nil
}

// Unmap waits for the work that was queued on the device and gives the memory back to OpenGL. It succeeds only on the
// context's thread. After ErrLost the contents of the buffer are undefined, and it must be filled anew.
func (m *Mapping) Unmap() error {
	op := m.b.unmapOp
	if m.mem == nil {
		return fmt.Errorf("%s: %w", op, ErrNotMapped)
	}
	x := m.b.x
	alive := x.is(m.b.name)
	if !alive {
		if err := x.current(op); err != nil {
			return err
		}
	}
	closed := m.mem.Close()
	m.mem, m.b.mapping = nil, nil
	if m.b.gpu != nil {
		return errors.Join(closed, m.b.gpu.Unmap())
	}
	if !alive {
		return errors.Join(closed, fmt.Errorf("%s: %w: it was deleted while it was mapped", op, ErrHandle))
	}
	x.forget()
	if !x.unmap(m.b.name) {
		if err := x.failed(op, "glUnmapBuffer"); err != nil {
			return errors.Join(closed, err)
		}
		return errors.Join(closed, fmt.Errorf("%s: %w", op, ErrLost))
	}
	return closed
}
