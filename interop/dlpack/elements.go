package dlpack

import (
	"fmt"
	"reflect"

	"github.com/tandem-go/tandem/cuda"
)

// TypeOf is the element type that T is exchanged as.
func TypeOf[T cuda.Element]() DataType {
	t := reflect.TypeFor[T]()
	code := Int
	switch t.Kind() {
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		code = UInt
	case reflect.Float32, reflect.Float64:
		code = Float
	case reflect.Complex64, reflect.Complex128:
		code = Complex
	}
	return DataType{code, uint8(t.Bits()), 1}
}

// FromBuffer describes device memory as a tensor of the given shape, last index fastest; without a shape, of one
// dimension. On the host device that is memory of the CPU. The buffer must stay open as long as the tensor is used: close
// it in the release function of Export.
func FromBuffer[T cuda.Element](b *cuda.Buffer[T], shape ...int) (Tensor, error) {
	if shape == nil {
		shape = []int{b.Len()}
	}
	t := Tensor{Data: uintptr(b.Ptr()), Type: TypeOf[T](), Device: deviceOf(b.Device()), Shape: make([]int64, len(shape))}
	for i, n := range shape {
		t.Shape[i] = int64(n)
	}
	if err := t.check(); err != nil {
		return Tensor{}, fmt.Errorf("describe a buffer of %d elements as a tensor: %w", b.Len(), err)
	}
	if t.Len() != int64(b.Len()) {
		return Tensor{}, fmt.Errorf("describe a buffer of %d elements as a tensor: %w: shape %v", b.Len(), ErrLayout, shape)
	}
	return t, nil
}

// deviceOf is where the memory of dev is.
func deviceOf(dev *cuda.Device) Device {
	var n int32
	if _, err := fmt.Sscanf(dev.Info().ID, "gpu:%d", &n); err == nil {
		return Device{CUDA, n}
	}
	return Device{CPU, 0}
}

// Elements is the memory of an imported tensor that the CPU can reach, as numbers of its type; see Imported.Bytes.
func Elements[T cuda.Element](im *Imported) ([]T, error) {
	if want := TypeOf[T](); im.Type != want {
		return nil, fmt.Errorf("elements of an imported tensor: %w: %v, not %v", ErrType, im.Type, want)
	}
	b, err := im.Bytes()
	if err != nil {
		return nil, err
	}
	return elementsOf[T](b)
}

// ToBuffer makes a buffer of the memory of an imported tensor, which is on dev: in the CPU's memory for the host device, on
// that GPU, or managed. Close the buffer before the tensor. A read-only tensor must not be given to a kernel that writes.
func ToBuffer[T cuda.Element](dev *cuda.Device, im *Imported) (*cuda.Buffer[T], error) {
	if want := TypeOf[T](); im.Type != want {
		return nil, fmt.Errorf("make a buffer of an imported tensor: %w: %v, not %v", ErrType, im.Type, want)
	}
	here, there := deviceOf(dev), im.Device
	switch {
	case there == here, there.Type == CUDAManaged:
	case here.Type == CPU && (there.Type == CUDAHost || there.Type == CPU):
	default:
		return nil, fmt.Errorf("make a buffer of an imported tensor: %w: it is on %v %d, not on %s", ErrDevice, there.Type, there.ID, dev.Info().ID)
	}
	if !im.Contiguous() {
		return nil, fmt.Errorf("make a buffer of an imported tensor: %w: strides %v of shape %v", ErrLayout, im.Strides, im.Shape)
	}
	if _, _, err := im.Span(); err != nil {
		return nil, fmt.Errorf("make a buffer of an imported tensor: %w", err)
	}
	if im.Len() == 0 {
		return cuda.Alloc[T](dev, 0)
	}
	return cuda.Foreign[T](dev, uint64(im.Data)+im.Offset, int(im.Len()))
}
