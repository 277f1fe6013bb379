//go:build mpilaunch

package mpi_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// These tests start jobs of their own binary under both launchers; tools/mpi-test.sh runs them. Nothing here skips: who
// asks for the build tag has the launchers.

var starters = map[string][]string{
	"Open MPI": {"mpirun.openmpi", "--oversubscribe", "--bind-to", "none"},
	"MPICH":    {"mpirun.mpich"},
}

// launch runs three ranks with a fault, for half a minute at most.
func launch(t *testing.T, starter []string, fault string, env ...string) (output string, failed bool) {
	t.Helper()
	return launchRanks(t, starter, 3, fault, env...)
}

func launchRanks(t *testing.T, starter []string, ranks int, fault string, env ...string) (output string, failed bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	self, err := os.Executable()
	require.NoError(t, err)
	args := append(append([]string{}, starter[1:]...), "-n", strconv.Itoa(ranks), self)
	cmd := exec.CommandContext(ctx, starter[0], args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // the launcher then ends its ranks
	cmd.WaitDelay = 10 * time.Second
	cmd.Env = append(append(os.Environ(), "MPI_TEST_FAULT="+fault), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, ctx.Err(), "the job hangs:\n%s", out)
	return string(out), err != nil
}

// A rank misbehaves while the others wait for it in a collective operation: the job ends soon, and says why.
func TestLaunchedFaults(t *testing.T) {
	for name, starter := range starters {
		for _, f := range []struct{ fault, reason string }{
			{"panic", "rank 2 panicked: deliberate panic"},
			{"nil", "nil pointer dereference"},
			{"error", "deliberate error"},
			{"goexit", "ended by runtime.Goexit"},
			{"exit", ""},
			{"kill", ""},
			{"unreceived", "rank ends with a message of 8000000 bytes to rank 0 with tag 5 that is not received"},
			{"root", "ranks are in different collective operations"},
			{"counts", "ranks are in different collective operations"},
		} {
			t.Run(name+" "+f.fault, func(t *testing.T) {
				out, failed := launch(t, starter, f.fault)
				// MPICH's launcher kills all ranks when one exits so, and its own status is then 0 at times.
				require.True(t, failed || name+f.fault == "MPICHexit", out)
				require.NotContains(t, out, "past the barrier")
				require.Contains(t, out, f.reason)
			})
		}
	}
}

// What a rank leaves behind at its end does not keep the job from ending well.
func TestLaunchedEnds(t *testing.T) {
	for name, starter := range starters {
		for _, fault := range []string{"none", "leftover", "window"} {
			t.Run(name+" "+fault, func(t *testing.T) {
				out, failed := launch(t, starter, fault)
				require.False(t, failed, out)
				require.Equal(t, 3, strings.Count(out, "past the barrier"), out)
			})
		}
	}
}

// Who starts ranks such that Go has one CPU is told so, once, with the launcher's own option against it.
func TestLaunchedBinding(t *testing.T) {
	for name, c := range map[string]struct{ bound, free, advice string }{
		"Open MPI": {"--bind-to core", "--bind-to none", "--bind-to none, or --map-by slot:PE=n"},
		"MPICH":    {"-bind-to core", "-bind-to none", "-bind-to none, or -bind-to hwthread:n"},
	} {
		t.Run(name, func(t *testing.T) {
			start := func(binding string) []string { return append(starters[name][:1:1], strings.Fields(binding)...) }
			out, failed := launchRanks(t, start(c.bound), 1, "none")
			require.False(t, failed, out)
			require.Equal(t, 1, strings.Count(out, "bound this rank to one CPU"), out)
			require.Contains(t, out, c.advice)
			out, failed = launchRanks(t, start(c.free), 1, "none")
			require.False(t, failed, out)
			require.NotContains(t, out, "bound this rank")
		})
	}
}

// Ranks that may use the same processors share them, unless the environment says how many each takes.
func TestLaunchedShare(t *testing.T) {
	for name, starter := range starters {
		out, failed := launch(t, starter, "processors", "GOMAXPROCS=5")
		require.False(t, failed, out)
		require.Equal(t, 3, strings.Count(out, "processors: 5"), "%s: %s", name, out)
		out, failed = launch(t, starter, "processors", "GOMAXPROCS=")
		require.False(t, failed, out)
		want := fmt.Sprintf("processors: %d\n", max(1, runtime.GOMAXPROCS(0)/3))
		require.Equal(t, 3, strings.Count(out, want), "%s: %s", name, out)
	}
}

// The library of the other launcher is refused; it would make each process a job of its own.
func TestLaunchedWrongLibrary(t *testing.T) {
	for name, file := range map[string]string{"Open MPI": "libmpich.so.12", "MPICH": "libmpi.so.40"} {
		out, failed := launch(t, starters[name], "none", "TANDEM_MPI="+file)
		require.True(t, failed, out)
		require.Contains(t, out, "does not belong to the launcher")
		require.NotContains(t, out, "past the barrier")
	}
}
