package array

import (
	"context"
	"slices"
	"weak"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/kernels/internal/expr"
)

// storage is device memory that arrays share.
type storage struct {
	buf     *cuda.Buffer[uint8] // nil for no elements
	readers []weak.Pointer[node]
}

// at is the memory from element off on.
func (st *storage) at(t expr.Type, off int) (*cuda.Buffer[uint8], error) {
	if off == 0 || st.buf == nil {
		return st.buf, nil
	}
	return st.buf.Slice(off*t.Size(), st.buf.Len())
}

// state says where the elements of a node come from.
type state uint8

const (
	stored  state = iota // st and lay
	konst                // con, everywhere
	index                // their number in row-major order; int64
	compute              // op of args, element by element
	view                 // lay on args[0], which is none of stored and view, and contiguous once it is stored
	call                 // do, which stores the node
)

// node is an array without its type: memory, or how to compute it. All but typ, shape and ws is guarded by ws.mu. Once a
// node is stored it stays so, and forgets how it was computed.
type node struct {
	ws    *Workspace
	typ   expr.Type
	shape []int
	state state

	st      *storage
	lay     layout
	con     any
	op      string
	args    []*node
	do      func(ctx context.Context) error
	uses    int // by how many nodes it was used
	readers []weak.Pointer[node]
}

func (ws *Workspace) stored(t expr.Type, shape []int, st *storage, l layout) *node {
	return &node{ws: ws, typ: t, shape: shape, state: stored, st: st, lay: l}
}

func (ws *Workspace) konst(t expr.Type, shape []int, v any) *node {
	return &node{ws: ws, typ: t, shape: shape, state: konst, con: v}
}

// compute makes a node of an operation on nodes that have its shape or broadcast to it.
func (ws *Workspace) compute(op string, t expr.Type, shape []int, args ...*node) *node {
	n := &node{ws: ws, typ: t, shape: shape, state: compute, op: op, args: args}
	n.register()
	return n
}

// later makes a node that do stores.
func (ws *Workspace) later(t expr.Type, shape []int, args []*node, do func(ctx context.Context, n *node) error) *node {
	n := &node{ws: ws, typ: t, shape: shape, state: call, args: args}
	n.do = func(ctx context.Context) error { return do(ctx, n) }
	n.register()
	return n
}

// register tells the arguments of n that it will read them, so that they can see to it before they are written in place.
func (n *node) register() {
	me := weak.Make(n)
	for _, a := range n.args {
		a.uses++
		if a.state == stored {
			a.st.readers = remember(a.st.readers, me)
			continue
		}
		a.readers = remember(a.readers, me)
		if a.state == view {
			a.args[0].readers = remember(a.args[0].readers, me)
		}
	}
}

// remember adds a reader, and forgets those that are done when there are many.
func remember(list []weak.Pointer[node], n weak.Pointer[node]) []weak.Pointer[node] {
	if len(list) >= 16 && len(list) == cap(list) {
		list = slices.DeleteFunc(list, func(w weak.Pointer[node]) bool {
			v := w.Value()
			return v == nil || v.state == stored
		})
	}
	return append(list, n)
}

// store makes n stored.
func (n *node) store(st *storage, l layout) {
	st.readers = append(st.readers, n.readers...)
	n.state, n.st, n.lay = stored, st, l
	n.con, n.op, n.args, n.do, n.readers = nil, "", nil, nil, nil
}

// settle gives the nodes that still have to read st, which is about to be written, a copy of the present contents. That is one
// copy however many they are, and most of them may be garbage: parts of expressions that were computed long ago.
func (st *storage) settle(ws *Workspace) error {
	waiting := slices.DeleteFunc(st.readers, func(w weak.Pointer[node]) bool {
		r := w.Value()
		return r == nil || r.state == stored
	})
	if st.readers = waiting; len(waiting) == 0 || st.buf == nil {
		return nil
	}
	buf, err := cuda.AllocPooled[uint8](ws.pool, st.buf.Len())
	if err != nil {
		return err
	}
	if err := cuda.Copy(buf, st.buf, ws.stream); err != nil {
		return err
	}
	old := &storage{buf: buf, readers: waiting}
	st.readers = nil
	for _, w := range waiting {
		if r := w.Value(); r != nil {
			for i, a := range r.args {
				r.args[i] = a.in(st, old)
			}
		}
	}
	return nil
}

// in is n, or the same elements of another storage if n is stored in st.
func (n *node) in(st, other *storage) *node {
	l := n.lay
	switch {
	case n.state == stored && n.st == st:
	case n.state == view && n.args[0].state == stored && n.args[0].st == st:
		l.off += n.args[0].lay.off
	default:
		return n
	}
	return n.ws.stored(n.typ, n.shape, other, l)
}

// layoutNow is where the elements are, or will be relative to the beginning of the storage.
func (n *node) layoutNow() layout {
	if n.state == stored || n.state == view {
		return n.lay
	}
	return contiguous(n.shape)
}

// seen is n with another shape and layout of the same elements.
func (n *node) seen(shape []int, l layout) *node {
	switch n.state {
	case stored:
		return n.ws.stored(n.typ, shape, n.st, l)
	case view:
		n = n.args[0]
		if n.state == stored {
			l.off += n.lay.off // a call may have stored it elsewhere than at the beginning
			return n.ws.stored(n.typ, shape, n.st, l)
		}
	}
	v := &node{ws: n.ws, typ: n.typ, shape: shape, state: view, lay: l, args: []*node{n}}
	n.uses++
	return v
}
