package task

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
	"time"
)

// Co is the inside of a coroutine: what its function waits with. Its methods may be called only by that function.
//
// Coroutines of one loop run one at a time and change places only in Await, Sleep, Yield and the waiting methods of
// Lock, Event, Cond, Semaphore, Barrier and Queue; between these a coroutine has all that the loop's callbacks share
// to itself. A coroutine must not block in other ways, or the loop stands still: put such work into an executor and
// Await its future.
type Co struct {
	loop   *Loop
	next   func() (struct{}, bool) // runs the coroutine until it parks
	stop   func()
	yield  func(struct{}) bool
	parked bool
	queued bool    // a resume is in the loop's queue
	forced bool    // Close: no wait succeeds any more
	breaks []error // interrupts not delivered yet: ErrCanceled, or an error of Within
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// Spawn makes fn a coroutine of the loop. It begins in the next iteration, and the future has its result. Cancel of the
// future makes the wait that fn is in, or its next one, return ErrCanceled, once; fn may clean up, wait again, and return
// what it likes. Spawn may be called from any goroutine.
//
// A panic in fn is the error of the future. runtime.Goexit in fn is, too, and also ends the goroutine that runs the loop.
func Spawn[T any](l *Loop, fn func(co *Co) (T, error)) *Future[T] {
	f, promise := NewPromise[T]()
	co := &Co{loop: l}
	l.CallSoon(func() {
		if !promise.Start(func() { l.CallSoon(func() { co.interrupt(ErrCanceled) }) }) {
			return
		}
		co.ctx, co.cancel = context.WithCancelCause(context.Background())
		co.next, co.stop = iter.Pull(func(yield func(struct{}) bool) {
			co.yield = yield
			defer func() {
				delete(l.coroutines, co)
				co.cancel(ErrCanceled)
			}()
			produce(promise, func() (T, error) { return fn(co) })
		})
		l.begun++
		l.coroutines[co] = l.begun
		co.step()
	})
	return f
}

// Loop returns the loop the coroutine belongs to.
func (co *Co) Loop() *Loop { return co.loop }

// Context returns a context that ends when the coroutine is cancelled or has ended, for work it starts elsewhere.
func (co *Co) Context() context.Context { return co.ctx }

// step runs the coroutine until it parks or ends. Only the loop calls it, never while the coroutine runs.
func (co *Co) step() { co.next() }

// resume lets a parked coroutine go on in the next iteration.
func (co *Co) resume() {
	if !co.queued {
		co.queued = true
		co.loop.CallSoon(func() {
			co.queued = false
			if co.parked {
				co.step()
			}
		})
	}
}

// interrupt makes the present or next wait return err. It runs on the loop's goroutine.
func (co *Co) interrupt(err error) {
	co.breaks = append(co.breaks, err)
	if errors.Is(err, ErrCanceled) {
		co.cancel(err)
	}
	if co.parked {
		co.resume()
	}
}

// park waits until ready returns true or the coroutine is interrupted; then it returns the interrupt. Whoever makes
// ready true calls resume. ready goes first.
func (co *Co) park(ready func() bool) error {
	for {
		if ready() {
			return nil
		}
		if co.forced {
			return ErrCanceled
		}
		if len(co.breaks) > 0 {
			err := co.breaks[0]
			co.breaks = co.breaks[1:]
			return err
		}
		co.parked = true
		co.forced = !co.yield(struct{}{}) || co.forced
		co.parked = false
	}
}

// Yield lets everything else that is ready run.
func (co *Co) Yield() error {
	passed := false
	co.loop.CallSoon(func() {
		passed = true
		co.resumeNow()
	})
	return co.park(func() bool { return passed })
}

// resumeNow steps a parked coroutine from within a callback of the loop.
func (co *Co) resumeNow() {
	if co.parked && !co.queued {
		co.step()
	}
}

// Sleep waits until d has passed. A d of 0 or less is a Yield.
func (co *Co) Sleep(d time.Duration) error {
	if d <= 0 {
		return co.Yield()
	}
	over := false
	timer := co.loop.CallLater(d, func() {
		over = true
		co.resumeNow()
	})
	defer timer.Cancel()
	return co.park(func() bool { return over })
}

// Await waits for a future, whoever produces it. If the coroutine is cancelled, only the wait ends: the future goes on,
// unless the caller cancels it.
func Await[T any](co *Co, f *Future[T]) (T, error) {
	if err := AwaitAll(co, f); err != nil {
		var zero T
		return zero, err
	}
	return f.value, f.err
}

// AwaitAll waits until all futures have their results, good or bad.
func AwaitAll[F Awaitable](co *Co, fs ...F) error {
	left := 0
	return awaitSome(co, fs, func(int) { left-- }, func(n int) { left = n }, func() bool { return left == 0 })
}

// AwaitAny waits until one of the futures has its result and returns its index: the lowest of those that have one at
// first, else the first in time. Without futures it returns -1.
func AwaitAny[F Awaitable](co *Co, fs ...F) (int, error) {
	first := -1
	err := awaitSome(co, fs, func(i int) {
		if first < 0 {
			first = i
		}
	}, func(int) {}, func() bool { return first >= 0 || len(fs) == 0 })
	if err != nil {
		return -1, err
	}
	return first, nil
}

// awaitSome registers with all futures, each of which calls came on the loop's goroutine, and parks until enough.
func awaitSome[F Awaitable](co *Co, fs []F, came func(i int), begin func(n int), enough func() bool) error {
	begin(len(fs))
	waiting := true
	for i, f := range fs {
		select {
		case <-f.Done():
			came(i)
			continue
		default:
		}
		stop := f.OnDone(func() {
			co.loop.CallSoon(func() {
				if !waiting {
					return
				}
				came(i)
				if enough() {
					co.resumeNow()
				}
			})
		})
		defer stop()
	}
	defer func() { waiting = false }()
	return co.park(enough)
}

// Within calls fn on the coroutine. If d passes first, the wait that fn is in, or its next one, returns an error that is
// ErrTimeout, once, and so does Within if fn passes it on. Limits may be nested.
func (co *Co) Within(d time.Duration, fn func() error) error {
	over := &timeout{}
	timer := co.loop.CallLater(d, func() { co.interrupt(over) })
	defer func() {
		timer.Cancel()
		for i, b := range co.breaks {
			if b == error(over) { // fn did not wait again: it was in time
				co.breaks = append(co.breaks[:i:i], co.breaks[i+1:]...)
				break
			}
		}
	}()
	return fn()
}

// timeout is the interrupt of one Within.
type timeout struct{ _ byte } // not of size 0: each is to have its own address

func (*timeout) Error() string { return ErrTimeout.Error() }
func (*timeout) Unwrap() error { return ErrTimeout }

// Run makes a loop, runs fn as its coroutine, and returns fn's result when fn and all coroutines of the loop have ended;
// when fn has ended, the others are cancelled. If ctx ends first, fn is cancelled, too, nobody may wait any longer, and
// the error is the cause.
func Run[T any](ctx context.Context, fn func(co *Co) (T, error)) (T, error) {
	l := NewLoop()
	f := Spawn(l, fn)
	value, err := RunUntil(ctx, l, f)
	if _, _, ok := f.Result(); !ok {
		f.Cancel()
	}
	_ = l.Close(ctx) // cannot be running; the cause is in err
	return value, err
}

// closeRounds is how many iterations Close gives coroutines after the end of its context.
const closeRounds = 1000

// Close cancels all coroutines and runs the loop until they have ended. When ctx ends, coroutines that still wait, or
// wait again, get ErrCanceled from every wait; then Close returns the cause. If the loop is running, Close
// returns ErrLoopRunning. A loop may be used again after Close.
func (l *Loop) Close(ctx context.Context) error {
	if !l.enter() {
		return ErrLoopRunning
	}
	defer l.leave()
	l.iterate() // those that are spawned and not begun begin, so that they can end
	for _, co := range l.inOrder() {
		co.interrupt(ErrCanceled)
	}
	for rounds := 0; len(l.coroutines) > 0; {
		l.iterate()
		if ctx.Err() == nil {
			l.mu.Lock()
			l.stopped = false // Stop has no meaning here
			l.mu.Unlock()
			if len(l.coroutines) > 0 {
				_ = l.sleep(ctx, nil) // the end of ctx is seen above
			}
			continue
		}
		l.mu.Lock()
		idle := len(l.ready) == 0
		l.mu.Unlock()
		if rounds++; idle || rounds > closeRounds {
			for _, co := range l.inOrder() {
				co.stop()
			}
			return context.Cause(ctx)
		}
	}
	return nil
}

// inOrder returns the living coroutines in the order they began.
func (l *Loop) inOrder() []*Co {
	return slices.SortedFunc(maps.Keys(l.coroutines), func(a, b *Co) int { return cmp.Compare(l.coroutines[a], l.coroutines[b]) })
}
