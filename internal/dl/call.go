package dl

// Call calls the C function with up to MaxArgs integer or pointer arguments and returns its integer result; the caller
// truncates that to the width of the C type, since the upper bits are undefined. Floating-point parameters and results
// and structures by value need Bind.
//
// A pointer to Go memory may be passed in two ways. In a call with literal arguments, uintptr(unsafe.Pointer(p)) in the
// argument list keeps p alive, and costs an allocation. With a reused slice, f.Call(words[:n]...), nothing is allocated
// and nothing protects what the words point to: each such object must be on the heap (a field of a long-lived
// structure or a pooled one, never a local variable, whose stack may move) and be kept by runtime.KeepAlive until after
// the call. Frame does both.
//
//go:uintptrescapes
func (f Func) Call(args ...uintptr) uintptr { return call(uintptr(f), args) }
