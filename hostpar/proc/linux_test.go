//go:build linux

package proc_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tandem-go/tandem/hostpar/proc"
)

func actSystem(ctx context.Context, verb, arg string) (string, error) {
	switch verb {
	case "kill":
		return "", syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "stop":
		err := syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		<-ctx.Done() // the signal may be late
		return "", err
	case "latestop": // stops when all is done
		go func() { _ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) }()
		return "", nil
	case "closelink":
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return "", err
		}
		for _, fd := range fds {
			if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(to, "socket:") {
				n, _ := strconv.Atoi(fd.Name()) // it is a number
				_ = syscall.Close(n)            // it is there
			}
		}
		<-ctx.Done()
	case "sleeper": // leaves a process behind
		cmd := exec.Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			return "", err
		}
		return fmt.Sprint(cmd.Process.Pid), nil
	}
	return "", fmt.Errorf("act: %s %s", verb, arg)
}

// processes returns the live processes whose environment has a marker; zombies have none, see TestNoZombies.
func processes(t *testing.T, marker string) (pids []int) {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, dir := range dirs {
		env, err := os.ReadFile(dir + "/environ")
		if err == nil && strings.Contains(string(env), marker) {
			pid, err := strconv.Atoi(filepath.Base(dir))
			require.NoError(t, err)
			pids = append(pids, pid)
		}
	}
	return pids
}

// marked sets the marker that all descendants of this process inherit.
func marked(t *testing.T) string {
	t.Helper()
	t.Setenv("PROC_TEST_MARKER", fmt.Sprintf("%d-%d", os.Getpid(), time.Now().UnixNano()))
	return "PROC_TEST_MARKER=" + os.Getenv("PROC_TEST_MARKER")
}

// gone waits until there is no process with the marker, and fails after a second.
func gone(t *testing.T, marker string) {
	t.Helper()
	deadline := time.Now().Add(time.Second)
	for {
		pids := processes(t, marker)
		if len(pids) == 0 {
			return
		}
		if time.Now().After(deadline) {
			for _, pid := range pids {
				stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
				_ = syscall.Kill(pid, syscall.SIGKILL)
				t.Errorf("process %d is left: %s", pid, stat)
			}
			return
		}
		runtime.Gosched()
	}
}

type burnArgs struct {
	Time time.Duration // on the clock of the processor; 0 for ever
	On   *proc.Conn[int]
}

// burn computes on the first processor that this process may use, and says when it begins.
var burn = proc.Register("burn", func(ctx context.Context, in burnArgs) (time.Duration, error) {
	names, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		id, err := strconv.Atoi(name.Name())
		if err != nil {
			return 0, err
		}
		if err := pin(id); err != nil {
			return 0, err
		}
	}
	if in.On != nil {
		if err := in.On.Send(ctx, 0); err != nil {
			return 0, err
		}
	}
	var from, now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &from); err != nil {
		return 0, err
	}
	for now = from; in.Time == 0 || time.Duration(now.Nano()-from.Nano()) < in.Time; {
		if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &now); err != nil {
			return 0, err
		}
	}
	return time.Duration(now.Nano() - from.Nano()), nil
})

func pin(thread int) error {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return err
	}
	for cpu := range 1024 {
		if set.IsSet(cpu) {
			set.Zero()
			set.Set(cpu)
			return unix.SchedSetaffinity(thread, &set)
		}
	}
	return errors.New("no processor")
}

// A task is not blamed for a machine that gives its worker no processor: here it shares one with five others, so that half
// of its time limit on the processor's clock takes three times the limit.
func TestStarvedWorkerIsNotBlamed(t *testing.T) {
	for range 5 {
		ours, theirs, err := proc.Pipe[int]()
		require.NoError(t, err)
		p, err := proc.Start(bg, burn, burnArgs{0, theirs}, proc.StartConfig{Daemon: true})
		require.NoError(t, err)
		defer func() {
			p.Kill()
			<-p.Done()
			require.NoError(t, ours.Close())
		}()
		_, err = ours.Receive(bg)
		require.NoError(t, err)
	}
	const limit, work = 60 * time.Millisecond, 30 * time.Millisecond
	pool := newPool(t, proc.PoolConfig{Workers: 1, TaskTimeout: limit})
	began := time.Now()
	took, err := proc.Call(bg, pool, burn, burnArgs{Time: work})
	require.NoError(t, err)
	require.GreaterOrEqual(t, took, work)
	require.Greater(t, time.Since(began), 2*limit, "the test is not what it says")
	began = time.Now()
	took, err = proc.Run(bg, burn, burnArgs{Time: work}, proc.StartConfig{Timeout: limit})
	require.NoError(t, err)
	require.GreaterOrEqual(t, took, work)
	require.Greater(t, time.Since(began), 2*limit, "the test is not what it says")
}

func init() {
	nestAgain = func() proc.Func[int, int] { return nest }
	programs["replaced"] = func() int {
		exe, err := os.Executable()
		if err == nil {
			if err = os.Remove(exe); err == nil {
				err = os.WriteFile(exe, []byte("#!/bin/false\n"), 0o700)
			}
		}
		x, err2 := proc.Run(bg, square, 7, proc.StartConfig{})
		if err != nil || err2 != nil {
			fmt.Println(err, err2)
			return 1
		}
		fmt.Println(x)
		return 0
	}
	programs["family"] = func() int {
		pool, err := proc.NewPool(bg, proc.PoolConfig{Workers: 2})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		if _, err := proc.Call(bg, pool, act, "sleeper"); err != nil {
			fmt.Println(err)
			return 1
		}
		for _, what := range []string{"spin", "stop"} {
			if _, err := proc.Submit(bg, pool, act, what); err != nil {
				fmt.Println(err)
				return 1
			}
		}
		for _, daemon := range []bool{false, true} {
			if _, err := proc.Start(bg, act, "hang", proc.StartConfig{Daemon: daemon}); err != nil {
				fmt.Println(err)
				return 1
			}
		}
		if _, err := proc.Start(bg, nest, 2, proc.StartConfig{}); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println("ready")
		select {}
	}
}

var nestAgain func() proc.Func[int, int] // nest cannot name itself

// nest starts a process that starts a process, and so on; all of them wait.
var nest = proc.Register("nest", func(ctx context.Context, n int) (int, error) {
	if n == 0 {
		<-ctx.Done()
		return 0, nil
	}
	return proc.Run(ctx, nestAgain(), n-1, proc.StartConfig{})
})

// A process that is killed leaves nothing behind: no child, stopped or busy, no grandchild, and nothing that they started.
func TestParentKilled(t *testing.T) {
	marker := marked(t)
	cmd, out := program(t, "family")
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	require.GreaterOrEqual(t, len(processes(t, marker)), 6)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	gone(t, marker)
}

// Killing a worker kills what its tasks have started.
func TestGroupEndsWithItsLeader(t *testing.T) {
	marker := marked(t)
	for _, end := range []string{"exit", "kill", "Kill", "Close", "Terminate"} {
		p := newPool(t, proc.PoolConfig{Workers: 1})
		_, err := proc.Call(bg, p, act, "sleeper")
		require.NoError(t, err)
		require.Eventually(t, func() bool { return len(processes(t, marker)) == 2 }, 5*time.Second, time.Millisecond)
		switch end {
		case "Kill":
			p.Workers()[0].Kill()
		case "Terminate":
			p.Workers()[0].Terminate()
		case "Close":
			p.Close()
		default:
			_, err = proc.Call(bg, p, act, end)
			require.ErrorIs(t, err, proc.ErrWorkerDied)
		}
		p.Kill()
		gone(t, marker)
	}
}

// Processes that were waited for by nobody but this package are no zombies.
func TestNoZombies(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 2})
	tasks := make([]string, 50)
	for i := range tasks {
		tasks[i] = []string{"exit", "kill"}[i%2]
	}
	_, err := proc.Map(bg, p, act, tasks, proc.MapConfig{All: true})
	require.Len(t, err.(interface{ Unwrap() []error }).Unwrap(), 50)
	p.Close()
	kids, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
	if err == nil {
		require.Empty(t, strings.TrimSpace(string(kids)))
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it is gone
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		require.NotEqual(t, strconv.Itoa(os.Getpid()), fields[1], "a child is left: %s", stat)
	}
}

// A child lives on when the thread that started it ends.
func TestThreadOfTheStarterEnds(t *testing.T) {
	started := make(chan *proc.Process[string])
	go func() {
		runtime.LockOSThread() // and the thread ends with the goroutine
		p, err := proc.Start(bg, act, "wait", proc.StartConfig{})
		if err != nil {
			panic(err)
		}
		started <- p
	}()
	p := <-started
	select {
	case <-p.Done():
		t.Fatal("it died with the thread")
	case <-time.After(300 * time.Millisecond):
	}
	p.Kill()
	require.NoError(t, p.Join(bg))
}

func TestNamesAreVisible(t *testing.T) {
	p, err := proc.Start(bg, act, "wait", proc.StartConfig{Name: "a name of more than fifteen bytes"})
	require.NoError(t, err)
	endAfter(t, p.Child)
	name := fmt.Sprintf("/proc/%d/comm", p.PID())
	require.Eventually(t, func() bool {
		comm, err := os.ReadFile(name)
		return err == nil && string(comm) == "a name of more \n"
	}, 5*time.Second, time.Millisecond)
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID()))
	require.NoError(t, err)
	require.Equal(t, "a name of more than fifteen bytes\x00", string(line))
}

// The binary may be replaced or removed while the program runs.
func TestBinaryReplaced(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	text, err := os.ReadFile(exe)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(file, text, 0o700))
	cmd := exec.Command(file)
	cmd.Env = append(os.Environ(), "PROC_TEST_PROGRAM=replaced")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "49\n", string(out))
}

func TestReasonsOfAProcess(t *testing.T) {
	_, err := proc.Run(bg, act, "hang", proc.StartConfig{Timeout: 50 * time.Millisecond})
	require.ErrorIs(t, err, proc.ErrTimeout)
	_, err = proc.Run(bg, act, "eat", proc.StartConfig{MemoryLimit: 100 << 20})
	require.ErrorIs(t, err, proc.ErrMemoryLimit)
	p, err := proc.Start(bg, act, "hang", proc.StartConfig{})
	require.NoError(t, err)
	p.Terminate()
	_, err = p.Wait(bg)
	require.ErrorIs(t, err, proc.ErrWorkerDied)
	code, sig, ok := p.ExitCode()
	require.True(t, ok)
	require.Equal(t, -1, code)
	require.Equal(t, syscall.SIGTERM, sig)
}

// The death of a worker is known at once, by no clock but the system's: the quickest of some reports, as the machine may
// be busy with other things.
func TestDeathIsReportedAtOnce(t *testing.T) {
	p := newPool(t, proc.PoolConfig{Workers: 1})
	quickest := time.Hour
	for range 20 {
		ours, theirs, err := proc.Pipe[int]()
		require.NoError(t, err)
		f, err := proc.Submit(bg, p, sayAndSpin, theirs)
		require.NoError(t, err)
		pid, err := ours.Receive(bg) // the task has begun
		require.NoError(t, err)
		require.NoError(t, ours.Close())
		killed := time.Now()
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		_, err = f.Wait(bg)
		quickest = min(quickest, time.Since(killed))
		var died *proc.WorkerError
		require.ErrorAs(t, err, &died)
		require.Equal(t, []any{proc.Signaled, syscall.SIGKILL, -1, pid, "sayAndSpin"}, []any{died.Reason, died.Signal, died.ExitCode, died.PID, died.Func})
	}
	require.Less(t, quickest, 50*time.Millisecond)
}

var sayAndSpin = proc.Register("sayAndSpin", func(ctx context.Context, c *proc.Conn[int]) (string, error) {
	if err := c.Send(ctx, os.Getpid()); err != nil {
		return "", err
	}
	for { //nolint:revive // it is to be killed
	}
})

// A process may end at any moment of the watch over its time limit.
func TestWatchOfAProcessThatEnds(t *testing.T) {
	for range 25 {
		p, err := proc.Start(bg, square, 3, proc.StartConfig{Timeout: 8 * time.Second}) // looked at every ten milliseconds
		require.NoError(t, err)
		q, err := proc.Start(bg, square, 3, proc.StartConfig{Timeout: 8 * time.Millisecond}) // every millisecond
		require.NoError(t, err)
		_, err = p.Wait(bg)
		require.NoError(t, err)
		if _, err = q.Wait(bg); err != nil {
			require.ErrorIs(t, err, proc.ErrTimeout)
		}
	}
}
