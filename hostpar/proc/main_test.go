package proc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tandem-go/tandem/hostpar/proc"
)

func TestMain(m *testing.M) {
	if os.Getenv("PROC_TEST_WITHOUT_MAIN") != "" {
		_, err := proc.Start(context.Background(), square, 1, proc.StartConfig{})
		fmt.Println(err)
		return
	}
	if os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=0") // for children: the race detector delays every exit by a second
	}
	os.Exit(proc.Main(func() int {
		if name := os.Getenv("PROC_TEST_PROGRAM"); name != "" {
			return programs[name]()
		}
		code := m.Run()
		if code == 0 {
			if err := goleak.Find(); err != nil {
				fmt.Println(err)
				code = 1
			}
			if n := len(proc.Children()); n > 0 {
				fmt.Println(n, "processes are left")
				code = 1
			}
		}
		return code
	}))
}

// programs are whole programs, for tests in which a parent dies.
var programs = map[string]func() int{}

// program starts this binary as another program.
func program(t *testing.T, name string) (*exec.Cmd, io.Reader) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "PROC_TEST_PROGRAM="+name)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return cmd, out
}

var bg = context.Background()

var square = proc.Register("square", func(_ context.Context, x int) (int, error) { return x * x, nil })

var errOdd = proc.RegisterError(errors.New("odd number"))

type tooBig struct{ Limit int }

func (e tooBig) Error() string { return fmt.Sprintf("more than %d", e.Limit) }

var _ = proc.RegisterType[tooBig]()

// act does what it is told, and answers with its argument.
var act = proc.Register("act", func(ctx context.Context, what string) (string, error) {
	verb, arg, _ := strings.Cut(what, " ")
	switch verb {
	case "exit":
		os.Exit(len(arg))
	case "panic":
		panic(arg)
	case "goexit":
		runtime.Goexit()
	case "odd":
		return "", fmt.Errorf("%w: %s", errOdd, arg)
	case "big":
		return "", fmt.Errorf("wrapped: %w", tooBig{7})
	case "toobig":
		return "", tooBig{7}
	case "eof":
		return "", io.EOF
	case "hang":
		select {}
	case "spin":
		for { //nolint:revive // it is to be killed
		}
	case "wait":
		<-ctx.Done()
		return "", context.Cause(ctx)
	case "fatal":
		go func() { panic(arg) }()
		select {}
	case "eat":
		var all [][]byte
		for {
			b := make([]byte, 1<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			all = append(all, b)
			runtime.KeepAlive(all)
		}
	case "name":
		return proc.Current().Name, nil
	case "env":
		return os.Getenv(arg), nil
	case "say":
		for range 10_000 {
			fmt.Println(strings.Repeat(arg, 100))
		}
	case "nothing", "":
	default:
		return actSystem(ctx, verb, arg)
	}
	return what, nil
})

// within fails the test if fn does not return: for calls that must not hang. How long a call takes on a machine that has
// much else to do is not tested.
func within(t *testing.T, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	for range 300 { // seconds in which this process ran: it may have been stopped
		select {
		case <-done:
			return
		case <-time.After(time.Second):
		}
	}
	buf := make([]byte, 1<<20)
	t.Fatalf("not done after five minutes\n%s", buf[:runtime.Stack(buf, true)])
}

// newPool returns a pool that is killed at the end of the test.
func newPool(t testing.TB, cfg proc.PoolConfig) *proc.Pool {
	t.Helper()
	p, err := proc.NewPool(bg, cfg)
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	return p
}

// counter counts how often each of some keys was seen, by lines in a file that all processes append to.
var record = proc.Register("record", func(_ context.Context, in [2]string) (int, error) {
	f, err := os.OpenFile(in[0], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	if _, err := f.WriteString(in[1] + "\n"); err != nil {
		return 0, err
	}
	if err := f.Close(); err != nil {
		return 0, err
	}
	if in[1] == "poison" {
		os.Exit(1)
	}
	return 1, nil
})

// recorded counts the lines of a file.
func recorded(t *testing.T, file string) map[string]int {
	t.Helper()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	counts := map[string]int{}
	for line := range strings.Lines(string(text)) {
		counts[strings.TrimSpace(line)]++
	}
	return counts
}
