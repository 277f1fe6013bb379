package par

import "iter"

// Split cuts xs into n parts in order. Sizes differ by at most one, larger parts first; parts beyond len(xs) are empty.
// The parts are views of xs whose capacity ends with them. An n below 1 counts as 1.
func Split[T any](xs []T, n int) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for lo, hi := range Ranges(len(xs), n) {
			if !yield(xs[lo:hi:hi]) {
				return
			}
		}
	}
}

// Ranges cuts [0, n) into parts half-open ranges in order, as Split does. Negative n counts as 0, parts below 1 as 1.
func Ranges(n, parts int) iter.Seq2[int, int] {
	n, parts = max(n, 0), max(parts, 1)
	return func(yield func(lo, hi int) bool) {
		for i := range parts {
			lo, hi := share(int64(n), int64(parts), int64(i))
			if !yield(int(lo), int(hi)) {
				return
			}
		}
	}
}

// Flatten joins the parts in order into a new slice.
func Flatten[T any](parts [][]T) []T {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	out := make([]T, 0, n)
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}
