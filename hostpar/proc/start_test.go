package proc_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/hostpar/proc"
)

var state = "initial"

var change = proc.Register("change", func(_ context.Context, s string) (proc.Info, error) {
	state = s
	return proc.Current(), nil
})

func TestProcess(t *testing.T) {
	p, err := proc.Start(bg, change, "changed", proc.StartConfig{Name: "p1", Daemon: true})
	require.NoError(t, err)
	require.Equal(t, "p1", p.Name())
	require.True(t, p.Daemon())
	info, err := p.Wait(bg)
	require.NoError(t, err)
	require.Equal(t, proc.Info{Name: "p1", PID: p.PID(), Parent: os.Getpid(), Daemon: true, Depth: 1}, info)
	require.Equal(t, "initial", state, "what a process changes is its own")
	require.NoError(t, p.Join(bg))
	require.False(t, p.Alive())
	code, sig, ok := p.ExitCode()
	require.True(t, ok)
	require.Zero(t, code)
	require.Zero(t, sig)
	again, err := p.Wait(bg)
	require.NoError(t, err)
	require.Equal(t, info, again)
	require.Equal(t, proc.Info{Name: "main", PID: os.Getpid()}, proc.Current())
	require.False(t, proc.IsWorker())
}

// endAfter kills a process at the end of the test and waits until it is gone: other tests look at what is left.
func endAfter(t *testing.T, c *proc.Child) {
	t.Cleanup(func() {
		c.Kill()
		require.NoError(t, c.Join(bg))
	})
}

func TestChildren(t *testing.T) {
	require.Eventually(t, func() bool { return len(proc.Children()) == 0 }, 5*time.Second, time.Millisecond, "those that other tests killed")
	p, err := proc.Start(bg, act, "wait", proc.StartConfig{})
	require.NoError(t, err)
	endAfter(t, p.Child)
	require.Regexp(t, `^process-\d+$`, p.Name())
	var live []string // not the children themselves, which change while a message would print them
	for _, c := range proc.Children() {
		live = append(live, c.Name())
	}
	require.Equal(t, []string{p.Name()}, live)
	_, _, ok := p.ExitCode()
	require.False(t, ok)
	ctx, cancel := context.WithTimeout(bg, time.Millisecond)
	defer cancel()
	require.ErrorIs(t, p.Join(ctx), context.DeadlineExceeded)
	require.True(t, p.Future().Cancel())
	_, err = p.Wait(bg)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, proc.Children())
}

func TestExit(t *testing.T) {
	p, err := proc.Start(bg, act, "exit 123", proc.StartConfig{})
	require.NoError(t, err)
	_, err = p.Wait(bg)
	require.EqualError(t, err, fmt.Sprintf("proc: worker %s (process %d) died in act: exit status 3", p.Name(), p.PID()))
	_, err = proc.Run(bg, act, "exit", proc.StartConfig{})
	require.ErrorIs(t, err, proc.ErrWorkerDied, "even if it says that all is well")
	p, err = proc.Start(bg, act, "odd", proc.StartConfig{})
	require.NoError(t, err)
	_, err = p.Wait(bg)
	require.ErrorIs(t, err, errOdd)
	code, _, _ := p.ExitCode()
	require.Equal(t, 1, code)

	ctx, cancel := context.WithCancelCause(bg)
	p, err = proc.Start(ctx, act, "spin", proc.StartConfig{})
	require.NoError(t, err)
	cancel(errOdd)
	_, err = p.Wait(bg)
	require.ErrorIs(t, err, context.Canceled)
	_, err = proc.Start(ctx, act, "spin", proc.StartConfig{})
	require.ErrorIs(t, err, errOdd)
}

var startAnother = proc.Register("startAnother", func(ctx context.Context, daemon bool) (string, error) {
	p, err := proc.Start(ctx, act, "name", proc.StartConfig{Name: "grandchild"})
	if err != nil {
		return "", err
	}
	return p.Wait(ctx)
})

func TestDaemonsHaveNoChildren(t *testing.T) {
	_, err := proc.Run(bg, startAnother, true, proc.StartConfig{Daemon: true})
	require.ErrorIs(t, err, proc.ErrDaemonChild)
	name, err := proc.Run(bg, startAnother, false, proc.StartConfig{})
	require.NoError(t, err)
	require.Equal(t, "grandchild", name)
	p := newPool(t, proc.PoolConfig{Workers: 1})
	name, err = proc.Call(bg, p, startAnother, false)
	require.NoError(t, err)
	require.Equal(t, "grandchild", name)
}

var deeper func(ctx context.Context, n int) (int, error)

var bomb = proc.Register("bomb", func(ctx context.Context, n int) (int, error) { return deeper(ctx, n) })

func init() {
	deeper = func(ctx context.Context, n int) (int, error) {
		m, err := proc.Run(ctx, bomb, n+1, proc.StartConfig{})
		if errors.Is(err, proc.ErrTooDeep) {
			return n, nil
		}
		return m, err
	}
	programs["waits"] = func() int {
		for i, daemon := range []bool{false, true} {
			if _, err := proc.Start(bg, later, fmt.Sprintf("%s%d", os.Getenv("PROC_TEST_FILE"), i), proc.StartConfig{Daemon: daemon}); err != nil {
				fmt.Println(err)
				return 1
			}
		}
		return 5
	}
}

func TestGenerationsEnd(t *testing.T) {
	n, err := proc.Run(bg, bomb, 1, proc.StartConfig{})
	require.NoError(t, err)
	require.Equal(t, 16, n)
}

func TestWithoutMain(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "PROC_TEST_WITHOUT_MAIN=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, proc.ErrNoMain.Error()+"\n", string(out))
}

// later writes a file when its parent's run has returned, which it learns from nobody: it takes its time.
var later = proc.Register("later", func(ctx context.Context, file string) (int, error) {
	select {
	case <-time.After(300 * time.Millisecond):
	case <-ctx.Done():
	}
	return 0, os.WriteFile(file, []byte("x"), 0o600)
})

// Main waits for processes that are not daemons, and kills those that are.
func TestMainWaits(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	t.Setenv("PROC_TEST_FILE", file)
	cmd, _ := program(t, "waits")
	err := cmd.Wait()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 5, exit.ExitCode())
	require.FileExists(t, file+"0")
	require.NoFileExists(t, file+"1")
}
