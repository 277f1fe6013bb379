package cuda

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"runtime/trace"

	"github.com/tandem-go/tandem/internal/kargs"
	"github.com/tandem-go/tandem/internal/ksig"
)

// Input, Output and Update are slices as parameters of typed kernels, with the meaning of In, Out and InOut. A []T may be
// passed where one of them is asked for.
type Input[T Element] []T

// Output is a slice that a typed kernel fills; see Out.
type Output[T Element] []T

// Update is a slice that a typed kernel changes; see InOut.
type Update[T Element] []T

// sliceArg is an Input, Output or Update.
type sliceArg interface{ arg() Arg }

func (s Input[T]) arg() Arg  { return In([]T(s)) }
func (s Output[T]) arg() Arg { return Out([]T(s)) }
func (s Update[T]) arg() Arg { return InOut([]T(s)) }

// bound is what the typed kernels of all arities share: a function whose parameters have been compared with Go types.
type bound struct {
	fn  *Function
	sig *ksig.Signature // never nil: made of the Go types where the kernel's parameters are not known
}

// Function is the kernel.
func (b *bound) Function() *Function { return b.fn }

// begin starts an invocation.
func (b *bound) begin() *invocation {
	v := newInvocation(b.fn.mod.dev.c)
	v.enc.Reset(b.sig)
	return v
}

// launch queues the kernel whose arguments are in v, unless that failed with err.
func (b *bound) launch(v *invocation, cfg *LaunchConfig, err error) error {
	if err != nil {
		return asArgumentError(b.fn.op, err)
	}
	p, err := b.fn.admit(v, cfg)
	if err != nil {
		return err
	}
	defer p.release()
	return b.fn.enqueue(v, p)
}

// run is launch, and waits as Function.Run does.
func (b *bound) run(ctx context.Context, v *invocation, cfg *LaunchConfig, err error) error {
	if err != nil {
		return asArgumentError(b.fn.op, err)
	}
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("%s: %w", b.fn.op, err)
	}
	p, err := b.fn.admit(v, cfg)
	if err != nil {
		return err
	}
	defer p.release()
	return b.fn.complete(ctx, v, p, cfg.Stream == nil)
}

// slotKind says how an argument becomes bytes.
type slotKind uint8

const (
	plainSlot   slotKind = iota // its memory is its bytes
	integerSlot                 // int or uint: whether the value fits is seen at each launch
	memorySlot                  // a device address
	sliceSlot                   // copied
	objectSlot                  // a texture or surface
)

// place is where an argument goes.
type place struct {
	kind      slotKind
	index     int
	off, size int // in the parameter block
	unsigned  bool
	elem      kargs.Elem // of memory
	form      string     // of memory, for messages
}

// slot is a place for arguments of one type.
type slot[T any] struct{ place }

// put writes an argument.
func (s *slot[T]) put(f *Function, v *invocation, x T) error {
	switch s.kind {
	case plainSlot:
		copy(v.enc.Block[s.off:s.off+s.size], memoryOf(&x))
		return nil
	case integerSlot:
		return v.enc.Int(s.index, int64(wordOf(&x)), s.unsigned)
	case memorySlot:
		a, _ := any(x).(deviceArg)
		return s.putMemory(f, v, a)
	case sliceSlot:
		a := any(x).(sliceArg).arg()
		if len(a.data) > 0 {
			v.staged = append(v.staged, staged{arg: a, index: s.index})
		}
		return nil
	}
	return s.putObject(f, v, any(x).(objectArg))
}

// putMemory writes the address of a buffer, or null for nil.
func (s *place) putMemory(f *Function, v *invocation, a deviceArg) error {
	if a == nil {
		return nil // the block is zero
	}
	if n, ok := a.(interface{ isNil() bool }); ok && n.isNil() {
		return nil
	}
	r, err := f.hold(f.op, s.index, a)
	if err != nil {
		return err
	}
	v.held = append(v.held, r)
	v.uses = append(v.uses, use{index: s.index, elem: s.elem, form: s.form, addr: uint64(r.ptr), n: r.n})
	return v.enc.Memory(s.index, kargs.Memory{Addr: uint64(r.ptr), Elem: s.elem, Form: s.form})
}

func (s *place) putObject(f *Function, v *invocation, a objectArg) error {
	if reflect.ValueOf(a).IsNil() {
		return misused(f.op, ErrInvalidValue, "parameter %d: the object is nil", s.index)
	}
	return v.bindObject(f, f.op, s.index, a)
}

// bind compares the types with the parameters of f.
func bind(ctx context.Context, f *Function, types ...reflect.Type) (bound, []place, error) {
	op := "bind " + f.name
	if !f.sourced.Load() {
		if err := f.source(ctx); err != nil {
			return bound{}, nil, fmt.Errorf("%s: %w", op, err)
		}
	}
	b := bound{fn: f, sig: f.sig.Load()}
	enc := kargs.Encoder{}
	enc.Reset(b.sig)
	if err := enc.Count(len(types)); err != nil {
		return bound{}, nil, asArgumentError(op, err)
	}
	places := make([]place, len(types))
	for i, t := range types {
		p, err := newPlace(&enc, i, t)
		if err != nil {
			return bound{}, nil, asArgumentError(op, err)
		}
		places[i] = p
	}
	if b.sig == nil {
		b.sig = layTypes(f.entry, types)
	}
	for i := range places {
		places[i].off, places[i].size = b.sig.Params[i].Offset, b.sig.Params[i].Size
	}
	return b, places, nil
}

// layTypes is the signature that a kernel has if its parameters are those types.
func layTypes(entry string, types []reflect.Type) *ksig.Signature {
	sig := &ksig.Signature{Entry: entry}
	for i, t := range types {
		p := ksig.Param{Name: fmt.Sprintf("param_%d", i), Size: 8, Align: 8}
		if k := t.Kind(); k != reflect.Pointer && k != reflect.Interface && k != reflect.Slice {
			p.Size, p.Align = int(t.Size()), t.Align()
		}
		sig.Params = append(sig.Params, p)
	}
	sig.Lay()
	return sig
}

// newPlace checks whether values of type t can be parameter i.
func newPlace(enc *kargs.Encoder, i int, t reflect.Type) (place, error) {
	p := place{index: i}
	switch {
	case t.Kind() == reflect.Interface:
		m, ok := t.MethodByName("elem") // of Memory[T]
		if !ok || m.PkgPath != reflect.TypeFor[place]().PkgPath() || m.Type.NumIn() != 1 {
			return p, enc.Refuse(i, "values of the interface type %v are not checked once for all; use a type, or cuda.Memory", t)
		}
		p.elem, _ = kargs.ElemOf(m.Type.In(0))
		p.kind, p.form = memorySlot, "cuda.Memory[%s]"
	case t.Implements(reflect.TypeFor[sliceArg]()):
		p.elem, _ = kargs.ElemOf(t.Elem())
		p.kind, p.form = sliceSlot, sliceForms[reflect.Zero(t).Interface().(sliceArg).arg().form]
	case t.Implements(reflect.TypeFor[deviceArg]()) && t.Kind() == reflect.Pointer:
		p.kind = memorySlot
		p.elem, p.form = reflect.New(t.Elem()).Interface().(deviceArg).describe()
	case t.Implements(reflect.TypeFor[objectArg]()) && t.Kind() == reflect.Pointer:
		p.kind = objectSlot
		return p, enc.Value(i, uint64(0))
	case t.Kind() == reflect.Slice:
		return p, enc.Refuse(i, "a %v is copied in, out, or both: use cuda.Input[%v], cuda.Output[%v] or cuda.Update[%v]", t, t.Elem(), t.Elem(), t.Elem())
	case t.Kind() == reflect.Int || t.Kind() == reflect.Uint:
		p.kind, p.unsigned = integerSlot, t.Kind() == reflect.Uint
		return p, enc.Value(i, reflect.Zero(t).Interface())
	default:
		return p, enc.Value(i, reflect.Zero(t).Interface())
	}
	return p, enc.Memory(i, kargs.Memory{Elem: p.elem, Form: p.form})
}

// sliceForms are the types that messages show, by the form of the argument that they become.
var sliceForms = map[string]string{
	In[uint8](nil).form: "cuda.Input[%s]", Out[uint8](nil).form: "cuda.Output[%s]", InOut[uint8](nil).form: "cuda.Update[%s]",
}

// hold acquires memory that an argument of f names.
func (f *Function) hold(op string, i int, a deviceArg) (span, error) {
	d := a.Device()
	if d == nil {
		return span{}, misused(op, ErrInvalidValue, "parameter %d: the buffer was not made by Alloc", i)
	}
	if d.c != f.mod.dev.c && !f.mod.dev.c.reaches(d.c) {
		return span{}, misused(op, ErrWrongDevice, "parameter %d: the buffer belongs to %s, the kernel to %s", i, d.c.name, f.mod.dev.c.name)
	}
	return a.use(op)
}

// enqueue queues a checked launch and leaves its slices to the stream's next wait.
func (f *Function) enqueue(v *invocation, p *prepared) error {
	if trace.IsEnabled() {
		defer trace.StartRegion(context.Background(), f.op).End()
	}
	if _, err := f.queue(v, &p.launch, p.q, false); err != nil {
		return err
	}
	p.q.owe(v.queued())
	runtime.KeepAlive(f)
	return nil
}

// complete queues a checked launch, waits for it, and fills its slices.
func (f *Function) complete(ctx context.Context, v *invocation, p *prepared, join bool) error {
	if trace.IsEnabled() {
		defer trace.StartRegion(ctx, f.op).End()
	}
	c := f.mod.dev.c
	ticket, err := f.queue(v, &p.launch, p.q, join)
	if err != nil {
		return err
	}
	due := v.queued()
	h := p.q.h
	done, err := c.await(ctx, func() error { return c.drv.Synchronize(h) }, func() error { return c.drv.Query(h) })
	if !done {
		if c.caps.StopsKernels {
			c.lose("stop "+f.name, c.drv.Cancel(ticket))
		}
		err = fmt.Errorf("%s: %w", f.op, err)
	} else {
		err = c.wrap(f.op, err)
	}
	runtime.KeepAlive(f)
	return errorsFirst(err, c.writeBack(f.op, due, err == nil))
}

// noAddress is the address of what has none.
const noAddress = math.MaxUint64
