//go:build !tandem_nodl

package dl_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/dl"
)

// The second function is called if the first returned 0, with all eleven arguments.
func TestPair(t *testing.T) {
	var first uintptr
	var second [11]uintptr
	answers := [2]int32{}
	calls := 0
	one, err := dl.NewCallback(func(a uintptr) uintptr {
		calls++
		first = a
		runtime.GC() // which looks at the stack below C
		return uintptr(uint32(answers[0])) | 0xbad<<32
	})
	require.NoError(t, err)
	two, err := dl.NewCallback(func(a, b, c, d, e, f, g, h, i, j, k uintptr) uintptr {
		calls++
		second = [11]uintptr{a, b, c, d, e, f, g, h, i, j, k}
		runtime.GC()
		return uintptr(uint32(answers[1])) | 0xbad<<32
	})
	require.NoError(t, err)
	p := &dl.Pair{First: dl.Func(one), Arg: 1 << 40, Second: dl.Func(two)}
	for i := range p.Args {
		p.Args[i] = uintptr(i+1) << 33
	}
	for range 2 { // it may be used again
		calls, answers = 0, [2]int32{0, 0}
		r, wasFirst := p.Run()
		require.Zero(t, r)
		require.False(t, wasFirst)
		require.Equal(t, 2, calls)
		require.Equal(t, uintptr(1<<40), first)
		require.Equal(t, p.Args, second)
		answers[1] = -7
		r, wasFirst = p.Run()
		require.Equal(t, int32(-7), r)
		require.False(t, wasFirst)
		calls, answers[0] = 0, 201
		r, wasFirst = p.Run()
		require.Equal(t, int32(201), r)
		require.True(t, wasFirst)
		require.Equal(t, 1, calls)
	}
}
