// Package array computes with n-dimensional arrays in device memory, by NumPy's rules and with the same results on GPU and
// host device.
//
// An Array is lazy: its methods check types and shapes and describe a new Array, and nothing is computed before somebody
// asks for elements (Download, Item, Eval, String) or writes in place. Then element-wise operations and the reduction behind
// them run as one kernel, which NVRTC compiles once for each structure; small arrays, and programs without NVRTC, use
// embedded kernels, one for each operation. Both give the same bits. What was computed is kept.
//
// Errors are deferred: an operation that cannot be done gives an Array whose Err is not nil, all further operations pass the
// first error on, and the call that asks for elements returns it. So expressions are written without stops:
//
//	r, err := x.Sub(x.Mean()).Div(x.Std()).Mul(2).Add(y).Download(ctx)
//
// Operands are arrays of the same element type, or Go values, which stand for every element: a value of that type, or an
// int, float64 or complex128, which Go's literals become, where the type can hold it.
//
// Views (Slice, Transpose, Reshape and their like) share memory with what they were made of: AddAssign and its like on a
// view change the whole. An Array that was described before and not yet computed does not see the change.
package array

import (
	"context"
	"fmt"
	"slices"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/expr"
)

// Array is an n-dimensional array of a Workspace. Its methods may be called from any goroutine. Memory that nobody refers to
// is collected; Close gives it back at once.
type Array[T Element] struct {
	ws  *Workspace
	n   *node
	err error
}

// wrap is an Array of a node or an error.
func wrap[T Element](ws *Workspace, n *node, err error) *Array[T] {
	return &Array[T]{ws: ws, n: n, err: err}
}

// From copies data to the device, row after row. Without a shape the array has one dimension.
func From[T Element](ctx context.Context, ws *Workspace, data []T, shape ...int) *Array[T] {
	if len(shape) == 0 {
		shape = []int{len(data)}
	}
	n, err := ws.upload(ctx, typeOf[T](), bytesOf(data), len(data), slices.Clone(shape))
	return wrap[T](ws, n, err)
}

func (ws *Workspace) upload(ctx context.Context, t expr.Type, data []byte, n int, shape []int) (*node, error) {
	if err := checkShape("array from a slice", shape); err != nil {
		return nil, err
	}
	if size(shape) != n {
		return nil, failure(ErrShape, "array from a slice: %d elements do not fill shape %s", n, tuple(shape))
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if err := ws.usable(); err != nil {
		return nil, err
	}
	st, err := ws.alloc(t, n)
	if err != nil {
		return nil, err
	}
	if n > 0 {
		dst, err := st.buf.Slice(0, len(data))
		if err != nil {
			return nil, err
		}
		if err := dst.CopyFrom(ctx, data); err != nil {
			return nil, err
		}
	}
	return ws.stored(t, shape, st, contiguous(shape)), nil
}

// FromBuffer is an array in the memory of a buffer, which it shares. Without a shape it has one dimension.
func FromBuffer[T Number](ws *Workspace, b *cuda.Buffer[T], shape ...int) *Array[T] {
	if len(shape) == 0 {
		shape = []int{b.Len()}
	}
	shape = slices.Clone(shape)
	err := checkShape("array from a buffer", shape)
	if err == nil && size(shape) != b.Len() {
		err = failure(ErrShape, "array from a buffer: %d elements do not fill shape %s", b.Len(), tuple(shape))
	}
	if err == nil && b.Device() != ws.dev {
		err = failure(ErrWorkspace, "array from a buffer: it belongs to %v, the workspace to %v", b.Device(), ws.dev)
	}
	if err != nil {
		return wrap[T](ws, nil, err)
	}
	bytes, err := cuda.Reinterpret[uint8](b)
	if err != nil {
		return wrap[T](ws, nil, err)
	}
	return wrap[T](ws, ws.stored(typeOf[T](), shape, &storage{buf: bytes}, contiguous(shape)), nil)
}

// Full is an array whose elements are all v. It takes no memory until it is written.
func Full[T Element](ws *Workspace, v T, shape ...int) *Array[T] {
	shape = slices.Clone(shape)
	if err := checkShape("array of one value", shape); err != nil {
		return wrap[T](ws, nil, err)
	}
	return wrap[T](ws, ws.konst(typeOf[T](), shape, v), nil)
}

// Scalar is an array without dimensions: one element.
func Scalar[T Element](ws *Workspace, v T) *Array[T] { return Full(ws, v) }

// Zeros is an array of zeros, or false.
func Zeros[T Element](ws *Workspace, shape ...int) *Array[T] { return Full(ws, *new(T), shape...) }

// Ones is an array of ones, or true.
func Ones[T Element](ws *Workspace, shape ...int) *Array[T] {
	return Full(ws, numberOf(typeOf[T](), 1).(T), shape...)
}

// Indices is an array of shape whose elements are their own numbers in row-major order.
func Indices(ws *Workspace, shape ...int) *Array[int64] {
	shape = slices.Clone(shape)
	if err := checkShape("array of indices", shape); err != nil {
		return wrap[int64](ws, nil, err)
	}
	return wrap[int64](ws, &node{ws: ws, typ: expr.Int64, shape: shape, state: index}, nil)
}

// Arange is n elements start, start+step, start+2*step, ..., each computed as start + i*step.
func Arange[T Number](ws *Workspace, n int, start, step T) *Array[T] {
	return AsType[T](Indices(ws, n)).Mul(step).Add(start)
}

// Linspace is n elements from start to stop, both included, at equal distances: start + i*((stop-start)/(n-1)). The last is
// stop itself.
func Linspace[T Real](ws *Workspace, start, stop T, n int) *Array[T] {
	if n < 2 {
		return Full(ws, start, n)
	}
	i := AsType[T](Indices(ws, n))
	return Where[T](i.Equal(T(n-1)), stop, i.Mul((stop-start)/T(n-1)).Add(start))
}

// Err is why the array cannot be computed, nil if nothing is known against it.
func (a *Array[T]) Err() error { return a.err }

// Workspace is where the array is computed.
func (a *Array[T]) Workspace() *Workspace { return a.ws }

// Shape is the number of elements along each axis; nil if Err is not.
func (a *Array[T]) Shape() []int {
	if a.err != nil {
		return nil
	}
	return append([]int{}, a.n.shape...)
}

// NDim is the number of dimensions.
func (a *Array[T]) NDim() int { return len(a.Shape()) }

// Size is the number of elements, 0 if Err is not nil.
func (a *Array[T]) Size() int {
	if a.err != nil {
		return 0
	}
	return size(a.n.shape)
}

// Bytes is the size of the elements in bytes.
func (a *Array[T]) Bytes() int { return a.Size() * typeOf[T]().Size() }

// Strides are the distances in memory, in elements, from one element to the next along each axis.
func (a *Array[T]) Strides() []int {
	if a.err != nil {
		return nil
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	return slices.Clone(a.n.layoutNow().strides)
}

// Contiguous reports whether the elements follow each other in memory, row after row.
func (a *Array[T]) Contiguous() bool {
	if a.err != nil {
		return false
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	return a.n.layoutNow().isContiguous(a.n.shape)
}

// Eval queues the computation of the array, and keeps the result. It does not wait for the device, except where the
// computation itself depends on elements, such as indices. Whether the computation fails on the device is found by the
// calls that wait: Download, Item and cuda.Stream.Wait.
func (a *Array[T]) Eval(ctx context.Context) error {
	if a.err != nil {
		return a.err
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	return a.n.eval(ctx)
}

// Download computes the array and copies its elements, row after row.
func (a *Array[T]) Download(ctx context.Context) ([]T, error) {
	if a.err != nil {
		return nil, a.err
	}
	out := make([]T, a.Size())
	if len(out) == 0 {
		return out, nil
	}
	a.ws.mu.Lock()
	n, err := a.n.rowMajor(ctx)
	var buf *cuda.Buffer[uint8]
	if err == nil {
		lo := n.lay.off * n.typ.Size()
		buf, err = n.st.buf.Slice(lo, lo+len(out)*n.typ.Size())
	}
	a.ws.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := buf.CopyTo(ctx, bytesOf(out)); err != nil {
		return nil, err
	}
	return out, nil
}

// rowMajor is n, or a copy of it, stored in row-major order.
func (n *node) rowMajor(ctx context.Context) (*node, error) {
	if err := n.eval(ctx); err != nil {
		return nil, err
	}
	if n.lay.isContiguous(n.shape) {
		return n, nil
	}
	c := n.ws.compute("copy", n.typ, n.shape, n)
	return c, c.eval(ctx)
}

// Item computes an array of one element and returns that.
func (a *Array[T]) Item(ctx context.Context) (T, error) {
	var zero T
	if a.err != nil {
		return zero, a.err
	}
	if a.Size() != 1 {
		return zero, failure(ErrShape, "item: shape %s has %d elements, not one", tuple(a.n.shape), a.Size())
	}
	out, err := a.Download(ctx)
	if err != nil {
		return zero, err
	}
	return out[0], nil
}

// Buffer computes the array and returns its memory, row after row, for kernels and the packages beside this one. It is the
// array's own memory where that is contiguous, a copy otherwise.
func Buffer[T Number](ctx context.Context, a *Array[T]) (*cuda.Buffer[T], error) {
	if a.err != nil {
		return nil, a.err
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	n, err := a.n.rowMajor(ctx)
	if err != nil {
		return nil, err
	}
	if a.Size() == 0 {
		return cuda.Alloc[T](a.ws.dev, 0)
	}
	lo := n.lay.off * n.typ.Size()
	bytes, err := n.st.buf.Slice(lo, lo+a.Bytes())
	if err != nil {
		return nil, err
	}
	return cuda.Reinterpret[T](bytes)
}

// Copy is an array of its own with the same elements, in row-major order.
func (a *Array[T]) Copy() *Array[T] { return a.unary("copy") }

// Close gives the memory of the array, and of all its views, back. Nothing has to be closed: memory is collected when nobody
// refers to it.
func (a *Array[T]) Close() error {
	if a.err != nil {
		return nil
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	if a.n.state == stored && a.n.st.buf != nil {
		return a.n.st.buf.Close()
	}
	return nil
}

// operand is v as an operand for elements of type t.
func (ws *Workspace) operand(op string, t expr.Type, v any) (*node, error) {
	if a, ok := v.(interface {
		part() (*Workspace, *node, error)
	}); ok {
		other, n, err := a.part()
		switch {
		case err != nil:
			return nil, err
		case other != ws:
			return nil, failure(ErrWorkspace, "%s: the arrays belong to different workspaces; go through a slice", op)
		case n.typ != t:
			return nil, failure(ErrType, "%s: want an array of %v, have %v; use AsType", op, t, n.typ)
		}
		return n, nil
	}
	c, err := constant(t, v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	return ws.konst(t, nil, c), nil
}

// part is what an operand is made of.
func (a *Array[T]) part() (*Workspace, *node, error) { return a.ws, a.n, a.err }

// apply describes an operation on operands, the first of which have the given types.
func (ws *Workspace) apply(op string, result expr.Type, args ...*node) (*node, error) {
	shape := args[0].shape
	for i, a := range args[1:] {
		both, ok := broadcast(shape, a.shape)
		if !ok {
			return nil, failure(ErrShape, "%s: operands of shapes %s and %s do not broadcast", op, tuple(shape), tuple(args[i+1].shape))
		}
		shape = both
	}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	return ws.compute(op, result, shape, args...), nil
}

// unary describes an operation on a.
func (a *Array[T]) unary(op string) *Array[T] {
	if a.err != nil {
		return a
	}
	if err := defined(op, a.n.typ); err != nil {
		return wrap[T](a.ws, nil, err)
	}
	n, err := a.ws.apply(op, a.n.typ, a.n)
	return wrap[T](a.ws, n, err)
}

// defined refuses an operation that a type does not have.
func defined(op string, t expr.Type) error {
	if o := expr.Lookup(op); !o.Types.Has(t) {
		return failure(ErrType, "%s is not defined for %v but for %v; use AsType", op, t, o.Types)
	}
	return nil
}

// binary describes an operation on a and v.
func (a *Array[T]) binary(op string, v any) *Array[T] {
	n, err := a.operate(op, v)
	return wrap[T](a.ws, n, err)
}

// truth is binary for operations that give bools.
func (a *Array[T]) truth(op string, v any) *Array[bool] {
	n, err := a.operate(op, v)
	return wrap[bool](a.ws, n, err)
}

func (a *Array[T]) operate(op string, v any) (*node, error) {
	if a.err != nil {
		return nil, a.err
	}
	if err := defined(op, a.n.typ); err != nil {
		return nil, err
	}
	b, err := a.ws.operand(op, a.n.typ, v)
	if err != nil {
		return nil, err
	}
	return a.ws.apply(op, expr.Lookup(op).Result(a.n.typ), a.n, b)
}
