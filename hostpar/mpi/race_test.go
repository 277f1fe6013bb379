//go:build race

package mpi_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

// The sender's goroutine changes what it has begun to send. The message is short, so that nobody reads the buffer at that
// time and the race detector itself has nothing to say.
func TestLocalChangedBuffer(t *testing.T) {
	err := mpi.Local(t.Context(), 2, func(ctx context.Context, c *mpi.Comm) error {
		if c.Rank() == 1 {
			_, err := mpi.Recv(ctx, c, make([]int, 3), 0, 0)
			return err
		}
		buf := []int{1, 2, 3}
		r, err := mpi.Isend(c, buf, 1, 0)
		if err != nil {
			return err
		}
		buf[1] = 7
		if _, err := r.Wait(ctx); !errors.Is(err, mpi.ErrBufferChanged) {
			return fmt.Errorf("want %w, have %w", mpi.ErrBufferChanged, err)
		}
		return nil
	})
	require.NoError(t, err)
}

// A buffer that is to receive is changed before the message comes.
func TestLocalChangedRoom(t *testing.T) {
	err := mpi.Local(t.Context(), 2, func(ctx context.Context, c *mpi.Comm) error {
		if c.Rank() == 1 {
			_, err := mpi.Recv(ctx, c, make([]int, 1), 0, 0) // until the other has changed its buffer
			if err != nil {
				return err
			}
			return mpi.Send(ctx, c, []int{4, 5, 6}, 0, 1)
		}
		buf := make([]int, 3)
		r, err := mpi.Irecv(c, buf, 1, 1)
		if err != nil {
			return err
		}
		buf[1] = 7
		if err := mpi.Send(ctx, c, []int{0}, 1, 0); err != nil {
			return err
		}
		if _, err := r.Wait(ctx); !errors.Is(err, mpi.ErrBufferChanged) {
			return fmt.Errorf("want %w, have %w", mpi.ErrBufferChanged, err)
		}
		return nil
	})
	require.NoError(t, err)
}
