package shm

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
)

// listHead is a list in an arena: the word of its lock, its length, and the block of its elements, whose size is the
// room.
type listHead struct{ lock, len, data uint64 }

// List is a growing array in an arena, with a lock that every call takes. Make it with NewList, and pass it to other
// processes; its memory goes with Release, or with the arena.
//
// A process that is killed at any moment leaves the list whole: an element is appended entirely or not at all. One that is
// killed in Set or Update leaves what it was changing half changed.
type List[T any] struct {
	a  *Arena
	at Ref[listHead]
	l  lock
}

// NewList makes an empty list in an arena. T must not hold pointers.
func NewList[T any](ctx context.Context, a *Arena) (*List[T], error) {
	if err := plain(reflect.TypeFor[T]()); err != nil {
		return nil, err
	}
	if sizeOf[T]() == 0 {
		return nil, fmt.Errorf("%w: %v has no size", ErrType, reflect.TypeFor[T]())
	}
	at, err := Put(ctx, a, listHead{})
	if err != nil {
		return nil, err
	}
	return &List[T]{a, at, a.s.lock(int(at.at))}, nil
}

// locked calls fn with the head and the elements that there are and might be, while it holds the lock.
func (l *List[T]) locked(ctx context.Context, fn func(h *listHead, room []T) error) error {
	if l.a == nil {
		return ErrRef
	}
	h, err := l.at.In(l.a)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(l)
	if _, err := l.l.acquire(ctx); err != nil { // who died here has changed one word of the head or none
		return err
	}
	room, err := l.room(h)
	if err == nil {
		err = fn(h, room)
	}
	return errors.Join(err, l.l.release())
}

// room returns the whole block of the elements.
func (l *List[T]) room(h *listHead) ([]T, error) {
	if h.data == 0 {
		return nil, nil
	}
	b, err := l.a.block(h.data, 0)
	if err != nil {
		return nil, err
	}
	n := (leastBlock << (b.size.Load() - 1)) / sizeOf[T]()
	if h.len > uint64(n) {
		return nil, fmt.Errorf("%w: list of %d in a block for %d", codec.ErrCorrupt, h.len, n)
	}
	return elements[T](l.a.s, int(h.data), n), nil
}

// Append adds elements at the end, all together.
func (l *List[T]) Append(ctx context.Context, xs ...T) error {
	return l.locked(ctx, func(h *listHead, room []T) error {
		n := int(h.len)
		if n+len(xs) <= len(room) {
			copy(room[n:], xs)
			h.len += uint64(len(xs)) // now they are there
			return nil
		}
		at, err := l.a.take(ctx, max(n+len(xs), 2*n)*sizeOf[T]())
		if err != nil {
			return err
		}
		grown := elements[T](l.a.s, at, n+len(xs))
		copy(grown, room[:n])
		copy(grown[n:], xs)
		old := h.data
		h.data = uint64(at) // the same elements
		h.len += uint64(len(xs))
		if old == 0 {
			return nil
		}
		return l.a.release(context.WithoutCancel(ctx), old, 0)
	})
}

// Len returns the number of elements.
func (l *List[T]) Len(ctx context.Context) (n int, err error) {
	err = l.locked(ctx, func(h *listHead, _ []T) error {
		n = int(h.len)
		return nil
	})
	return n, err
}

// At returns an element, or ErrRef if there is none of that index.
func (l *List[T]) At(ctx context.Context, i int) (x T, err error) {
	err = l.locked(ctx, func(h *listHead, room []T) error {
		if i < 0 || i >= int(h.len) {
			return fmt.Errorf("%w: index %d of a list of %d", ErrRef, i, h.len)
		}
		x = room[i]
		return nil
	})
	return x, err
}

// Set changes an element; ErrRef if there is none of that index.
func (l *List[T]) Set(ctx context.Context, i int, x T) error {
	return l.locked(ctx, func(h *listHead, room []T) error {
		if i < 0 || i >= int(h.len) {
			return fmt.Errorf("%w: index %d of a list of %d", ErrRef, i, h.len)
		}
		room[i] = x
		return nil
	})
}

// All returns a copy of the elements.
func (l *List[T]) All(ctx context.Context) (xs []T, err error) {
	err = l.locked(ctx, func(h *listHead, room []T) error {
		xs = append(xs, room[:h.len]...)
		return nil
	})
	return xs, err
}

// Update calls fn with the elements themselves while it holds the lock. fn must not keep them, nor use the list.
func (l *List[T]) Update(ctx context.Context, fn func(xs []T)) error {
	return l.locked(ctx, func(h *listHead, room []T) error {
		fn(room[:h.len:h.len])
		return nil
	})
}

// Retain counts one more user of the list.
func (l *List[T]) Retain() error { return l.at.Retain(l.a) }

// Release counts one user less. The last one frees the list, which must not be in use then.
func (l *List[T]) Release(ctx context.Context) error {
	h, err := l.at.In(l.a)
	if err != nil {
		return err
	}
	b, err := l.a.block(l.at.at, 0)
	if err != nil {
		return err
	}
	data := h.data
	last := b.refs.Load() == 1
	if err := l.at.Release(ctx, l.a); err != nil || !last || data == 0 {
		return err
	}
	return l.a.release(context.WithoutCancel(ctx), data, 0)
}

// EncodeHandle is for package proc.
func (l *List[T]) EncodeHandle(e *codec.Encoder) error {
	if l.a == nil {
		return ErrRef
	}
	e.Uvarint(l.at.at)
	return l.a.EncodeHandle(e)
}

// DecodeHandle is for package proc.
func (l *List[T]) DecodeHandle(d *codec.Decoder) error {
	at, err := d.Uvarint()
	if err != nil {
		return err
	}
	a := new(Arena)
	if err := a.DecodeHandle(d); err != nil {
		return err
	}
	if _, err := a.block(at, sizeOf[listHead]()); err != nil {
		return err
	}
	*l = List[T]{a, Ref[listHead]{at}, a.s.lock(int(at))}
	return nil
}
