package dlpack

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/internal/dl"
)

// The layout of dlpack.h.
type (
	cTensor struct {
		data    uintptr
		device  Device
		ndim    int32
		dtype   DataType
		shape   uintptr
		strides uintptr
		offset  uint64
	}
	// managed is DLManagedTensor, before version 1.0.
	managed struct {
		tensor  cTensor
		context uintptr
		deleter uintptr
	}
	// versioned is DLManagedTensorVersioned.
	versioned struct {
		major, minor uint32
		context      uintptr
		deleter      uintptr
		flags        uint64
		tensor       cTensor
	}
)

// These stop the build if the layout is not that of C.
var (
	_ [48]byte = [unsafe.Sizeof(cTensor{})]byte{}
	_ [64]byte = [unsafe.Sizeof(managed{})]byte{}
	_ [80]byte = [unsafe.Sizeof(versioned{})]byte{}
)

const (
	majorVersion, minorVersion = 1, 1

	flagReadOnly = 1 << 0
	flagCopied   = 1 << 1
)

// exported is a structure that a consumer holds. C code has its address, so it is pinned and in the table until then.
type exported struct {
	old     managed
	new     versioned
	numbers [2 * maxDims]int64 // shape and strides
	release func()
	pin     runtime.Pinner
}

// exports are the structures that consumers hold, by address.
var exports sync.Map

// deleter is the address of the C function that consumers call.
var deleter = sync.OnceValues(func() (uintptr, error) {
	return dl.NewCallback(func(p uintptr) uintptr {
		if e, ok := exports.LoadAndDelete(p); ok {
			e.(*exported).free()
		}
		return 0
	})
})

func (e *exported) free() {
	e.pin.Unpin()
	if e.release != nil {
		e.release()
	}
}

// Export makes a DLManagedTensorVersioned that describes t and returns its address, for a capsule named
// "dltensor_versioned". The memory must stay until release is called: once, by the consumer, on any thread, which
// release must not block. Whoever does not pass the address on calls Discard. Export fails in builds that cannot call C.
func Export(t Tensor, release func()) (uintptr, error) {
	return export(t, release, func(e *exported, free uintptr) uintptr {
		e.new = versioned{major: majorVersion, minor: minorVersion, deleter: free, tensor: e.old.tensor}
		if t.ReadOnly {
			e.new.flags |= flagReadOnly
		}
		if t.Copied {
			e.new.flags |= flagCopied
		}
		return uintptr(unsafe.Pointer(&e.new))
	})
}

// ExportUnversioned is Export for consumers of the layout before version 1.0: a DLManagedTensor, for a capsule named
// "dltensor". That layout cannot say that memory is not to be written, so read-only tensors are refused.
func ExportUnversioned(t Tensor, release func()) (uintptr, error) {
	if t.ReadOnly {
		return 0, errors.New("export a tensor: the layout before DLPack 1.0 has no read-only memory")
	}
	return export(t, release, func(e *exported, free uintptr) uintptr {
		e.old.deleter = free
		return uintptr(unsafe.Pointer(&e.old))
	})
}

func export(t Tensor, release func(), finish func(e *exported, free uintptr) uintptr) (uintptr, error) {
	free, err := deleter()
	if err == nil {
		err = t.check()
	}
	if err != nil {
		return 0, fmt.Errorf("export a tensor: %w", err)
	}
	n := len(t.Shape)
	e := &exported{release: release}
	copy(e.numbers[:n], t.Shape)
	compact := int64(1)
	for i := n - 1; i >= 0; i-- { // version 1.2 asks for strides always
		e.numbers[n+i] = compact
		compact *= max(t.Shape[i], 1)
	}
	copy(e.numbers[n:], t.Strides)
	e.pin.Pin(e)
	e.old.tensor = cTensor{data: t.Data, device: t.Device, ndim: int32(n), dtype: t.Type, offset: t.Offset}
	if n > 0 {
		e.old.tensor.shape, e.old.tensor.strides = uintptr(unsafe.Pointer(&e.numbers[0])), uintptr(unsafe.Pointer(&e.numbers[n]))
	}
	p := finish(e, free)
	exports.Store(p, e)
	return p, nil
}

// Discard releases what Export returned if nobody took it. An address that was given back already is ignored.
func Discard(p uintptr) {
	if e, ok := exports.LoadAndDelete(p); ok {
		e.(*exported).free()
	}
}

// Imported is a tensor of another library. Close gives it back; the memory must not be used afterwards.
type Imported struct {
	Tensor
	mu      sync.Mutex
	address uintptr
	deleter uintptr
}

// Import takes over the DLManagedTensorVersioned at address p, as it comes from a capsule named "dltensor_versioned". What
// it cannot use it gives back before it returns the error, even a structure of a later version. The caller vouches that p
// is such an address: nothing can check that.
func Import(p uintptr) (*Imported, error) {
	if p == 0 {
		return nil, fmt.Errorf("import a tensor: %w: null pointer", ErrCorrupt)
	}
	v := *(*versioned)(pointer(p))
	im := &Imported{address: p, deleter: v.deleter}
	if v.major != majorVersion { // where the deleter is will not change, says the specification
		return nil, im.refuse(fmt.Errorf("%w %d.%d", ErrVersion, v.major, v.minor))
	}
	im.ReadOnly, im.Copied = v.flags&flagReadOnly != 0, v.flags&flagCopied != 0
	return im.finish(&v.tensor)
}

// ImportUnversioned is Import for the DLManagedTensor of a capsule named "dltensor".
func ImportUnversioned(p uintptr) (*Imported, error) {
	if p == 0 {
		return nil, fmt.Errorf("import a tensor: %w: null pointer", ErrCorrupt)
	}
	m := *(*managed)(pointer(p))
	return (&Imported{address: p, deleter: m.deleter}).finish(&m.tensor)
}

func (im *Imported) refuse(err error) error {
	return errors.Join(fmt.Errorf("import a tensor: %w", err), im.Close())
}

func (im *Imported) finish(c *cTensor) (*Imported, error) {
	if c.ndim < 0 || c.ndim > maxDims || c.ndim > 0 && c.shape == 0 {
		return nil, im.refuse(fmt.Errorf("%w: %d dimensions", ErrCorrupt, c.ndim))
	}
	im.Data, im.Offset, im.Device, im.Type = c.data, c.offset, c.device, c.dtype
	im.Shape = append([]int64{}, numbers(c.shape, int(c.ndim))...)
	if c.strides != 0 {
		im.Strides = append([]int64{}, numbers(c.strides, int(c.ndim))...)
	}
	if err := im.check(); err != nil {
		return nil, im.refuse(err)
	}
	return im, nil
}

// Close calls the deleter of the structure. Closing again does nothing.
func (im *Imported) Close() error {
	im.mu.Lock()
	defer im.mu.Unlock()
	p := im.address
	im.address, im.Data = 0, 0
	if p != 0 && im.deleter != 0 {
		dl.Func(im.deleter).Call(p)
	}
	return nil
}

// Bytes is the memory of the elements of a tensor that the CPU can reach: without gaps and on a device of type CPU,
// page-locked or managed. It is valid until Close, and must not be written if the tensor is read-only.
func (im *Imported) Bytes() ([]byte, error) {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.address == 0 {
		return nil, errors.New("memory of an imported tensor: it was given back")
	}
	switch im.Device.Type {
	case CPU, CUDAHost, CUDAManaged:
	default:
		return nil, fmt.Errorf("memory of an imported tensor: %w: %v", ErrDevice, im.Device.Type)
	}
	if !im.Contiguous() {
		return nil, fmt.Errorf("memory of an imported tensor: %w: strides %v of shape %v", ErrLayout, im.Strides, im.Shape)
	}
	_, n, err := im.Span()
	if err != nil || n == 0 {
		return nil, err
	}
	return unsafe.Slice((*byte)(pointer(im.Data+uintptr(im.Offset))), n), nil
}

// numbers are n numbers at a C address, at most maxDims.
func numbers(p uintptr, n int) []int64 {
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*int64)(pointer(p)), n)
}

// pointer makes a pointer of an address of C's.
func pointer(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// elementsOf is b as elements.
func elementsOf[T cuda.Element](b []byte) ([]T, error) {
	p := unsafe.Pointer(unsafe.SliceData(b))
	if uintptr(p)%unsafe.Alignof(*new(T)) != 0 {
		return nil, fmt.Errorf("elements of an imported tensor: %w: they are not aligned for Go", ErrLayout)
	}
	return unsafe.Slice((*T)(p), len(b)/int(unsafe.Sizeof(*new(T)))), nil
}
