//go:build windows && !tandem_nodl

package dl

import "syscall"

const noLoaderReason = "" // this build has a loader

func openLibrary(path string) (uintptr, error) {
	handle, err := syscall.LoadLibrary(path)
	if err != nil {
		return 0, &loaderError{err.Error()}
	}
	return uintptr(handle), nil
}

func findSymbol(handle uintptr, name string) (uintptr, error) {
	fn, err := syscall.GetProcAddress(syscall.Handle(handle), name)
	if err != nil {
		return 0, &loaderError{err.Error()}
	}
	return fn, nil
}
