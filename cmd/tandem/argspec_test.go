package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseSpec(t *testing.T) {
	for text, want := range map[string]spec{
		"null":               {null: true},
		"i8:-128":            {value: int8(-128)},
		"u16:0xffff":         {value: uint16(0xffff)},
		"i32:-5":             {value: int32(-5)},
		"u64:0b11":           {value: uint64(3)},
		"i64:-9":             {value: int64(-9)},
		"f32:2.5":            {value: float32(2.5)},
		"f64:0x1p-3":         {value: 0.125},
		"bytes:00ff10":       {value: [3]byte{0, 255, 16}},
		"in:a.npy":           {load: "a.npy"},
		"inout:a.npy":        {load: "a.npy", save: "a.npy"},
		"inout:a.npy:b.npy":  {load: "a.npy", save: "b.npy"},
		"out:f32[400]:c.npy": {save: "c.npy", dtype: "f4", n: 400},
		"out:c128[2]:c.npy":  {save: "c.npy", dtype: "c16", n: 2},
	} {
		want.text = text
		got, err := parseSpec(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
}

func TestParseSpecRefuses(t *testing.T) {
	for _, text := range []string{
		"", "x", "in:", "out:f32[4]", "out:f32[4]:", "out:f31[4]:a", "out:f32[0]:a", "out:f32[-1]:a", "out:f32 4:a", "out:f32[4:a",
		"i8:128", "u8:-1", "i7:1", "f16:1", "f32:x", "bytes:0", "bytes:zz", "double:1", "i:1", "f32:1e99",
	} {
		_, err := parseSpec(text)
		require.Error(t, err, text)
		var e *exitError
		require.ErrorAs(t, err, &e, text)
		require.Equal(t, exitUsage, e.status)
	}
}

func TestParseDim(t *testing.T) {
	d, err := parseDim("--grid", "4,5")
	require.NoError(t, err)
	require.Equal(t, [3]int{4, 5, 1}, [3]int{d.X, d.Y, d.Z})
	for _, text := range []string{"", "1,2,3,4", "x", "-1", "99999999999"} {
		_, err := parseDim("--grid", text)
		require.Error(t, err, text)
	}
}
