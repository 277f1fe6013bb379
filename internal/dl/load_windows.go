//go:build windows && !tandem_nodl

package dl

import "syscall"

const noLoaderReason = "" // this build has a loader

func openLibrary(path string, _ bool) (uintptr, error) {
	handle, err := syscall.LoadLibrary(path)
	return uintptr(handle), err
}

func findSymbol(handle uintptr, name string) (uintptr, error) {
	return syscall.GetProcAddress(syscall.Handle(handle), name)
}
