//go:build ((linux && !android) || darwin) && !tandem_nodl

package dl

import (
	"runtime"

	"github.com/ebitengine/purego"
)

const noLoaderReason = "" // this build has a loader

// openLibrary holds the thread because dlerror reports the last failure of the calling thread.
func openLibrary(path string, global bool) (uintptr, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	visibility := purego.RTLD_LOCAL
	if global {
		visibility = purego.RTLD_GLOBAL
	}
	return purego.Dlopen(path, purego.RTLD_NOW|visibility)
}

func findSymbol(handle uintptr, name string) (uintptr, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return purego.Dlsym(handle, name)
}
