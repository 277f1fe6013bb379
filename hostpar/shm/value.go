package shm

import (
	"context"
	"fmt"
	"reflect"
	"runtime"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
)

// dataAt is where the elements of a value or an array begin; a lock stands before them.
const dataAt = line

// Array is a number of elements in shared memory, with a lock. Make it with NewArray.
//
// Elements are read and written as those of any slice: who shares them with others takes the lock, or uses atomic
// operations on elements of Slice.
type Array[T any] struct {
	Mutex
	xs []T
}

// NewArray makes an array of zeros.
func NewArray[T any](n int) (*Array[T], error) {
	if err := plain(reflect.TypeFor[T]()); err != nil {
		return nil, err
	}
	if n < 0 || sizeOf[T]() > 0 && n > (1<<46)/sizeOf[T]() {
		return nil, fmt.Errorf("shm: array of %d elements", n)
	}
	s, err := NewSegment(dataAt + n*sizeOf[T]())
	if err != nil {
		return nil, err
	}
	return arrayIn[T](s)
}

// ArrayIn returns the array that fills a segment, for Named ones. All processes must use the same type.
func ArrayIn[T any](s *Segment) (*Array[T], error) {
	if err := plain(reflect.TypeFor[T]()); err != nil {
		return nil, err
	}
	return arrayIn[T](s)
}

func arrayIn[T any](s *Segment) (*Array[T], error) {
	size := sizeOf[T]()
	rest := s.Len() - dataAt
	if rest < 0 || size > 0 && rest%size != 0 {
		return nil, fmt.Errorf("%w: %d bytes are not a lock and elements of %v", ErrType, s.Len(), reflect.TypeFor[T]())
	}
	n := 0
	if size > 0 {
		n = rest / size
	}
	return &Array[T]{Mutex{s, s.lock(0)}, elements[T](s, dataAt, n)}, nil
}

// Len returns the number of elements.
func (a *Array[T]) Len() int { return len(a.xs) }

// At returns an element.
func (a *Array[T]) At(i int) T {
	defer runtime.KeepAlive(a)
	return a.xs[i]
}

// Set changes an element.
func (a *Array[T]) Set(i int, x T) {
	a.xs[i] = x
	runtime.KeepAlive(a)
}

// Slice returns the elements themselves. The slice is valid as long as the array is referred to: keep a, and call
// runtime.KeepAlive(a) after the last use.
func (a *Array[T]) Slice() []T { return a.xs }

// Update calls fn with the elements while it holds the lock. ownerDied is as with Mutex.Lock; fn is called in any case.
func (a *Array[T]) Update(ctx context.Context, fn func(xs []T)) (ownerDied bool, err error) {
	ownerDied, err = a.Lock(ctx)
	if err != nil {
		return false, err
	}
	defer func() {
		if unlockErr := a.Unlock(); err == nil {
			err = unlockErr // fn has released it
		}
	}()
	fn(a.xs)
	return ownerDied, nil
}

// DecodeHandle is for package proc.
func (a *Array[T]) DecodeHandle(d *codec.Decoder) error {
	if err := plain(reflect.TypeFor[T]()); err != nil {
		return err
	}
	s, err := decodeSegment(d, dataAt)
	if err != nil {
		return err
	}
	b, err := arrayIn[T](s)
	if err == nil {
		*a = *b
	}
	return err
}

// Value is one element in shared memory, with a lock. Make it with NewValue.
type Value[T any] struct{ a Array[T] }

// NewValue makes a value.
func NewValue[T any](x T) (*Value[T], error) {
	a, err := NewArray[T](1)
	if err != nil {
		return nil, err
	}
	v := &Value[T]{*a}
	v.a.Set(0, x)
	return v, nil
}

// Load returns the value, under the lock.
func (v *Value[T]) Load(ctx context.Context) (x T, err error) {
	_, err = v.Update(ctx, func(p *T) { x = *p })
	return x, err
}

// Store changes the value, under the lock.
func (v *Value[T]) Store(ctx context.Context, x T) error {
	_, err := v.Update(ctx, func(p *T) { *p = x })
	return err
}

// Update calls fn with the value while it holds the lock. ownerDied is as with Mutex.Lock; fn is called in any case.
func (v *Value[T]) Update(ctx context.Context, fn func(x *T)) (ownerDied bool, err error) {
	return v.a.Update(ctx, func(xs []T) { fn(&xs[0]) })
}

// Pointer returns the value itself, for atomic operations. It is valid as long as v is referred to.
func (v *Value[T]) Pointer() *T { return &v.a.xs[0] }

// Mutex returns the value's lock.
func (v *Value[T]) Mutex() *Mutex { return &v.a.Mutex }

// EncodeHandle is for package proc.
func (v *Value[T]) EncodeHandle(e *codec.Encoder) error { return v.a.EncodeHandle(e) }

// DecodeHandle is for package proc.
func (v *Value[T]) DecodeHandle(d *codec.Decoder) error {
	if err := v.a.DecodeHandle(d); err != nil {
		return err
	}
	if v.a.Len() != 1 {
		return codec.ErrCorrupt
	}
	return nil
}
