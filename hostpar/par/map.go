package par

import "context"

// Map returns fn of each x, in the order of xs. Errors, panics and cancellation are as with For; with an error there
// is no result.
func Map[In, Out any](ctx context.Context, xs []In, cfg Config, fn func(ctx context.Context, x In) (Out, error)) ([]Out, error) {
	out := make([]Out, len(xs))
	err := run(ctx, len(xs), cfg, func(ctx context.Context, l *loop, c Chunk, at *int) error {
		in, out := xs[c.Lo:c.Hi], out[c.Lo:c.Hi]
		for i, x := range in {
			if l.stops(c.Lo + i) {
				return nil
			}
			*at = c.Lo + i
			y, err := fn(ctx, x)
			if err != nil {
				return err
			}
			out[i] = y
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// reduceParts is how many parts Reduce makes of its input, whatever the number of workers.
const reduceParts = 256

// Reduce cuts xs into parts, calls part for each on some goroutine, and merges the results from left to right:
// merge(merge(p0, p1), p2) and so on. merge runs on the caller's goroutine. The zero A is the result for no elements.
//
// Where the parts lie depends on len(xs) and cfg.Chunk (the size of a part, by default len(xs)/256) and not on workers
// or timing, so floating-point results are the same in every run and on every machine. cfg.Schedule is not used.
func Reduce[T, A any](ctx context.Context, xs []T, cfg Config, part func(ctx context.Context, xs []T) (A, error), merge func(a, b A) A) (A, error) {
	return ReduceRange(ctx, len(xs), cfg, func(ctx context.Context, lo, hi int) (A, error) {
		return part(ctx, xs[lo:hi:hi])
	}, merge)
}

// ReduceRange is Reduce over the integers of [0, n). The index of an error is that of the part.
func ReduceRange[A any](ctx context.Context, n int, cfg Config, part func(ctx context.Context, lo, hi int) (A, error), merge func(a, b A) A) (A, error) {
	var total A
	if n <= 0 {
		return total, nil
	}
	size := cfg.Chunk
	if size < 1 {
		size = (n-1)/reduceParts + 1
	}
	size = min(size, n)
	results := make([]A, (n-1)/size+1)
	err := For(ctx, len(results), Config{Workers: cfg.Workers, Chunk: 1}, func(ctx context.Context, i int) (err error) {
		lo := i * size
		results[i], err = part(ctx, lo, min(lo+size, n))
		return err
	})
	if err != nil {
		return total, err
	}
	total = results[0]
	for _, r := range results[1:] {
		total = merge(total, r)
	}
	return total, nil
}
