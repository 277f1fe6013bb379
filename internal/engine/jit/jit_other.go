//go:build !linux || !(amd64 || arm64)

package jit

// makers: no engine for this processor or system.
var makers []maker
