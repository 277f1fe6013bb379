package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOutput(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out, 20, 3))
	require.Regexp(t, `^(fib\(20\) = 4181\n){3}(fib\(20\) = 4181 on a goroutine\n){3}serial .* speed-up [0-9.]+, efficiency \d+ % on \d+ cores\n$`, out.String())
	require.EqualError(t, run(t.Context(), &out, 0, 1), "fib(0): numbers begin at 1")
}

func TestNumbering(t *testing.T) {
	a, b := 0, 1
	for n := 1; n < 25; n++ {
		f, err := fib(n)
		require.NoError(t, err)
		require.Equal(t, a, f)
		a, b = b, a+b
	}
}
