package shm

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"reflect"
	"runtime"
	"sync/atomic"

	"github.com/tandem-go/tandem/hostpar/internal/codec"
)

var (
	// ErrNoSpace reports an arena that has no room left.
	ErrNoSpace = errors.New("shm: arena is full")
	// ErrRef reports a reference to nothing: it was not made in this arena, or its object was released.
	ErrRef = errors.New("shm: reference to nothing")
)

// Places in an arena. A block is a header and a payload of 16, 32, 64 … bytes; free blocks of a size are a list.
const (
	arenaLock   = 0
	arenaNext   = line      // where what was never used begins
	arenaFree   = 2 * line  // the first free block of each size
	arenaData   = 16 * line // blocks
	blockSizes  = 40
	blockHeader = 16 // the size's number plus one, 0 for a free block; references; the next free block
	leastBlock  = 16
)

// Arena holds objects of different types and sizes in one piece of shared memory: Put places them, a Ref finds them, from
// any process that has the arena, and they go when nobody counts on them. Make it with NewArena, and pass it to other
// processes; its memory goes with the last process that has it.
//
// A process that is killed at any moment leaves the arena whole; a block that it was taking or giving back may be lost.
type Arena struct {
	s *Segment
	l lock
}

// NewArena makes an empty arena of about the given size in bytes.
func NewArena(size int) (*Arena, error) {
	if size < leastBlock || size > 1<<46 {
		return nil, fmt.Errorf("shm: arena of %d bytes", size)
	}
	s, err := NewSegment(arenaData + size)
	if err != nil {
		return nil, err
	}
	return ArenaIn(s)
}

// ArenaIn returns the arena that fills a segment, for Named ones.
func ArenaIn(s *Segment) (*Arena, error) {
	if s.Len() < arenaData+blockHeader+leastBlock {
		return nil, fmt.Errorf("%w: %d bytes are no arena", ErrType, s.Len())
	}
	return &Arena{s, s.lock(arenaLock)}, nil
}

// Ref refers to an object of type T in an arena. It is a number: it may be kept in shared memory itself, also inside
// objects. The zero value refers to nothing.
type Ref[T any] struct{ at uint64 }

// Put places a copy of x in the arena, with one reference counted. T must not hold pointers.
func Put[T any](ctx context.Context, a *Arena, x T) (r Ref[T], err error) {
	if err := plain(reflect.TypeFor[T]()); err != nil {
		return r, err
	}
	at, err := a.take(ctx, sizeOf[T]())
	if err != nil {
		return r, err
	}
	elements[T](a.s, at, 1)[0] = x
	runtime.KeepAlive(a)
	return Ref[T]{uint64(at)}, nil
}

// In returns the object itself. It is valid as long as the arena is referred to and the object has references; who shares
// it with others uses a lock, or atomic operations.
func (r Ref[T]) In(a *Arena) (*T, error) {
	if _, err := a.block(r.at, sizeOf[T]()); err != nil {
		return nil, err
	}
	return &elements[T](a.s, int(r.at), 1)[0], nil
}

// Retain counts one more reference.
func (r Ref[T]) Retain(a *Arena) error {
	b, err := a.block(r.at, sizeOf[T]())
	if err == nil {
		b.refs.Add(1)
	}
	runtime.KeepAlive(a)
	return err
}

// Release counts one reference less, and frees the object if it was the last. What the object refers to is released by
// nobody.
func (r Ref[T]) Release(ctx context.Context, a *Arena) error {
	return a.release(ctx, r.at, sizeOf[T]())
}

// block is the header of a block.
type block struct {
	size *atomic.Uint32
	refs *atomic.Uint32
	next *atomic.Uint64
}

func (a *Arena) header(at uint64) block {
	h := int(at) - blockHeader
	return block{a.s.word32(h), a.s.word32(h + 4), a.s.word64(h + 8)}
}

// block finds the block at a place, if it is in use and large enough.
func (a *Arena) block(at uint64, size int) (b block, err error) {
	defer runtime.KeepAlive(a)
	if at < arenaData+blockHeader || at%leastBlock != 0 || at >= a.s.word64(arenaNext).Load() {
		return b, ErrRef
	}
	b = a.header(at)
	k := b.size.Load()
	if k == 0 || k > blockSizes || size > leastBlock<<(k-1) || b.refs.Load() == 0 {
		return b, ErrRef
	}
	return b, nil
}

// take returns the place of a zeroed block, with one reference.
func (a *Arena) take(ctx context.Context, size int) (at int, err error) {
	defer runtime.KeepAlive(a)
	k := bits.Len(uint(max(size, 1)-1) / leastBlock)
	if k >= blockSizes {
		return 0, ErrNoSpace
	}
	if _, err := a.l.acquire(ctx); err != nil { // who died here has changed one word or none
		return 0, err
	}
	place, err := a.cut(k)
	if err != nil {
		return 0, orUnlock(err, a.l)
	}
	clear(a.s.mem[place : place+leastBlock<<k])
	b := a.header(place)
	b.refs.Store(1)
	b.size.Store(uint32(k) + 1)
	return int(place), a.l.release()
}

// cut takes a block off its list, or off what was never used. The lock is held.
func (a *Arena) cut(k int) (at uint64, err error) {
	free := a.s.word64(arenaFree + 8*k)
	if at = free.Load(); at != 0 {
		free.Store(a.header(at).next.Load())
		return at, nil
	}
	next := a.s.word64(arenaNext)
	at = max(next.Load(), arenaData) + blockHeader
	end := at + leastBlock<<k
	if end > uint64(a.s.Len()) {
		return 0, ErrNoSpace
	}
	next.Store(end)
	return at, nil
}

func (a *Arena) release(ctx context.Context, at uint64, size int) error {
	b, err := a.block(at, size)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(a)
	for {
		n := b.refs.Load()
		if n == 0 {
			return ErrRef
		}
		if n > 1 && b.refs.CompareAndSwap(n, n-1) {
			return nil
		}
		if n > 1 {
			continue
		}
		if _, err := a.l.acquire(ctx); err != nil {
			return err
		}
		if !b.refs.CompareAndSwap(1, 0) { // somebody has retained or released it meanwhile
			if err := a.l.release(); err != nil {
				return err
			}
			continue
		}
		free := a.s.word64(arenaFree + 8*int(b.size.Load()-1))
		b.next.Store(free.Load())
		b.size.Store(0)
		free.Store(at)
		return a.l.release()
	}
}

// Used returns how many bytes of the arena were ever in use, and Len its size.
func (a *Arena) Used() int {
	defer runtime.KeepAlive(a)
	return int(max(a.s.word64(arenaNext).Load(), arenaData) - arenaData)
}

// Len returns the size in bytes.
func (a *Arena) Len() int { return a.s.Len() - arenaData }

// EncodeHandle is for package proc.
func (a *Arena) EncodeHandle(e *codec.Encoder) error { return a.s.EncodeHandle(e) }

// DecodeHandle is for package proc.
func (a *Arena) DecodeHandle(d *codec.Decoder) error {
	s, err := decodeSegment(d, arenaData+blockHeader+leastBlock)
	if err == nil {
		*a = Arena{s, s.lock(arenaLock)}
	}
	return err
}
