package proc

import (
	"context"
	"fmt"
	"iter"
	"maps"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
)

// Operations of managers.
const (
	opDictGet = iota
	opDictSet
	opDictDelete
	opDictLen
	opDictAll
	opDictUpdate
	opListAppend
	opListGet
	opListSet
	opListAll
	opListLen
	opListReverse
	opListUpdate
	opQueuePut
	opQueueGet
	opQueueLen
	opQueueClose
	opLock
	opUnlock
)

// Dict is a dictionary in a manager. Dictionaries of one name are the same. Each call is atomic; two calls are not
// together: use Update to change what is there. K must have one encoding for equal keys, so no maps and interfaces.
type Dict[K comparable, V any] struct {
	Manager Manager
	Name    string
}

// Set stores a value under a key.
func (d Dict[K, V]) Set(ctx context.Context, key K, value V) error {
	k, err := encoded(key)
	if err != nil {
		return err
	}
	v, err := encoded(value)
	if err != nil {
		return err
	}
	_, err = d.Manager.do(ctx, opDictSet, d.Name, k, v)
	return err
}

// Get returns the value of a key, or ErrNoKey.
func (d Dict[K, V]) Get(ctx context.Context, key K) (value V, err error) {
	k, err := encoded(key)
	if err != nil {
		return value, err
	}
	r, err := d.Manager.do(ctx, opDictGet, d.Name, k)
	if err != nil {
		return value, err
	}
	return decoded[V](r.Rest())
}

// Delete removes a key, if it is there.
func (d Dict[K, V]) Delete(ctx context.Context, key K) error {
	k, err := encoded(key)
	if err != nil {
		return err
	}
	_, err = d.Manager.do(ctx, opDictDelete, d.Name, k)
	return err
}

// Len returns the number of keys.
func (d Dict[K, V]) Len(ctx context.Context) (int, error) {
	return number(d.Manager.do(ctx, opDictLen, d.Name))
}

// All returns a copy of the dictionary.
func (d Dict[K, V]) All(ctx context.Context) (map[K]V, error) {
	r, err := d.Manager.do(ctx, opDictAll, d.Name)
	if err != nil {
		return nil, err
	}
	all := map[K]V{}
	for r.Len() > 0 {
		k, v, err := pair[K, V](r)
		if err != nil {
			return nil, err
		}
		all[k] = v
	}
	return all, nil
}

func pair[K, V any](r *codec.Decoder) (k K, v V, err error) {
	b, err := r.Bytes()
	if err != nil {
		return k, v, err
	}
	if k, err = decoded[K](b); err != nil {
		return k, v, err
	}
	if b, err = r.Bytes(); err != nil {
		return k, v, err
	}
	v, err = decoded[V](b)
	return k, v, err
}

// Update replaces the value of a key, the zero value if there is none, by what f makes of it, and returns that. Nothing
// else is done to the dictionary meanwhile. f runs in the manager.
func (d Dict[K, V]) Update(ctx context.Context, key K, f Func[V, V]) (value V, err error) {
	k, err := encoded(key)
	if err != nil {
		return value, err
	}
	if err := f.check(); err != nil {
		return value, err
	}
	zero, err := encoded(value)
	if err != nil {
		return value, err
	}
	r, err := d.Manager.do(ctx, opDictUpdate, d.Name, k, []byte(f.t.name), zero)
	if err != nil {
		return value, err
	}
	return decoded[V](r.Rest())
}

// Namespace holds values of any types by name; types beyond the basic ones are to be registered with RegisterType.
type Namespace = Dict[string, any]

// List is a list in a manager. Lists of one name are the same. Each call is atomic.
type List[T any] struct {
	Manager Manager
	Name    string
}

// Append adds elements at the end.
func (l List[T]) Append(ctx context.Context, xs ...T) error {
	args := make([][]byte, len(xs))
	for i, x := range xs {
		var err error
		if args[i], err = encoded(x); err != nil {
			return err
		}
	}
	_, err := l.Manager.do(ctx, opListAppend, l.Name, args...)
	return err
}

func indexed(i int) []byte {
	var e codec.Encoder
	e.Uvarint(uint64(max(i, -1) + 1)) // 0 stands for all that is negative
	return e.Buf
}

// At returns element i, or ErrNoKey.
func (l List[T]) At(ctx context.Context, i int) (x T, err error) {
	r, err := l.Manager.do(ctx, opListGet, l.Name, indexed(i))
	if err != nil {
		return x, err
	}
	return decoded[T](r.Rest())
}

// Set changes element i, or returns ErrNoKey.
func (l List[T]) Set(ctx context.Context, i int, x T) error {
	b, err := encoded(x)
	if err != nil {
		return err
	}
	_, err = l.Manager.do(ctx, opListSet, l.Name, indexed(i), b)
	return err
}

// Update replaces element i by what f makes of it and returns that. Nothing else is done to the list meanwhile.
func (l List[T]) Update(ctx context.Context, i int, f Func[T, T]) (x T, err error) {
	if err := f.check(); err != nil {
		return x, err
	}
	r, err := l.Manager.do(ctx, opListUpdate, l.Name, indexed(i), []byte(f.t.name))
	if err != nil {
		return x, err
	}
	return decoded[T](r.Rest())
}

// Len returns the number of elements.
func (l List[T]) Len(ctx context.Context) (int, error) {
	return number(l.Manager.do(ctx, opListLen, l.Name))
}

// Reverse turns the list round.
func (l List[T]) Reverse(ctx context.Context) error {
	_, err := l.Manager.do(ctx, opListReverse, l.Name)
	return err
}

// All returns a copy of the list.
func (l List[T]) All(ctx context.Context) ([]T, error) {
	r, err := l.Manager.do(ctx, opListAll, l.Name)
	if err != nil {
		return nil, err
	}
	xs := []T{}
	for r.Len() > 0 {
		b, err := r.Bytes()
		if err != nil {
			return nil, err
		}
		x, err := decoded[T](b)
		if err != nil {
			return nil, err
		}
		xs = append(xs, x)
	}
	return xs, nil
}

// ManagedQueue is a queue in a manager, of any length. Queues of one name are the same.
type ManagedQueue[T any] struct {
	Manager Manager
	Name    string
}

// Put adds x. It returns ErrClosed if the queue is closed.
func (q ManagedQueue[T]) Put(ctx context.Context, x T) error {
	b, err := encoded(x)
	if err != nil {
		return err
	}
	_, err = q.Manager.do(ctx, opQueuePut, q.Name, b)
	return err
}

// Get removes the next element, waiting for one. It returns ErrClosed when the queue is closed and empty.
func (q ManagedQueue[T]) Get(ctx context.Context) (x T, err error) {
	r, err := q.Manager.do(ctx, opQueueGet, q.Name)
	if err != nil {
		return x, err
	}
	return decoded[T](r.Rest())
}

// All yields elements until the queue is closed and empty, or ctx ends.
func (q ManagedQueue[T]) All(ctx context.Context) iter.Seq[T] {
	return func(yield func(T) bool) {
		for {
			x, err := q.Get(ctx)
			if err != nil || !yield(x) {
				return
			}
		}
	}
}

// Len returns how many elements are in the queue.
func (q ManagedQueue[T]) Len(ctx context.Context) (int, error) {
	return number(q.Manager.do(ctx, opQueueLen, q.Name))
}

// Close lets no further element in.
func (q ManagedQueue[T]) Close(ctx context.Context) error {
	_, err := q.Manager.do(ctx, opQueueClose, q.Name)
	return err
}

// Lock is a lock in a manager. Locks of one name are the same. It is held by a process; when its connection ends, it is
// released.
type Lock struct {
	Manager Manager
	Name    string
}

// Lock waits for the lock.
func (l Lock) Lock(ctx context.Context) error {
	_, err := l.Manager.do(ctx, opLock, l.Name)
	return err
}

// Unlock releases the lock. It fails with par.ErrNotLocked if this process does not hold it.
func (l Lock) Unlock(ctx context.Context) error {
	_, err := l.Manager.do(ctx, opUnlock, l.Name)
	return err
}

func number(r *codec.Decoder, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	n, err := r.Uvarint()
	return int(n), err
}

// SetAll stores all entries of a map, one after another.
func (d Dict[K, V]) SetAll(ctx context.Context, entries map[K]V) error {
	for k, v := range maps.All(entries) {
		if err := d.Set(ctx, k, v); err != nil {
			return fmt.Errorf("key %v: %w", k, err)
		}
	}
	return nil
}
