//go:build linux

package futex_test

import (
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/internal/futex"
)

func TestIdentity(t *testing.T) {
	me, err := futex.Self()
	require.NoError(t, err)
	require.Equal(t, os.Getpid(), me.PID())
	require.True(t, futex.Alive(me))
	require.False(t, futex.Alive(me^1<<40), "somebody else who had this number before")

	cmd := exec.Command("sleep", "1000")
	require.NoError(t, cmd.Start())
	child, err := futex.Of(cmd.Process.Pid)
	require.NoError(t, err)
	require.True(t, futex.Alive(child))
	require.NoError(t, cmd.Process.Kill())
	// It may still run, then it is a zombie, then it is gone: it must be found dead before it is waited for.
	require.Eventually(t, func() bool { return !futex.Alive(child) }, 5*time.Second, time.Millisecond)
	require.Error(t, cmd.Wait())
	require.False(t, futex.Alive(child))
}

func TestWaitAndWake(t *testing.T) {
	var word atomic.Uint64
	low := futex.Low(&word)
	word.Store(7)
	require.Equal(t, uint32(7), low.Load())
	futex.Wait(low, 8, time.Hour) // it is not 8
	futex.Wait(low, 7, time.Microsecond)
	woken := make(chan bool)
	go func() {
		for low.Load() == 7 {
			futex.Wait(low, 7, time.Hour)
		}
		woken <- true
	}()
	word.Store(9 << 32)
	for {
		futex.Wake(low, 1)
		select {
		case <-woken:
			return
		default:
		}
	}
}
