package proc

import (
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
	"github.com/tandem-go/tandem/hostpar/par"
)

// function is what the registry knows of a registered function.
type function struct {
	name      string
	err       error // of the registration
	signature uint64
	// load reads n arguments of a call.
	load func(d *codec.Decoder, n int) (batch, error)
}

// batch is one call of a function with one or more arguments, in a worker.
type batch interface {
	// run goes on with the first argument that has not been begun. It returns false if the function ended the goroutine
	// with runtime.Goexit; then it is to be called again, on another one.
	run(ctx context.Context, begin func(item int))
	finished() bool
	// store appends the failures and the results.
	store(e *codec.Encoder)
}

// Func is a function that can be called in other processes. Make it with Register.
type Func[In, Out any] struct{ t *typed[In, Out] }

type typed[In, Out any] struct {
	function
	fn  func(ctx context.Context, in In) (Out, error)
	in  codec.Codec[In]
	out codec.Codec[Out]
}

// registry holds all functions by their names.
var registry = struct {
	sync.RWMutex
	m map[string]*function
}{m: map[string]*function{}}

// Register makes a function callable in other processes under a name, which must be the only one of its kind in the
// program. Call it at package level, so that workers know the function too.
//
// A name that is taken and types that cannot be passed are reported by the first use of the Func.
func Register[In, Out any](name string, fn func(ctx context.Context, in In) (Out, error)) Func[In, Out] {
	t := &typed[In, Out]{fn: fn}
	t.name = name
	t.load = t.loadBatch
	var err error
	if t.in, err = codec.Of[In](); err != nil {
		t.err = fmt.Errorf("%w: %s: argument: %w", ErrFunc, name, err)
	} else if t.out, err = codec.Of[Out](); err != nil {
		t.err = fmt.Errorf("%w: %s: result: %w", ErrFunc, name, err)
	}
	t.signature = codec.Signature(reflect.TypeFor[func(In) Out]()) ^ codec.Signature(reflect.TypeFor[In]()) ^ 3*codec.Signature(reflect.TypeFor[Out]())
	registry.Lock()
	defer registry.Unlock()
	if self.ready.Load() {
		t.err = fmt.Errorf("%w: %s is registered after Main has begun, so workers do not know it", ErrFunc, name)
		return Func[In, Out]{t}
	}
	if other := registry.m[name]; other != nil {
		other.err = fmt.Errorf("%w: %s is registered twice", ErrFunc, name) // neither is right
		t.err = other.err
	} else {
		registry.m[name] = &t.function
	}
	return Func[In, Out]{t}
}

// Name returns the name that the function was registered with.
func (f Func[In, Out]) Name() string {
	if f.t == nil {
		return ""
	}
	return f.t.name
}

// Do calls the function in this process.
func (f Func[In, Out]) Do(ctx context.Context, in In) (Out, error) {
	if f.t == nil {
		var zero Out
		return zero, ErrFunc
	}
	return f.t.fn(ctx, in)
}

func (f Func[In, Out]) check() error {
	if f.t == nil {
		return fmt.Errorf("%w: it was not registered", ErrFunc)
	}
	return f.t.err
}

// lookup finds a function in a worker.
func lookup(name []byte) (*function, error) {
	registry.RLock()
	defer registry.RUnlock()
	f := registry.m[string(name)]
	if f == nil {
		return nil, fmt.Errorf("%w: %s is not registered in the worker", ErrFunc, name)
	}
	return f, f.err
}

// fingerprint is a hash of all names and types, equal in processes that understand each other.
func fingerprint() uint64 {
	registry.RLock()
	defer registry.RUnlock()
	h := fnv.New64a()
	for _, name := range slices.Sorted(maps.Keys(registry.m)) {
		_, _ = fmt.Fprintf(h, "%s %x;", name, registry.m[name].signature) // a hash cannot fail
	}
	return h.Sum64()
}

// arguments is a typed batch.
type arguments[In, Out any] struct {
	*typed[In, Out]
	ins  []In
	outs []Out
	next int
	fail map[int]error
}

func (t *typed[In, Out]) loadBatch(d *codec.Decoder, n int) (batch, error) {
	if least := t.in.Least(); least > 0 && n > d.Len()/least || n < 0 || n > 1<<31 {
		return nil, codec.ErrCorrupt
	}
	b := &arguments[In, Out]{typed: t, ins: make([]In, n), outs: make([]Out, n)}
	if err := t.in.DecodeAll(d, b.ins); err != nil {
		return nil, fmt.Errorf("argument of %s: %w", t.name, err)
	}
	return b, nil
}

func (b *arguments[In, Out]) finished() bool { return b.next == len(b.ins) }

func (b *arguments[In, Out]) run(ctx context.Context, begin func(item int)) {
	for b.next < len(b.ins) {
		i := b.next
		begin(i)
		b.next++
		var err error
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		} else {
			err = b.call(ctx, i)
		}
		if err != nil {
			b.failed(i, err)
		}
	}
}

func (b *arguments[In, Out]) call(ctx context.Context, i int) error {
	return par.Catch(func() (err error) {
		b.outs[i], err = b.fn(ctx, b.ins[i])
		return err
	}, func(exit *par.PanicError) { b.failed(i, exit) })
}

func (b *arguments[In, Out]) failed(i int, err error) {
	if b.fail == nil {
		b.fail = map[int]error{}
	}
	b.fail[i] = err
}

// store writes the number of failures, each with its index, and then the results of the others. Results that are copied
// as they are have a place for all.
func (b *arguments[In, Out]) store(e *codec.Encoder) {
	var good codec.Encoder
	if b.out.Flat() {
		_ = b.out.EncodeAll(&good, b.outs) // copying cannot fail
	} else {
		for i := range b.outs {
			if b.fail[i] != nil {
				continue
			}
			had, files := len(good.Buf), len(good.Files)
			if err := b.out.Encode(&good, &b.outs[i]); err != nil {
				good.Buf, good.Files = good.Buf[:had], good.Files[:files]
				b.failed(i, fmt.Errorf("result of %s: %w", b.name, err))
			}
		}
	}
	e.Uvarint(uint64(len(b.fail)))
	for i, err := range b.fail {
		e.Uvarint(uint64(i))
		encodeError(e, err)
	}
	e.Buf = append(e.Buf, good.Buf...)
	e.Files = good.Files
	e.Sent = append(e.Sent, good.Sent...)
}

// decodeResults reads what store wrote: failures are passed to fail, results lie in outs.
func (t *typed[In, Out]) decodeResults(d *codec.Decoder, outs []Out, fail func(i int, err error)) error {
	n, err := d.Uvarint()
	if err != nil {
		return err
	}
	var failed map[int]bool
	for range n {
		i, err := d.Uvarint()
		if err != nil {
			return err
		}
		if i >= uint64(len(outs)) || failed[int(i)] {
			return codec.ErrCorrupt
		}
		if failed == nil {
			failed = map[int]bool{}
		}
		failed[int(i)] = true
		fail(int(i), decodeError(d, t.name))
	}
	if t.out.Flat() {
		return t.out.DecodeAll(d, outs)
	}
	for i := range outs {
		if !failed[i] {
			if err := t.out.Decode(d, &outs[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
