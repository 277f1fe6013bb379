package rt_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine/rt"
	"github.com/tandem-go/tandem/internal/mem"
)

func newRuntime(t testing.TB, c rt.Config) *rt.Runtime {
	t.Helper()
	s, err := mem.New(mem.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	c.Memory = s
	return rt.New(c)
}

// memory lays strings and arguments out as a kernel does and reads them back; addresses begin at 1024.
type memory struct{ b []byte }

func (m *memory) text(s string) uint64 {
	at := uint64(1024 + len(m.b))
	m.b = append(append(m.b, s...), 0)
	return at
}

func (m *memory) args(values ...any) uint64 {
	for len(m.b)%8 != 0 {
		m.b = append(m.b, 0xee)
	}
	at := uint64(1024 + len(m.b))
	put := func(v uint64, n int) {
		for len(m.b)%n != 0 {
			m.b = append(m.b, 0xee)
		}
		m.b = append(m.b, binary.LittleEndian.AppendUint64(nil, v)[:n]...)
	}
	for _, v := range values {
		switch v := v.(type) {
		case int:
			put(uint64(v), 4)
		case uint32:
			put(uint64(v), 4)
		case int64:
			put(uint64(v), 8)
		case uint64:
			put(v, 8)
		case float64:
			put(math.Float64bits(v), 8)
		}
	}
	return at
}

func (m *memory) read(addr uint64, n int) (uint64, bool) {
	if addr < 1024 || addr+uint64(n) > 1024+uint64(len(m.b)) {
		return 0, false
	}
	var b [8]byte
	copy(b[:n], m.b[addr-1024:])
	return binary.LittleEndian.Uint64(b[:]), true
}

func printed(t *testing.T, r *rt.Runtime) string {
	var out bytes.Buffer
	require.NoError(t, r.Flush(&out))
	return out.String()
}

// The wanted texts were made by the C library's printf.
var conversions = []struct {
	format, want string
	args         []any
}{
	{`%d`, "42", []any{42}},
	{`%i`, "-7", []any{-7}},
	{`%5d|`, "   42|", []any{42}},
	{`%-5d|`, "42   |", []any{42}},
	{`%05d`, "-0042", []any{-42}},
	{`%+d`, "+42", []any{42}},
	{`% d`, " 42", []any{42}},
	{`%.3d`, "007", []any{7}},
	{`%8.3d|`, "    -007|", []any{-7}},
	{`%08.3d|`, "     007|", []any{7}},
	{`%.0d|`, "|", []any{0}},
	{`%u`, "4294967295", []any{uint32(4294967295)}},
	{`%x`, "ff", []any{255}},
	{`%#x`, "0xff", []any{255}},
	{`%#X`, "0XFF", []any{255}},
	{`%#x`, "0", []any{0}},
	{`%08x`, "0000beef", []any{0xbeef}},
	{`%o`, "10", []any{8}},
	{`%#o`, "010", []any{8}},
	{`%#o`, "0", []any{0}},
	{`%#.0o|`, "0|", []any{0}},
	{`%#08x`, "0x0000ff", []any{255}},
	{`%hhd`, "44", []any{300}},
	{`%hd`, "4464", []any{70000}},
	{`%hu`, "4464", []any{70000}},
	{`%lld`, "-1234567890123", []any{int64(-1234567890123)}},
	{`%llu`, "18446744073709551615", []any{uint64(18446744073709551615)}},
	{`%llx`, "123456789abcdef", []any{int64(0x123456789abcdef)}},
	{`%zu`, "99", []any{int64(99)}},
	{`%c|`, "A|", []any{65}},
	{`%3c|`, "  A|", []any{65}},
	{`%-3c|`, "A  |", []any{65}},
	{`%f`, "1.500000", []any{1.5}},
	{`%.2f`, "2.67", []any{2.675}},
	{`%10.3f|`, "     3.142|", []any{3.14159}},
	{`%-10.3f|`, "3.142     |", []any{3.14159}},
	{`%010.3f|`, "-00003.142|", []any{-3.14159}},
	{`%+.1f`, "+0.1", []any{0.05}},
	{`%.0f`, "2", []any{2.5}},
	{`%#.0f`, "2.", []any{2.5}},
	{`%f`, "100000000000000000000.000000", []any{1e20}},
	{`%e`, "1.234568e+04", []any{12345.678}},
	{`%.0e`, "1e+04", []any{12345.678}},
	{`%#.0e`, "1.e+04", []any{12345.678}},
	{`%E`, "1.000000E-300", []any{1e-300}},
	{`%.3e`, "0.000e+00", []any{0.0}},
	{`%g`, "0.0001", []any{0.0001}},
	{`%g`, "1e-05", []any{0.00001}},
	{`%g`, "123456", []any{123456.0}},
	{`%g`, "1.23457e+06", []any{1234567.0}},
	{`%g`, "100000", []any{100000.0}},
	{`%g`, "1e+06", []any{1e6}},
	{`%.3g`, "1.23e+03", []any{1234.5}},
	{`%#g`, "1.00000", []any{1.0}},
	{`%.0g`, "1e+02", []any{123.0}},
	{`%G`, "1E-10", []any{1e-10}},
	{`%g`, "0", []any{0.0}},
	{`%#.3g`, "1.00e+10", []any{1e10}},
	{`%g`, "0.5", []any{0.5}},
	{`%.10g`, "0.1", []any{0.1}},
	{`%a`, "0x1p+0", []any{1.0}},
	{`%a`, "0x1p-1", []any{0.5}},
	{`%a`, "0x1.91eb851eb851fp+1", []any{3.14}},
	{`%.2a`, "0x1.92p+1", []any{3.14}},
	{`%A`, "0X1.FFP+7", []any{255.5}},
	{`%#a`, "0x1.p+0", []any{1.0}},
	{`%d %d %f %d`, "1 2 3.000000 4", []any{1, 2, 3.0, 4}},
	{`%*d|`, "    42|", []any{6, 42}},
	{`%-*d|`, "42    |", []any{6, 42}},
	{`%*d|`, "42    |", []any{-6, 42}},
	{`%.*f`, "3.14", []any{2, 3.14159}},
	{`%*.*f|`, "     2.2|", []any{8, 1, 2.25}},
	{`%.*d|`, "5|", []any{-1, 5}},
	{`100%% %d`, "100% 1", []any{1}},
	{`%f`, "inf", []any{math.Inf(1)}},
	{`%08.2f|`, "    -inf|", []any{math.Inf(-1)}},
	{`%E`, "NAN", []any{math.NaN()}},
	{`%p`, "0x7f00", []any{uint64(0x7f00)}},
	{`%p`, "(nil)", []any{uint64(0)}},
	{`%s`, "(null)", []any{uint64(0)}},
	{`%k %d`, "%k 1", []any{1}},
	{`50%`, "50%", nil},
	{``, "", nil},
}

func TestConversions(t *testing.T) {
	r := newRuntime(t, rt.Config{})
	for _, c := range conversions {
		var m memory
		format := m.text(c.format)
		n, ok := r.Printf(m.read, format, m.args(c.args...))
		require.True(t, ok, c.format)
		require.EqualValues(t, len(c.args), n, c.format)
		require.Equal(t, c.want, printed(t, r), c.format)
	}
}

func TestStrings(t *testing.T) {
	r := newRuntime(t, rt.Config{})
	var m memory
	format, name := m.text("<%s> <%8s> <%-8s> <%.3s>"), m.text("kernel")
	n, ok := r.Printf(m.read, format, m.args(name, name, name, name))
	require.True(t, ok)
	require.EqualValues(t, 4, n)
	require.Equal(t, "<kernel> <  kernel> <kernel  > <ker>", printed(t, r))

	// The precision bounds what is read: there is no zero behind these bytes.
	m = memory{}
	format = m.text("%.4s")
	args := m.args(uint64(1024 + 16))
	m.b = append(m.b, "abcd"...)
	require.EqualValues(t, 1024+16, 1024+len(m.b)-4)
	_, ok = r.Printf(m.read, format, args)
	require.True(t, ok)
	require.Equal(t, "abcd", printed(t, r))
}

func TestPrintfRefused(t *testing.T) {
	r := newRuntime(t, rt.Config{})
	var m memory
	n, ok := r.Printf(m.read, 0, 0)
	require.True(t, ok)
	require.EqualValues(t, -1, n)
	_, ok = r.Printf(m.read, 8, 0)
	require.False(t, ok, "bad format address")
	format := m.text("%d %s")
	_, ok = r.Printf(m.read, format, 1<<40)
	require.False(t, ok, "bad argument address")
	_, ok = r.Printf(m.read, format, m.args(1, uint64(1)<<40))
	require.False(t, ok, "bad string address")
	require.Empty(t, printed(t, r))
}

func TestHugeWidthsAreBounded(t *testing.T) {
	r := newRuntime(t, rt.Config{})
	var m memory
	format := m.text("%999999999999d%*d%.*f")
	_, ok := r.Printf(m.read, format, m.args(1, math.MaxInt32, 2, math.MaxInt32, 1.0))
	require.True(t, ok)
	require.Less(t, len(printed(t, r)), 1<<20)
}

func TestOldestTextIsLost(t *testing.T) {
	r := newRuntime(t, rt.Config{PrintfBytes: 1000})
	var m memory
	format := m.text("%5d\n")
	args := m.args(0)
	for i := range 1000 {
		binary.LittleEndian.PutUint32(m.b[args-1024:], uint32(i))
		_, ok := r.Printf(m.read, format, args)
		require.True(t, ok)
	}
	out := printed(t, r)
	require.LessOrEqual(t, len(out), 1000)
	require.Greater(t, len(out), 800)
	lines := strings.Fields(out)
	require.Equal(t, "999", lines[len(lines)-1])
	require.Equal(t, 1000-len(lines), r.Lost())
	require.Empty(t, printed(t, r))
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestFlush(t *testing.T) {
	r := newRuntime(t, rt.Config{})
	var m memory
	format := m.text("x")
	r.Printf(m.read, format, 0)
	require.NoError(t, r.Flush(nil))
	require.NoError(t, r.Flush(broken{}), "nothing to write")
	r.Printf(m.read, format, 0)
	require.ErrorContains(t, r.Flush(broken{}), "broken pipe")
}

func TestConcurrentPrintf(t *testing.T) {
	r := newRuntime(t, rt.Config{})
	var g sync.WaitGroup
	for w := range 4 {
		g.Go(func() {
			var m memory
			format := m.text("w%d\n")
			args := m.args(w)
			for range 200 {
				r.Printf(m.read, format, args)
			}
		})
	}
	g.Wait()
	out := printed(t, r)
	for _, line := range []string{"w0\n", "w1\n", "w2\n", "w3\n"} {
		require.Equal(t, 200, strings.Count(out, line))
	}
	require.Len(t, out, 800*3)
}

func TestHeap(t *testing.T) {
	r := newRuntime(t, rt.Config{HeapBytes: 1000})
	require.Zero(t, r.Malloc(0))
	require.Zero(t, r.Malloc(1001))
	a := r.Malloc(600)
	require.NotZero(t, a)
	require.Zero(t, a%16)
	mem.Fill(a, 600, 1)
	require.Zero(t, r.Malloc(401))
	b := r.Malloc(400)
	require.NotZero(t, b)
	require.False(t, r.Free(a+16))
	require.True(t, r.Free(a))
	require.False(t, r.Free(a))
	require.True(t, r.Free(0))
	require.NotZero(t, r.Malloc(600))
}

func TestTimersAlwaysAdvance(t *testing.T) {
	r := newRuntime(t, rt.Config{})
	var clocks, timers [4][1000]uint64
	var g sync.WaitGroup
	for w := range clocks {
		g.Go(func() {
			for i := range clocks[w] {
				clocks[w][i], timers[w][i] = r.Clock(), r.Globaltimer()
			}
		})
	}
	g.Wait()
	seen := map[uint64]bool{}
	for w := range clocks {
		for i, c := range clocks[w] {
			require.False(t, seen[c], "the same tick twice")
			seen[c] = true
			if i > 0 {
				require.Greater(t, c, clocks[w][i-1])
				require.Greater(t, timers[w][i], timers[w][i-1])
			}
		}
	}
}
