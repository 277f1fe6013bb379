//go:build !tandem_nodl

package nvjitlink_test

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/dl"
	"github.com/tandem-go/tandem/internal/nvjitlink"
)

// stand is a library made of callbacks. Callbacks cannot be freed, so there is one set, for the stand that is current.
type stand struct {
	options []string
	inputs  []string
	kinds   []uintptr
	open    int
	fails   string // the function that does
}

var current *stand

func bytesAt(p, n uintptr) []byte { return unsafe.Slice(*(**byte)(unsafe.Pointer(&p)), n) }

func word(p uintptr) *uintptr { return *(**uintptr)(unsafe.Pointer(&p)) }

func (s *stand) result(name string) uintptr {
	if s.fails == name {
		return 6
	}
	return 0
}

func put(p uintptr, text string) { copy(bytesAt(p, uintptr(len(text)+1)), text+"\x00") }

var functions = map[string]any{
	"__nvJitLinkCreate_12_0": func(h, n, options uintptr) uintptr {
		current.open++
		*word(h) = 77
		for i := range n {
			current.options = append(current.options, dl.GoString(*word(options + 8*i)))
		}
		return current.result("Create")
	},
	"__nvJitLinkDestroy_12_0": func(h uintptr) uintptr { current.open -= int(*word(h)) - 76; return 0 },
	"__nvJitLinkAddData_12_0": func(h, kind, data, size, name uintptr) uintptr {
		current.kinds = append(current.kinds, kind)
		current.inputs = append(current.inputs, dl.GoString(name)+":"+string(bytesAt(data, size)))
		return current.result("AddData")
	},
	"__nvJitLinkComplete_12_0":           func(h uintptr) uintptr { return current.result("Complete") },
	"__nvJitLinkGetLinkedCubinSize_12_0": func(h, n uintptr) uintptr { *word(n) = 5; return current.result("GetLinkedCubinSize") },
	"__nvJitLinkGetLinkedCubin_12_0":     func(h, p uintptr) uintptr { copy(bytesAt(p, 5), "cubin"); return current.result("GetLinkedCubin") },
	"__nvJitLinkGetErrorLogSize_12_0":    func(h, n uintptr) uintptr { *word(n) = 6; return 0 },
	"__nvJitLinkGetErrorLog_12_0":        func(h, p uintptr) uintptr { put(p, "wrong"); return 0 },
	"__nvJitLinkGetInfoLogSize_12_0":     func(h, n uintptr) uintptr { *word(n) = 5; return 0 },
	"__nvJitLinkGetInfoLog_12_0":         func(h, p uintptr) uintptr { put(p, "fine"); return 0 },
	"nvJitLinkVersion": func(major, minor uintptr) uintptr {
		*(*int32)(unsafe.Pointer(word(major))), *(*int32)(unsafe.Pointer(word(minor))) = 12, 4
		return 0
	},
}

func TestLink(t *testing.T) {
	addresses := map[string]dl.Func{}
	for name, f := range functions {
		a, err := dl.NewCallback(f)
		require.NoError(t, err)
		addresses[name] = dl.Func(a)
	}
	lookup := func(symbol string) (dl.Func, error) {
		if f, ok := addresses[symbol]; ok {
			return f, nil
		}
		return 0, dl.ErrNoSymbol
	}
	l, err := nvjitlink.New("stand", lookup)
	require.NoError(t, err)
	require.Equal(t, "12.4", l.Version())
	inputs := []nvjitlink.Input{{"a.ptx", []byte(".version 8.4")}, {"b.cubin", []byte("\x7fELF\x00")}, {"c.fatbin", []byte("\x50\xed\x55\xba\x00")}}

	current = &stand{}
	cubin, log, err := l.Link("sm_90", inputs, "-lineinfo")
	require.NoError(t, err)
	require.Equal(t, "cubin", string(cubin))
	require.Equal(t, "fine", log)
	require.Equal(t, &stand{
		options: []string{"-arch=sm_90", "-lineinfo"}, kinds: []uintptr{2, 1, 4},
		inputs: []string{"a.ptx:.version 8.4\x00", "b.cubin:\x7fELF\x00", "c.fatbin:\x50\xed\x55\xba\x00"},
	}, current)

	for _, name := range []string{"Create", "AddData", "Complete", "GetLinkedCubinSize", "GetLinkedCubin"} {
		current = &stand{fails: name}
		_, _, err = l.Link("sm_90", inputs)
		var failed *nvjitlink.Error
		require.ErrorAs(t, err, &failed)
		require.Equal(t, name, failed.Op)
		require.Equal(t, 6, failed.Code)
		if name != "Create" {
			require.EqualError(t, err, "nvJitLink"+name+": error 6: wrong")
			require.Zero(t, current.open, "what was made is destroyed")
		}
	}
	current = &stand{}
	_, _, err = l.Link("sm_90", []nvjitlink.Input{{"x", []byte{1, 0, 2}}})
	require.ErrorContains(t, err, "neither PTX")
	require.Zero(t, current.open)

	delete(addresses, "__nvJitLinkComplete_12_0")
	_, err = nvjitlink.New("stand", lookup)
	require.ErrorIs(t, err, dl.ErrNotFound)
	_, err = nvjitlink.Open("no-such-library.so")
	require.ErrorIs(t, err, dl.ErrNotFound)
}
