package mpi_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/hostpar/mpi"
)

// TestMain runs the tests as they are, or, under an MPI launcher, within mpi.Run; see tools/mpi-test.sh.
func TestMain(m *testing.M) {
	if fault := os.Getenv("MPI_TEST_FAULT"); fault != "" {
		os.Exit(runFault(fault))
	}
	if !mpi.Launched() {
		goleak.VerifyTestMain(m)
		return
	}
	err := mpi.Run(context.Background(), mpi.RunConfig{}, func(_ context.Context, world *mpi.Comm) error {
		launched = world
		if code := m.Run(); code != 0 {
			return fmt.Errorf("tests failed")
		}
		if world.Rank() == 0 {
			fmt.Printf("%d ranks: %s\n", world.Size(), world.Library())
		}
		return nil
	})
	if err == nil {
		err = afterwards()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// afterwards checks that what comes after the end of Run is refused.
func afterwards() error {
	ctx := context.Background()
	if err := mpi.Barrier(ctx, launched); !errors.Is(err, mpi.ErrFinalized) {
		return fmt.Errorf("barrier after the end: %w", err)
	}
	if _, err := mpi.Isend(launched, []int{1}, 0, 0); !errors.Is(err, mpi.ErrFinalized) {
		return fmt.Errorf("send after the end: %w", err)
	}
	if err := mpi.Run(ctx, mpi.RunConfig{}, nil); !errors.Is(err, mpi.ErrFinalized) {
		return fmt.Errorf("second run: %w", err)
	}
	return nil
}

// runFault is a job of which the last rank misbehaves while the others wait for it.
func runFault(fault string) int {
	err := mpi.Run(context.Background(), mpi.RunConfig{}, func(ctx context.Context, world *mpi.Comm) error {
		last := world.Rank() == world.Size()-1
		switch fault {
		case "leftover": // a goroutine that waits for what does not come
			go func() { _, _ = mpi.Recv(context.Background(), world, make([]int, 1), mpi.AnySource, 3) }()
		case "window":
			if _, err := mpi.NewWindow[int](ctx, world, 10); err != nil { // it is not closed
				return err
			}
		case "processors":
			fmt.Println("processors:", runtime.GOMAXPROCS(0))
		case "root":
			return mpi.Bcast(ctx, world, make([]float64, 1_000_000), min(world.Rank(), 1))
		case "counts":
			return mpi.Bcast(ctx, world, make([]float64, 1_000_000+world.Rank()), 0)
		}
		if last {
			if err := misbehave(world, fault); err != nil {
				return err
			}
		}
		return mpi.Barrier(ctx, world)
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("past the barrier")
	return 0
}

func misbehave(world *mpi.Comm, fault string) error {
	switch fault {
	case "panic":
		panic("deliberate panic")
	case "nil":
		var p *int
		*p = 1
	case "error":
		return errors.New("deliberate error")
	case "goexit":
		runtime.Goexit()
	case "exit":
		os.Exit(0)
	case "kill":
		p, err := os.FindProcess(os.Getpid())
		if err != nil {
			return err
		}
		return errors.Join(p.Kill(), errors.New("still alive"))
	case "unreceived":
		_, err := mpi.Isend(world, make([]float64, 1_000_000), 0, 5)
		return err
	}
	return nil
}

func TestLocalFailureEndsAllWaits(t *testing.T) {
	errBad := errors.New("bad")
	for name, misbehave := range map[string]func() error{
		"error":  func() error { return errBad },
		"panic":  func() error { panic(errBad) },
		"goexit": func() error { runtime.Goexit(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			var others [3]error
			err := mpi.Local(t.Context(), 4, func(_ context.Context, c *mpi.Comm) error {
				if c.Rank() == 3 {
					return misbehave()
				}
				// Not the context of Local: the abort itself must end these.
				switch c.Rank() {
				case 0:
					others[0] = mpi.Barrier(context.Background(), c)
				case 1:
					_, others[1] = mpi.Recv(context.Background(), c, make([]int, 1), mpi.AnySource, 0)
				case 2:
					others[2] = mpi.Send(context.Background(), c, make([]int, 1<<20), 3, 0)
				}
				return others[c.Rank()]
			})
			require.Error(t, err)
			switch name {
			case "panic":
				var p *mpi.PanicError
				require.ErrorAs(t, err, &p)
				require.Equal(t, 3, p.Rank)
				require.Contains(t, string(p.Stack), "TestLocalFailureEndsAllWaits")
				require.ErrorIs(t, err, errBad)
			case "error":
				require.ErrorIs(t, err, errBad)
			}
			for _, e := range others {
				require.ErrorIs(t, e, mpi.ErrAborted)
			}
		})
	}
}

// A rank whose function has returned is waited for in vain.
func TestLocalRankGone(t *testing.T) {
	err := mpi.Local(t.Context(), 3, func(_ context.Context, c *mpi.Comm) error {
		bg := context.Background()
		switch c.Rank() {
		case 2:
			return nil // ends at once
		case 0:
			_, err := mpi.Recv(bg, c, make([]int, 1), 2, 0)
			if !errors.Is(err, mpi.ErrRankGone) {
				return fmt.Errorf("recv: %w", err)
			}
			err = mpi.Send(bg, c, make([]int, 1<<20), 2, 0)
			if !errors.Is(err, mpi.ErrRankGone) {
				return fmt.Errorf("send: %w", err)
			}
			return nil
		}
		if err := mpi.Barrier(bg, c); !errors.Is(err, mpi.ErrRankGone) {
			return fmt.Errorf("barrier: %w", err)
		}
		return nil
	})
	require.NoError(t, err)
}

func TestLocalMessagesSurviveTheirSender(t *testing.T) {
	gone := make(chan struct{})
	err := mpi.Local(t.Context(), 2, func(ctx context.Context, c *mpi.Comm) error {
		if c.Rank() == 1 {
			defer close(gone)
			return mpi.Send(ctx, c, []int{42}, 0, 0)
		}
		<-gone
		x := make([]int, 1)
		_, err := mpi.Recv(ctx, c, x, 1, 0)
		if err == nil && x[0] != 42 {
			err = fmt.Errorf("received %d", x[0])
		}
		return err
	})
	require.NoError(t, err)
}

func TestLocalMismatchedCollectives(t *testing.T) {
	var seen [2]error
	err := mpi.Local(t.Context(), 2, func(ctx context.Context, c *mpi.Comm) error {
		if c.Rank() == 0 {
			seen[0] = mpi.Bcast(ctx, c, []int{1}, 0)
			return nil
		}
		seen[1] = mpi.Barrier(ctx, c)
		return nil
	})
	require.NoError(t, err)
	require.NoError(t, seen[0], "a short broadcast is sent and forgotten")
	require.ErrorIs(t, seen[1], mpi.ErrMismatch)
	require.ErrorContains(t, seen[1], "rank 0 is in Bcast, this rank in Barrier")
}

func TestLocalTypesAreCompared(t *testing.T) {
	err := mpi.Local(t.Context(), 2, func(ctx context.Context, c *mpi.Comm) error {
		if c.Rank() == 0 {
			return errors.Join(mpi.Send(ctx, c, []float32{1, 2}, 1, 0), mpi.SendAny(ctx, c, 7, 1, 1))
		}
		_, err := mpi.Recv(ctx, c, make([]int32, 2), 0, 0)
		if !errors.Is(err, mpi.ErrType) {
			return fmt.Errorf("recv: %w", err)
		}
		if _, err := mpi.Recv(ctx, c, make([]uint8, 100), 0, 1); !errors.Is(err, mpi.ErrType) {
			return fmt.Errorf("recv of an object: %w", err)
		}
		return nil
	})
	require.NoError(t, err)
}

func TestLocalArguments(t *testing.T) {
	ok := func(context.Context, *mpi.Comm) error { return nil }
	require.ErrorIs(t, mpi.Local(t.Context(), 0, ok), mpi.ErrCount)
	var kept *mpi.Comm
	require.NoError(t, mpi.Local(t.Context(), 1, func(_ context.Context, c *mpi.Comm) error {
		kept = c
		return nil
	}))
	require.ErrorIs(t, mpi.Barrier(t.Context(), kept), mpi.ErrFinalized)
	require.ErrorIs(t, mpi.SendAny(t.Context(), kept, 1, 0, 0), mpi.ErrFinalized)
	require.NoError(t, kept.Close())
}

// What a goroutine of a rank still waits for when the function of the rank has returned ends.
func TestLocalWaitsEndWithTheirRank(t *testing.T) {
	left := make(chan error, 1)
	err := mpi.Local(t.Context(), 2, func(_ context.Context, c *mpi.Comm) error {
		if c.Rank() == 1 {
			return mpi.Barrier(context.Background(), c)
		}
		r, err := mpi.Irecv(c, make([]int, 1), 1, 0)
		if err != nil {
			return err
		}
		go func() { _, err := r.Wait(context.Background()); left <- err }()
		return mpi.Barrier(context.Background(), c)
	})
	require.NoError(t, err)
	err = <-left
	require.True(t, errors.Is(err, mpi.ErrFinalized) || errors.Is(err, mpi.ErrRankGone), err) // whichever rank ended first
}

// The end of the context of Local ends all waits.
func TestLocalContext(t *testing.T) {
	errOver := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := mpi.Local(ctx, 2, func(ctx context.Context, c *mpi.Comm) error {
		if c.Rank() == 1 {
			cancel(errOver)
			<-ctx.Done()
			return nil
		}
		_, err := mpi.Recv(ctx, c, make([]int, 1), 1, 0)
		return err
	})
	require.True(t, errors.Is(err, errOver) || errors.Is(err, mpi.ErrRankGone), err)
}

func TestLaunchers(t *testing.T) {
	type env = map[string]string
	name, family, size, err := mpi.LauncherIn(env{})
	require.NoError(t, err)
	require.Equal(t, [3]string{}, [3]string{name, family, size})
	_, family, size, err = mpi.LauncherIn(env{"OMPI_COMM_WORLD_SIZE": "4", "PMIX_RANK": "1"})
	require.NoError(t, err)
	require.Equal(t, [2]string{"Open MPI", "4"}, [2]string{family, size})
	_, family, size, err = mpi.LauncherIn(env{"PMI_SIZE": "3", "PMI_RANK": "1"})
	require.NoError(t, err)
	require.Equal(t, [2]string{"MPICH", "3"}, [2]string{family, size})
	name, family, size, err = mpi.LauncherIn(env{"SLURM_STEP_NUM_TASKS": "8", "PMIX_RANK": "1"})
	require.NoError(t, err)
	require.Equal(t, [3]string{"srun", "", "8"}, [3]string{name, family, size})
	name, family, _, err = mpi.LauncherIn(env{"SLURM_STEP_NUM_TASKS": "8", "PMI_RANK": "1", "PMI_SIZE": "8"}) // srun --mpi=pmi2
	require.NoError(t, err)
	require.Equal(t, [2]string{"srun", ""}, [2]string{name, family})
	_, family, _, err = mpi.LauncherIn(env{"SLURM_STEP_NUM_TASKS": "2", "PMI_RANK": "1", "PMI_SIZE": "8"}) // mpiexec on two nodes
	require.NoError(t, err)
	require.Equal(t, "MPICH", family)
	_, _, _, err = mpi.LauncherIn(env{"OMPI_COMM_WORLD_SIZE": "4", "PMI_SIZE": "3"})
	require.ErrorIs(t, err, mpi.ErrLauncher)
}

func TestRunWithoutLibrary(t *testing.T) {
	err := mpi.Run(t.Context(), mpi.RunConfig{Library: t.TempDir() + "/missing.so"}, nil)
	require.ErrorIs(t, err, mpi.ErrNoLibrary)
	require.ErrorContains(t, err, "missing.so")
	require.False(t, mpi.Launched())
	ran := 0
	require.NoError(t, mpi.Run(t.Context(), mpi.RunConfig{Local: 1}, func(context.Context, *mpi.Comm) error { ran++; return nil }))
	require.Equal(t, 1, ran)
}

func TestDims(t *testing.T) {
	for _, c := range []struct {
		n, d int
		want []int
	}{{12, 2, []int{4, 3}}, {7, 2, []int{7, 1}}, {1, 3, []int{1, 1, 1}}, {60, 3, []int{5, 4, 3}}, {16, 1, []int{16}}, {0, 1, nil}, {4, 0, nil}} {
		require.Equal(t, c.want, mpi.Dims(c.n, c.d), "%d ranks, %d dimensions", c.n, c.d)
	}
}

// The parts cover all elements once, and differ by one at most.
func TestCounts(t *testing.T) {
	for n := range 50 {
		for parts := 1; parts < 20; parts++ {
			counts, displs := mpi.Counts(n, parts)
			at := 0
			for i := range parts {
				require.Equal(t, at, displs[i])
				require.Contains(t, []int{n / parts, n/parts + 1}, counts[i])
				at += counts[i]
			}
			require.Equal(t, n, at)
		}
	}
}

// Ranks share the processors that they may all use, and those that do not know theirs keep all.
func TestShare(t *testing.T) {
	for _, c := range []struct {
		procs    int
		machines []uint64 // of the ranks
		cpus     []uint64
		want     int
	}{
		{8, []uint64{1}, []uint64{5}, 8},
		{8, []uint64{1, 1, 1}, []uint64{5, 5, 5}, 2},
		{2, []uint64{1, 1, 1}, []uint64{5, 5, 5}, 1},
		{8, []uint64{1, 2, 1, 2}, []uint64{5, 5, 5, 5}, 4},
		{8, []uint64{1, 1, 1, 1}, []uint64{5, 7, 7, 5}, 4},
		{8, []uint64{1, 1}, []uint64{5, 7}, 8},
		{8, []uint64{1, 1}, []uint64{0, 0}, 8},
		{8, []uint64{0, 0}, []uint64{0, 0}, 8},
	} {
		require.Equal(t, c.want, mpi.Share(c.procs, c.machines, c.cpus), "%+v", c)
	}
}

func TestDeadProcesses(t *testing.T) {
	known, self, successor, elsewhere := mpi.DeadProcesses()
	require.Equal(t, runtime.GOOS == "linux", known)
	require.False(t, self)
	require.Equal(t, known, successor)
	require.False(t, elsewhere)
}
