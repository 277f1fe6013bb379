package mpi

import (
	"context"
	"fmt"
)

// Layout is a part of a slice that is not in one piece: Count blocks of Block elements, Stride elements from the start
// of one to the start of the next. A column of a matrix with n rows and m columns, from its first element on, is
// Layout{Count: n, Block: 1, Stride: m}: what neighbours on a grid exchange.
type Layout struct {
	Count, Block, Stride int
}

// Len returns how many elements the layout has.
func (l Layout) Len() int { return l.Count * l.Block }

// check wants the layout to lie within n elements, and not over itself.
func (l Layout) check(n int) error {
	if l.Count < 0 || l.Block < 0 || l.Count > 1 && l.Stride < l.Block {
		return fmt.Errorf("%w: layout %+v", ErrCount, l)
	}
	if l.Len() > 0 && (l.Block > n || l.Count > 1 && l.Count-1 > (n-l.Block)/max(l.Stride, 1)) {
		return fmt.Errorf("%w: layout %+v of a buffer of %d elements", ErrCount, l, n)
	}
	return nil
}

// SendLayout sends the elements of a layout that begins at buf[0]. The other side may receive them with RecvLayout, or
// with Recv in one piece.
func SendLayout[T Number](ctx context.Context, c *Comm, buf []T, l Layout, dest, tag int) error {
	if err := l.check(len(buf)); err != nil {
		return c.fail("SendLayout", err)
	}
	packed := make([]T, 0, l.Len())
	for i := range l.Count {
		packed = append(packed, buf[i*l.Stride:][:l.Block]...)
	}
	return Send(ctx, c, packed, dest, tag)
}

// RecvLayout receives into the elements of a layout that begins at buf[0], and leaves those between them alone. A
// message of fewer elements fills the first ones.
func RecvLayout[T Number](ctx context.Context, c *Comm, buf []T, l Layout, source, tag int) (Status, error) {
	if err := l.check(len(buf)); err != nil {
		return Status{}, c.fail("RecvLayout", err)
	}
	packed := make([]T, l.Len())
	s, err := Recv(ctx, c, packed, source, tag)
	if err != nil {
		return s, err
	}
	n, _ := Count[T](s)
	packed = packed[:n]
	for i := 0; len(packed) > 0; i++ {
		packed = packed[copy(buf[i*l.Stride:][:l.Block], packed):]
	}
	return s, nil
}
