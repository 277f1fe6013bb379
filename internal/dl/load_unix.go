//go:build ((linux && !android) || darwin) && !tandem_nodl

package dl

import (
	"runtime"

	"github.com/ebitengine/purego"
)

const noLoaderReason = "" // this build has a loader

// openLibrary holds the thread because dlerror reports the last failure of the calling thread.
func openLibrary(path string) (uintptr, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

func findSymbol(handle uintptr, name string) (uintptr, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	return purego.Dlsym(handle, name)
}
