//go:build linux && (amd64 || arm64)

package jit

// Form names what an instruction does, as the list of native operations does.
var Form = form
