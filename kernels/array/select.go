package array

import (
	"context"
	"fmt"
	"slices"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/expr"
	"github.com/tandem-go/tandem/kernels/scan"
)

// selectRun is how many elements of a mask a warp does; RUN in gather.cu.
const selectRun = 4096

// Compress is the elements of a where mask is true, in row-major order, as an array of one dimension: NumPy's a[mask]. The mask
// has the shape of a. How many elements there are depends on the mask, so it is computed, and waited for. For rows, or the elements
// along any other axis, give FlatNonzero of a mask of that length to Take.
func Compress[T Element](ctx context.Context, a *Array[T], mask *Array[bool]) *Array[T] {
	if a.err != nil {
		return a
	}
	m, err := a.ws.operand("compress", expr.Bool, mask)
	if err == nil && !slices.Equal(m.shape, a.n.shape) {
		err = failure(ErrShape, "compress: the array has shape %s, the mask %s", tuple(a.n.shape), tuple(m.shape))
	}
	if err != nil {
		return wrap[T](a.ws, nil, err)
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	n, err := m.selected(ctx, a.n.typ, a.n)
	return wrap[T](a.ws, n, err)
}

// FlatNonzero is the numbers of the elements that are not 0, in row-major order, ascending: NumPy's flatnonzero. It computes a, and
// waits, since its result has as many elements as there are.
func FlatNonzero[T Element](ctx context.Context, a *Array[T]) *Array[int64] {
	mask := AsType[bool](a)
	if mask.err != nil {
		return wrap[int64](a.ws, nil, mask.err)
	}
	a.ws.mu.Lock()
	defer a.ws.mu.Unlock()
	n, err := mask.n.selected(ctx, expr.Int64, nil)
	return wrap[int64](a.ws, n, err)
}

// selected is the elements of from, or without it their numbers, for which the mask n is true.
func (n *node) selected(ctx context.Context, t expr.Type, from *node) (*node, error) {
	ws, total := n.ws, size(n.shape)
	if err := ws.usable(); err != nil {
		return nil, err
	}
	none := ws.stored(t, []int{0}, &storage{}, contiguous([]int{0}))
	if total == 0 {
		return none, nil
	}
	mask, err := n.memory(ctx)
	if err != nil {
		return nil, err
	}
	kernel, args := "positions", []any{uint64(total), mask}
	if from != nil {
		src, err := from.memory(ctx)
		if err != nil {
			return nil, err
		}
		kernel, args = fmt.Sprintf("select%d", t.Size()), append(args, src)
	}
	starts, found, err := ws.starts(ctx, mask, total)
	if err != nil {
		return nil, err
	}
	defer starts.Close()
	if found == 0 {
		return none, nil
	}
	f, err := ws.gatherKernel(ctx, kernel)
	if err != nil {
		return nil, err
	}
	st, err := ws.alloc(t, found)
	if err != nil {
		return nil, err
	}
	if err := ws.launch(f, selectGrid(total), cuda.D1(256), append(args, starts, st.buf)); err != nil {
		return nil, err
	}
	return ws.stored(t, []int{found}, st, contiguous([]int{found})), nil
}

// memory computes n and is its elements in row-major order.
func (n *node) memory(ctx context.Context) (*cuda.Buffer[uint8], error) {
	r, err := n.rowMajor(ctx)
	if err != nil {
		return nil, err
	}
	return r.st.at(r.typ, r.lay.off)
}

// selectGrid is the blocks of 8 warps for the runs of a mask, and one warp more.
func selectGrid(n int) cuda.Dim3 { return cuda.Blocks((n+selectRun-1)/selectRun+1, 8) }

// starts counts the true elements before each run of a mask of n elements, and all; it waits for that. The caller closes the
// buffer.
func (ws *Workspace) starts(ctx context.Context, mask *cuda.Buffer[uint8], n int) (*cuda.Buffer[int64], int, error) {
	runs := (n + selectRun - 1) / selectRun
	f, err := ws.gatherKernel(ctx, "count")
	if err != nil {
		return nil, 0, err
	}
	counts, err := cuda.AllocPooled[int64](ws.pool, runs+1)
	if err != nil {
		return nil, 0, err
	}
	all, err := func() (int, error) {
		if err := ws.launch(f, selectGrid(n), cuda.D1(256), []any{uint64(n), mask, counts}); err != nil {
			return 0, err
		}
		if err := scan.Exclusive(ctx, ws.scanner(), scan.Add, 0, counts, counts, ws.stream); err != nil {
			return 0, err
		}
		last, err := counts.Slice(runs, runs+1)
		if err != nil {
			return 0, err
		}
		sum, err := last.Download(ctx)
		if err != nil {
			return 0, err
		}
		return int(sum[0]), nil
	}()
	if err != nil {
		counts.Close()
		return nil, 0, err
	}
	return counts, all, nil
}
