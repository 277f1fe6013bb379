package task

import (
	"context"
	"iter"

	"github.com/tandem-go/tandem/hostpar/par"
)

// AsCompleted yields each future, with its index, when its result is there: those that have one first, in the order
// given, then in the order of completion. It ends early when ctx ends. Leaving the range leaves nothing behind.
func AsCompleted[F Awaitable](ctx context.Context, fs ...F) iter.Seq2[int, F] {
	return func(yield func(int, F) bool) {
		ready := make(chan int, len(fs)) // has room for all, so callbacks never wait
		for i, f := range fs {
			stop := f.OnDone(func() { ready <- i })
			defer stop()
		}
		for range fs {
			var i int
			select {
			case i = <-ready: // also if ctx has ended
			default:
				select {
				case i = <-ready:
				case <-ctx.Done():
					return
				}
			}
			if !yield(i, fs[i]) {
				return
			}
		}
	}
}

// WaitAny waits until one of the futures has its result and returns its index. Without futures it returns -1.
func WaitAny[F Awaitable](ctx context.Context, fs ...F) (int, error) {
	for i := range AsCompleted(ctx, fs...) {
		return i, nil
	}
	if len(fs) == 0 {
		return -1, nil
	}
	return -1, context.Cause(ctx)
}

// WaitAll waits until all futures have their results, good or bad.
func WaitAll[F Awaitable](ctx context.Context, fs ...F) error {
	for _, f := range fs {
		select {
		case <-f.Done():
		default:
			select {
			case <-f.Done():
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
	return nil
}

// WaitError waits until one of the futures has an error and returns its index, or -1 when all have results without one.
func WaitError[F Awaitable](ctx context.Context, fs ...F) (int, error) {
	n := 0
	for i, f := range AsCompleted(ctx, fs...) {
		if f.Err() != nil {
			return i, nil
		}
		n++
	}
	if n < len(fs) {
		return -1, context.Cause(ctx)
	}
	return -1, nil
}

// Gather waits for all futures and returns their values in order. At the first error in time it returns that, as a
// *par.ItemError, without waiting for the others, which go on; a Group would cancel them.
func Gather[T any](ctx context.Context, fs ...*Future[T]) ([]T, error) {
	switch i, err := WaitError(ctx, fs...); {
	case err != nil:
		return nil, err
	case i >= 0:
		return nil, &par.ItemError{Index: i, Err: fs[i].Err()}
	}
	values := make([]T, len(fs))
	for i, f := range fs {
		values[i] = f.value // all have results
	}
	return values, nil
}
