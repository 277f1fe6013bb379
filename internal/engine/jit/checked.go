//go:build linux && (amd64 || arm64) && !tandem_measure_without_checks

package jit

// addressChecks tells that code checks each address before it loads or stores there. Without, which only the measurement of what
// that costs is built with, what is out of bounds is found by the guard ranges around memory, or not at all.
const addressChecks = true
