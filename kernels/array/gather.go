package array

import (
	"context"
	_ "embed" // for gather.ptx
	"fmt"
	"math"
	"slices"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/expr"
)

//go:generate go test -run TestGatherPTX -args -rewrite
//go:embed gather.ptx
var gatherPTX []byte

// gatherKernel finds a kernel of gather.cu.
func (ws *Workspace) gatherKernel(ctx context.Context, name string) (*cuda.Function, error) {
	if ws.modules["gather"] == nil {
		mod, err := ws.dev.Load(ctx, gatherPTX, cuda.LoadConfig{Name: "gather.ptx"})
		if err != nil {
			return nil, fmt.Errorf("kernels of arrays: %w", err)
		}
		ws.modules["gather"] = mod
	}
	return ws.embedded(ctx, "gather", name)
}

// Take takes the elements with the given numbers along an axis: the result has the shape of a with the axis replaced by the
// axes of index. Negative numbers count from the end. A number outside of the axis is found when the result is computed: the
// error wraps ErrIndex and names it, and nothing is written. Computing the result waits for the indices.
func Take[T Element, I int32 | int64](a *Array[T], index *Array[I], axis int) *Array[T] {
	if a.err != nil {
		return a
	}
	ix, err := a.ws.operand("take", expr.Int64, AsType[int64](index))
	if err != nil {
		return wrap[T](a.ws, nil, err)
	}
	k, err := axisOf("take", axis, len(a.n.shape))
	if err != nil {
		return wrap[T](a.ws, nil, err)
	}
	limit := a.n.shape[k]
	shape := slices.Concat(a.n.shape[:k], ix.shape, a.n.shape[k+1:])
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	inner, outer := size(a.n.shape[k+1:]), size(a.n.shape[:k])
	do := func(ctx context.Context, n *node) error {
		return n.take(ctx, n.args[0], n.args[1], outer, inner, limit)
	}
	return wrap[T](a.ws, a.ws.later(a.n.typ, shape, []*node{a.n, ix}, do), nil)
}

// TakeFlat is Take from all elements in row-major order.
func TakeFlat[T Element, I int32 | int64](a *Array[T], index *Array[I]) *Array[T] {
	return Take(a.Ravel(), index, 0)
}

// take stores n: rows of from by index.
func (n *node) take(ctx context.Context, from, index *node, outer, inner, limit int) error {
	ws := n.ws
	ix, err := index.checked(ctx, "take", limit)
	if err != nil {
		return err
	}
	total := size(n.shape)
	if total == 0 {
		n.store(&storage{}, contiguous(n.shape))
		return nil
	}
	src, err := from.rowMajor(ctx)
	if err != nil {
		return err
	}
	f, err := ws.gatherKernel(ctx, fmt.Sprintf("take%d", n.typ.Size()))
	if err != nil {
		return err
	}
	st, err := ws.alloc(n.typ, total)
	if err != nil {
		return err
	}
	srcBuf, err := src.st.at(src.typ, src.lay.off)
	if err != nil {
		return err
	}
	grid, block := ws.flat(total)
	args := []any{uint64(total), st.buf, srcBuf, ix, uint64(size(index.shape)), uint64(inner), int64(limit)}
	if err := ws.launch(f, grid, block, args); err != nil {
		return err
	}
	n.store(st, contiguous(n.shape))
	return nil
}

// checked computes indices and looks at each of them.
func (n *node) checked(ctx context.Context, op string, limit int) (*cuda.Buffer[uint8], error) {
	ws, count := n.ws, size(n.shape)
	if count == 0 {
		return nil, nil
	}
	ix, err := n.rowMajor(ctx)
	if err != nil {
		return nil, err
	}
	buf, err := ix.st.at(ix.typ, ix.lay.off)
	if err != nil {
		return nil, err
	}
	f, err := ws.gatherKernel(ctx, "check")
	if err != nil {
		return nil, err
	}
	first, err := cuda.AllocPooled[uint64](ws.pool, 1)
	if err != nil {
		return nil, err
	}
	defer first.Close()
	if err := first.Fill(math.MaxUint64, ws.stream); err != nil {
		return nil, err
	}
	grid, block := ws.flat(count)
	if err := ws.launch(f, grid, block, []any{uint64(count), buf, int64(limit), first}); err != nil {
		return nil, err
	}
	at, err := first.Download(ctx)
	if err != nil || at[0] == math.MaxUint64 {
		return buf, err
	}
	bad := make([]int64, 1)
	one, err := buf.Slice(int(at[0])*8, int(at[0])*8+8)
	if err != nil {
		return nil, err
	}
	if err := one.CopyTo(ctx, bytesOf(bad)); err != nil {
		return nil, err
	}
	return nil, failure(ErrIndex, "%s: index %d (element %d of the indices) is out of range for %d elements", op, bad[0], at[0], limit)
}

// Put writes values to the elements of a with the given numbers in row-major order, in place: values has the shape of index or
// broadcasts to it. Of values for one element the last is written. A number outside of a is an error that wraps ErrIndex and
// names it; then nothing was written. Put waits for the indices.
func Put[T Element, I int32 | int64](ctx context.Context, a *Array[T], index *Array[I], values any) error {
	if a.err != nil {
		return a.err
	}
	ix, err := a.ws.operand("put", expr.Int64, AsType[int64](index))
	if err != nil {
		return err
	}
	v, err := a.ws.operand("put", a.n.typ, values)
	if err != nil {
		return err
	}
	if err := ix.fits("put", v.shape); err != nil {
		return err
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	return a.n.put(ctx, ix, v)
}

func (n *node) put(ctx context.Context, index, v *node) error {
	if err := n.eval(ctx); err != nil {
		return err
	}
	if n.lay.repeats(n.shape) {
		return failure(ErrOverlap, "put: elements of the array of shape %s and strides %v share memory; copy it", tuple(n.shape), n.lay.strides)
	}
	ws, count, limit := n.ws, size(index.shape), size(n.shape)
	ix, err := index.checked(ctx, "put", limit)
	if err != nil || count == 0 {
		return err
	}
	if err := v.eval(ctx); err != nil {
		return err
	}
	// The values are copied: they may be part of what is written.
	values := ws.compute("copy", v.typ, index.shape, v)
	if err := values.eval(ctx); err != nil {
		return err
	}
	if err := n.st.settle(ws); err != nil {
		return err
	}
	dst, err := n.rowMajor(ctx)
	if err != nil {
		return err
	}
	owner, err := cuda.AllocPooled[uint64](ws.pool, limit)
	if err != nil {
		return err
	}
	defer owner.Close()
	if err := owner.Fill(0, ws.stream); err != nil {
		return err
	}
	own, err := ws.gatherKernel(ctx, "own")
	if err != nil {
		return err
	}
	put, err := ws.gatherKernel(ctx, fmt.Sprintf("put%d", n.typ.Size()))
	if err != nil {
		return err
	}
	buf, err := dst.st.at(dst.typ, dst.lay.off)
	if err != nil {
		return err
	}
	grid, block := ws.flat(count)
	if err := ws.launch(own, grid, block, []any{uint64(count), ix, int64(limit), owner}); err != nil {
		return err
	}
	if err := ws.launch(put, grid, block, []any{uint64(count), buf, ix, int64(limit), owner, values.st.buf}); err != nil {
		return err
	}
	if dst == n {
		return nil
	}
	return dst.copyTo(ctx, &target{n.st, n.lay}) // n is a view that is not contiguous
}
