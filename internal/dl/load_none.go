//go:build tandem_nodl || android || !(linux || darwin || windows)

package dl

func openLibrary(string, bool) (uintptr, error)   { return 0, ErrNoLoader }
func findSymbol(uintptr, string) (uintptr, error) { return 0, ErrNoLoader }
func registerFunc(any, uintptr) error             { return ErrNoLoader }
func newCallback(any) (uintptr, error)            { return 0, ErrNoLoader }

// call is never reached: without a loader there is no function to call.
func call(uintptr, []uintptr) uintptr { return 0 }
