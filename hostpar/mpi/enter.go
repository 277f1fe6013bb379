package mpi

import (
	"context"
	"fmt"

	"github.com/tandem-go/tandem/internal/dl"
)

// counted is a count and a type as the library's functions take them.
type counted struct{ count, typ uintptr }

// typed describes n elements. More than a C int counts become one element of a derived type. Lengths that do not fit are an
// error here, while MPICH ends the process on some.
func (e *engine) typed(o *op, of elem, n int) (counted, error) {
	base := e.lib.types[of]
	if n <= e.limit {
		return counted{word(n), base}, nil
	}
	if n/e.limit > e.limit {
		return counted{}, fmt.Errorf("%w: %d elements are too many", ErrCount, n)
	}
	var chunk, whole uintptr
	chunks, rest := n/e.limit, n%e.limit
	lengths := []int32{int32(chunks), int32(rest)}
	displs := []uintptr{0, uintptr(n-rest) * uintptr(of.size())}
	for _, step := range []func() uintptr{
		func() uintptr {
			return dl.NewFrame().Int(word(e.limit)).Int(base).Word(&chunk).Call(e.lib.fn[fnContiguous])
		},
		func() uintptr {
			return dl.NewFrame().Int(2).Ints(lengths).Words(displs).Bytes(e.lib.handles(chunk, base)).Word(&whole).Call(e.lib.fn[fnStruct])
		},
		func() uintptr { return dl.NewFrame().Word(&whole).Call(e.lib.fn[fnCommit]) },
		func() uintptr { return dl.NewFrame().Word(&chunk).Call(e.lib.fn[fnTypeFree]) },
	} {
		if err := e.lib.failure(step()); err != nil {
			return counted{}, fmt.Errorf("describe %d elements: %w", n, err)
		}
	}
	for i := range o.lib.derived {
		if o.lib.derived[i] == 0 {
			o.lib.derived[i] = whole
			break
		}
	}
	return counted{1, whole}, nil
}

// freeTypes marks derived types for freeing, which the library does when their operations have ended.
func (e *engine) freeTypes(o *op) {
	for i := range o.lib.derived {
		if o.lib.derived[i] != 0 {
			dl.NewFrame().Word(&o.lib.derived[i]).Call(e.lib.fn[fnTypeFree])
			o.lib.derived[i] = 0
		}
	}
}

// begin adds the call that begins a send or a receive. Messages between two ranks are bytes to the library.
func (e *engine) begin(o *op) error {
	l := &o.lib
	fn, buf, peer, tag := fnIsend, o.send, word(o.peer), word(o.tag)
	if o.kind == opRecv {
		fn, buf, peer, tag = fnIrecv, o.recv, e.source(o), e.tag(o)
	}
	n := counted{1, e.roomType}
	if l.bounced {
		if l.room == nil {
			l.room = make([]byte, roomBytes+2*roomGap)
		}
		buf = l.room
	} else {
		var err error
		if n, err = e.typed(o, elemByte, len(buf)); err != nil {
			return err
		}
	}
	*e.calls.Add() = dl.Step{Fn: e.lib.fn[fn], Args: [11]uintptr{address(buf), n.count, n.typ, peer, tag, o.where.handle, cell(&l.request)}}
	return nil
}

// A library that overruns buffers does so where it lets the two processes move a long message by themselves, from and to
// memory without gaps. It packs and unpacks what has gaps, and then counts. So short receives, of up to roomBytes, are made
// into room of our own that is described with a gap, and copied from there; what goes behind the gap makes a message too
// long. The other way, to ask for the length first, takes half as long again.
const (
	roomBytes = 1024
	roomGap   = 8 // bytes of the gap, and of what is behind it
)

// makeRoom describes the room of short receives to the library.
func (e *engine) makeRoom() error {
	bytes := e.lib.types[elemByte]
	lengths, displs := []int32{roomBytes, roomGap}, []uintptr{0, roomBytes + roomGap}
	rc := dl.NewFrame().Int(2).Ints(lengths).Words(displs).Bytes(e.lib.handles(bytes, bytes)).Word(&e.roomType).Call(e.lib.fn[fnStruct])
	if err := e.lib.failure(rc); err != nil {
		return err
	}
	return e.lib.failure(dl.NewFrame().Word(&e.roomType).Call(e.lib.fn[fnCommit]))
}

// enter makes the call that begins a collective operation.
func (e *engine) enter(o *op) error {
	defer e.freeTypes(o)
	request := cell(&o.lib.request)
	comm := o.where.handle
	if o.kind == opBarrier {
		return e.lib.failure(e.call(o, fnIbarrier, comm, request))
	}
	words, err := e.arguments(o)
	if err != nil {
		return err
	}
	return e.lib.failure(e.call(o, forms[o.kind].begin, append(words, request)...))
}

// forms are the two functions of each collective operation.
var forms = map[kind]struct{ begin, block function }{
	opBcast:     {fnIbcast, fnBcast},
	opScatter:   {fnIscatter, fnScatter},
	opGather:    {fnIgather, fnGather},
	opAllgather: {fnIallgather, fnAllgather},
	opAlltoall:  {fnIalltoall, fnAlltoall},
	opReduce:    {fnIreduce, fnReduce},
	opAllreduce: {fnIallreduce, fnAllreduce},
	opScan:      {fnIscan, fnScan},
}

// arguments are those of the blocking form; the other one has a request behind them.
func (e *engine) arguments(o *op) ([]uintptr, error) {
	send, recv, root, comm := address(o.send), address(o.recv), word(o.root), o.where.handle
	each := len(o.send) // bytes of one rank
	switch o.kind {
	case opReduce, opAllreduce, opScan:
		return e.reduction(o), nil
	case opBcast, opScatter:
		each = len(o.recv)
	case opAlltoall:
		each /= o.parts
	}
	n, err := e.typed(o, o.elem, each/o.elem.size())
	if err != nil {
		return nil, err
	}
	switch o.kind {
	case opBcast:
		return []uintptr{recv, n.count, n.typ, root, comm}, nil
	case opScatter, opGather:
		return []uintptr{send, n.count, n.typ, recv, n.count, n.typ, root, comm}, nil
	default:
		return []uintptr{send, n.count, n.typ, recv, n.count, n.typ, comm}, nil
	}
}

func (e *engine) reduction(o *op) []uintptr {
	send, recv := address(o.send), address(o.recv)
	if same(o.send, o.recv) {
		send = e.lib.inPlace
	}
	args := []uintptr{send, recv, word(len(o.send) / o.elem.size()), e.lib.types[o.elem], e.lib.operators[o.operator]}
	if o.kind == opReduce {
		args = append(args, word(o.root))
	}
	return append(args, o.where.handle)
}

// perform runs a collective operation of the library. Much data goes through the blocking form: what begins at once and
// ends in the background is moved in a simpler and slower way by the libraries. Where the library allows one thread only,
// a call that blocks could keep this rank from what others wait for, and everything takes the other form.
func (e *engine) perform(ctx context.Context, o *op) error {
	bytes := len(o.send)
	if o.kind == opBcast || o.kind == opScatter {
		bytes = len(o.recv) // the other buffer is the root's, and all ranks must decide alike
	}
	if bytes < e.bulk && bytes/o.elem.size() <= e.limit {
		return run(ctx, e, o)
	}
	o.note()
	what := fmt.Sprintf("%s of %d bytes of %v, root %d, operator %v", functionNames[forms[o.kind].block], bytes, o.elem, o.root, o.operator)
	err := e.blocking(ctx, o.where, what, func() error { return e.pieces(o, e.block) })
	if err != nil {
		return err
	}
	return o.outcome()
}

// pieces calls fn for the operation, or for its parts: operators do not take derived types, so that long reductions are
// cut.
func (e *engine) pieces(o *op, fn func(*op) error) error {
	pieces := []*op{o}
	switch o.kind {
	case opReduce, opAllreduce, opScan:
		pieces = cutReduction(o, e.limit)
	}
	for _, p := range pieces {
		if err := fn(p); err != nil {
			return err
		}
	}
	return nil
}

// block makes the blocking call.
func (e *engine) block(o *op) error {
	defer e.freeTypes(o)
	hold(&o.lib.pins, o.send)
	hold(&o.lib.pins, o.recv)
	defer o.lib.pins.Unpin()
	words, err := e.arguments(o)
	if err != nil {
		return err
	}
	return e.lib.failure(e.call(o, forms[o.kind].block, words...))
}

func cutReduction(o *op, limit int) []*op {
	var pieces []*op
	for step, at := limit*o.elem.size(), 0; at < len(o.send); at += step {
		p := newOp(o.kind, o.where)
		p.elem, p.operator, p.root = o.elem, o.operator, o.root
		end := min(at+step, len(o.send))
		p.send = o.send[at:end]
		if o.recv != nil {
			p.recv = o.recv[at:end]
		}
		pieces = append(pieces, p)
	}
	return pieces
}
