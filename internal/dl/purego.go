//go:build ((linux && !android) || darwin || windows) && !tandem_nodl

package dl

import "github.com/ebitengine/purego"

func call(fn uintptr, args []uintptr) uintptr {
	r, _, _ := purego.SyscallN(fn, args...)
	return r
}

func registerFunc(fptr any, fn uintptr) error {
	purego.RegisterFunc(fptr, fn)
	return nil
}

func newCallback(fn any) (uintptr, error) { return purego.NewCallback(fn), nil }
