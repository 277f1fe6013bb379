//go:build tandem_nodl

package dl_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/dl"
)

func TestWithoutLoaderEachOpenSaysSo(t *testing.T) {
	require.False(t, dl.Available())
	_, err := dl.Open("libc.so.6")
	require.ErrorIs(t, err, dl.ErrNoLoader)
	require.ErrorContains(t, err, "tandem_nodl")
	_, err = dl.OpenAny("the C library", []string{"libc.so.6"})
	require.ErrorIs(t, err, dl.ErrNoLoader)
	_, err = dl.NewCallback(func() {})
	require.ErrorIs(t, err, dl.ErrNoLoader)
	var fn func()
	require.ErrorIs(t, dl.BindFunc(&fn, 1), dl.ErrNoLoader)
}
