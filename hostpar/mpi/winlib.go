package mpi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/tandem-go/tandem/internal/dl"
)

// libraryWindow is a window of an MPI library, which is always open to all (MPI 4.0, section 12.5.3, lock_all). Its
// memory begins with two words that are 1 while somebody has them: userLock and ownLock.
type libraryWindow struct {
	e    *engine
	c    *space
	win  uintptr
	data []byte
	rank int
	mu   sync.Mutex
	held map[int]bool // guarded by mu: the ranks whose memory this rank has locked
}

// The room before the data, and the displacements of the locks in it: that of Lock, and that of atomic accesses where
// the library cannot compare and swap.
const (
	windowHead = 64
	userLock   = 0
	ownLock    = 8
)

func (e *engine) expose(ctx context.Context, c *Comm, bytes int) (exposed, error) {
	w := &libraryWindow{e: e, c: &c.user, rank: c.rank, held: map[int]bool{}}
	whole := (windowHead + bytes + 63) &^ 63 // what follows may be another rank's
	err := e.blocking(ctx, &c.user, "NewWindow", func() error {
		var base uintptr
		rc := dl.NewFrame().Int(uintptr(whole)).Int(1).Int(e.lib.noInfo).Int(c.user.handle).Word(&base).Word(&w.win).Call(e.lib.fn[fnWinAllocate])
		if err := e.lib.failure(rc); err != nil {
			return fmt.Errorf("a window of %d bytes: %w", bytes, err)
		}
		memory := foreign(base, whole)
		clear(memory)
		w.data = memory[windowHead:][:bytes:bytes]
		if err := w.call(fnWinErrors, w.win, e.lib.errors); err != nil {
			return err
		}
		return w.call(fnWinLockAll, 0, w.win)
	})
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	e.windows = append(e.windows, w)
	e.mu.Unlock()
	return w, nil
}

// call calls a function without pointers.
func (w *libraryWindow) call(f function, words ...uintptr) error {
	frame := dl.NewFrame()
	for _, x := range words {
		frame.Int(x)
	}
	return w.e.lib.failure(frame.Call(w.e.lib.fn[f]))
}

func (w *libraryWindow) memory() []byte { return w.data }

// on makes calls that access the memory of a rank and waits until they have taken place there. The buffers are pinned
// until then.
func (w *libraryWindow) on(rank int, calls func() error, buffers ...[]byte) error {
	var pins runtime.Pinner
	for _, b := range buffers {
		hold(&pins, b)
	}
	defer pins.Unpin()
	return w.e.inside(func() error {
		if err := calls(); err != nil {
			return err
		}
		return w.call(fnWinFlush, word(rank), w.win)
	})
}

// pieces calls fn for parts of a buffer that a C int counts.
func (w *libraryWindow) pieces(at int, b []byte, e elem, fn func(at int, part []byte) error) error {
	for step := w.e.limit * e.size(); len(b) > 0; {
		n := min(step, len(b))
		if err := fn(at, b[:n]); err != nil {
			return err
		}
		at, b = at+n, b[n:]
	}
	return nil
}

func (w *libraryWindow) put(ctx context.Context, rank, at int, src []byte) error {
	return w.transfer(ctx, fnPut, rank, at, src)
}

func (w *libraryWindow) get(ctx context.Context, rank, at int, dst []byte) error {
	return w.transfer(ctx, fnGet, rank, at, dst)
}

func (w *libraryWindow) transfer(ctx context.Context, f function, rank, at int, b []byte) error {
	typ := w.e.lib.types[elemByte]
	return w.on(rank, func() error {
		return w.pieces(at, b, elemByte, func(at int, part []byte) error {
			n := word(len(part))
			return w.call(f, address(part), n, typ, word(rank), uintptr(windowHead+at), n, typ, w.win)
		})
	}, b)
}

func (w *libraryWindow) accumulate(ctx context.Context, rank, at int, src []byte, a action) error {
	typ := w.e.lib.types[a.elem]
	return w.atomic(ctx, rank, func() error {
		return w.on(rank, func() error {
			return w.pieces(at, src, a.elem, func(at int, part []byte) error {
				n := word(len(part) / a.elem.size())
				return w.call(fnAccumulate, address(part), n, typ, word(rank), uintptr(windowHead+at), n, typ, w.e.lib.operators[a.op], w.win)
			})
		}, src)
	})
}

func (w *libraryWindow) fetch(ctx context.Context, rank, at int, v, old []byte, a action) error {
	return w.atomic(ctx, rank, func() error { return w.fetchAt(ctx, rank, windowHead+at, v, old, a) })
}

func (w *libraryWindow) fetchAt(ctx context.Context, rank, displacement int, v, old []byte, a action) error {
	return w.on(rank, func() error {
		return w.call(fnFetch, address(v), address(old), w.e.lib.types[a.elem], word(rank), uintptr(displacement), w.e.lib.operators[a.op], w.win)
	}, v, old)
}

func (w *libraryWindow) compareAndSwap(ctx context.Context, rank, at int, expected, v, old []byte, e elem) error {
	if !w.e.lib.swapFails {
		return w.on(rank, func() error {
			return w.call(fnCompareSwap, address(v), address(expected), address(old), w.e.lib.types[e], word(rank), uintptr(windowHead+at), w.win)
		}, v, expected, old)
	}
	return w.atomic(ctx, rank, func() error {
		if err := w.get(ctx, rank, at, old); err != nil || !bytes.Equal(old, expected) {
			return err
		}
		return w.put(ctx, rank, at, v)
	})
}

// atomic runs an atomic access. Where the library cannot compare and swap, all atomic accesses to the memory of a rank
// exclude each other.
func (w *libraryWindow) atomic(ctx context.Context, rank int, access func() error) error {
	if !w.e.lib.swapFails {
		return access()
	}
	if err := w.grab(ctx, rank, ownLock); err != nil {
		return err
	}
	return errors.Join(access(), w.drop(context.WithoutCancel(ctx), rank, ownLock))
}

// grab waits until a lock is 0 and makes it 1.
func (w *libraryWindow) grab(ctx context.Context, rank, displacement int) error {
	old := make([]int64, 1)
	for idle := 0; ; idle++ {
		if err := w.fetchAt(ctx, rank, displacement, bytesOf([]int64{1}), bytesOf(old), action{op: BitOr, elem: elemI64}); err != nil {
			return err
		}
		if old[0] == 0 {
			return nil
		}
		if idle%16 == 15 {
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-w.e.ending:
				return ErrFinalized
			default:
			}
		}
		rest(idle)
	}
}

func (w *libraryWindow) drop(ctx context.Context, rank, displacement int) error {
	return w.fetchAt(ctx, rank, displacement, bytesOf([]int64{0}), bytesOf(make([]int64, 1)), action{op: Replace, elem: elemI64})
}

func (w *libraryWindow) sync(ctx context.Context) error {
	return w.e.inside(func() error { return w.call(fnWinSync, w.win) })
}

func (w *libraryWindow) lock(ctx context.Context, rank int) error {
	if err := w.grab(ctx, rank, userLock); err != nil {
		return err
	}
	w.mu.Lock()
	w.held[rank] = true
	w.mu.Unlock()
	return w.sync(ctx)
}

func (w *libraryWindow) unlock(ctx context.Context, rank int) error {
	w.mu.Lock()
	held := w.held[rank]
	delete(w.held, rank)
	w.mu.Unlock()
	if !held {
		return ErrNotLocked
	}
	if err := w.sync(ctx); err != nil {
		return err
	}
	return w.drop(ctx, rank, userLock)
}

func (w *libraryWindow) free(ctx context.Context) error {
	w.e.mu.Lock()
	w.e.windows = slices.DeleteFunc(w.e.windows, func(x *libraryWindow) bool { return x == w })
	w.e.mu.Unlock()
	return w.e.blocking(ctx, w.c, "Window.Close", w.release)
}

func (w *libraryWindow) release() error {
	if err := w.call(fnWinUnlockAll, w.win); err != nil {
		return err
	}
	return w.e.lib.failure(dl.NewFrame().Word(&w.win).Call(w.e.lib.fn[fnWinFree]))
}
