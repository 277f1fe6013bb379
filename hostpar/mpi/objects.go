package mpi

import (
	"context"
	"fmt"
)

// ScatterAny returns to each rank its element of vs of the rank root, which must have one for each rank. On other ranks
// vs is not used.
func ScatterAny[T any](ctx context.Context, c *Comm, vs []T, root int) (v T, err error) {
	if err := c.checkRoot(root); err != nil {
		return v, c.fail("ScatterAny", err)
	}
	packed, err := packAll(c, vs, root)
	if err != nil {
		return v, c.fail("ScatterAny", err)
	}
	err = c.together("ScatterAny", func() error {
		b, err := c.scatterBytes(ctx, "ScatterAny", packed, root)
		if err != nil {
			return err
		}
		v, err = unpack[T](b)
		return err
	})
	return v, err
}

// packAll encodes the values of the root, one for each rank.
func packAll[T any](c *Comm, vs []T, root int) ([][]byte, error) {
	if c.rank != root {
		return nil, nil
	}
	if len(vs) != c.size {
		return nil, fmt.Errorf("%w: %d values for %d ranks", ErrCount, len(vs), c.size)
	}
	packed := make([][]byte, len(vs))
	for i := range vs {
		var err error
		if packed[i], err = pack(&vs[i]); err != nil {
			return nil, err
		}
	}
	return packed, nil
}

// GatherAny returns the values of all ranks, in their order, on the rank root, and nil on the others.
func GatherAny[T any](ctx context.Context, c *Comm, v T, root int) (vs []T, err error) {
	if err := c.checkRoot(root); err != nil {
		return nil, c.fail("GatherAny", err)
	}
	b, err := pack(&v)
	if err != nil {
		return nil, c.fail("GatherAny", err)
	}
	err = c.together("GatherAny", func() error {
		all, err := c.gatherBytes(ctx, "GatherAny", b, root)
		if err != nil || c.rank != root {
			return err
		}
		vs, err = unpackAll[T](all)
		return err
	})
	return vs, err
}

// AllgatherAny returns the values of all ranks, in their order, on every rank.
func AllgatherAny[T any](ctx context.Context, c *Comm, v T) (vs []T, err error) {
	b, err := pack(&v)
	if err != nil {
		return nil, c.fail("AllgatherAny", err)
	}
	err = c.together("AllgatherAny", func() error {
		all, err := c.allgatherBytes(ctx, "AllgatherAny", b)
		if err != nil {
			return err
		}
		vs, err = unpackAll[T](all)
		return err
	})
	return vs, err
}

// ReduceAny combines the values of all ranks with fn, in the order of ranks, and returns the result on the rank root; on
// the others the zero value. fn must be associative.
func ReduceAny[T any](ctx context.Context, c *Comm, v T, fn func(a, b T) T, root int) (r T, err error) {
	vs, err := GatherAny(ctx, c, v, root)
	if err != nil || c.rank != root {
		return r, err
	}
	return fold(vs, fn), nil
}

// AllreduceAny is ReduceAny with the result on every rank.
func AllreduceAny[T any](ctx context.Context, c *Comm, v T, fn func(a, b T) T) (r T, err error) {
	vs, err := AllgatherAny(ctx, c, v)
	if err != nil {
		return r, err
	}
	return fold(vs, fn), nil
}

func fold[T any](vs []T, fn func(a, b T) T) T {
	acc := vs[0]
	for _, v := range vs[1:] {
		acc = fn(acc, v)
	}
	return acc
}

func unpackAll[T any](all [][]byte) ([]T, error) {
	vs := make([]T, len(all))
	for i, b := range all {
		var err error
		if vs[i], err = unpack[T](b); err != nil {
			return nil, fmt.Errorf("value of rank %d: %w", i, err)
		}
	}
	return vs, nil
}

// lengths of all ranks' bytes, and where they stand one behind the other.
func packedParts(sizes []int64) (parts []part, total int) {
	parts = make([]part, len(sizes))
	for i, n := range sizes {
		parts[i] = part{total, total + int(n)}
		total += int(n)
	}
	return parts, total
}

func cut(b []byte, parts []part) [][]byte {
	all := make([][]byte, len(parts))
	for i, p := range parts {
		all[i] = p.of(b)
	}
	return all
}

// scatterBytes sends each rank its bytes of the root, after their length.
func (c *Comm) scatterBytes(ctx context.Context, label string, packed [][]byte, root int) ([]byte, error) {
	sizes := make([]int64, c.size)
	var joined []byte
	for i, b := range packed {
		sizes[i] = int64(len(b))
		joined = append(joined, b...)
	}
	own := make([]int64, 1)
	if err := c.scatterv(ctx, label, bytesOf(sizes), evenParts(c.size, 8), bytesOf(own), elemI64, root); err != nil {
		return nil, err
	}
	b := make([]byte, own[0])
	parts, _ := packedParts(sizes)
	return b, c.scatterv(ctx, label, joined, parts, b, elemByte, root)
}

// gatherBytes gives the bytes of all ranks to the root.
func (c *Comm) gatherBytes(ctx context.Context, label string, b []byte, root int) ([][]byte, error) {
	sizes := make([]int64, c.size)
	if err := c.gatherv(ctx, label, bytesOf([]int64{int64(len(b))}), bytesOf(sizes), evenParts(c.size, 8), elemI64, root); err != nil {
		return nil, err
	}
	parts, total := packedParts(sizes)
	joined := make([]byte, total)
	if err := c.gatherv(ctx, label, b, joined, parts, elemByte, root); err != nil {
		return nil, err
	}
	return cut(joined, parts), nil
}

func (c *Comm) allgatherBytes(ctx context.Context, label string, b []byte) ([][]byte, error) {
	sizes := make([]int64, c.size)
	if err := c.allgather(ctx, label, bytesOf([]int64{int64(len(b))}), bytesOf(sizes), elemI64); err != nil {
		return nil, err
	}
	parts, total := packedParts(sizes)
	joined := make([]byte, total)
	if err := c.allgatherv(ctx, label, b, joined, parts, elemByte); err != nil {
		return nil, err
	}
	return cut(joined, parts), nil
}
