//go:build linux && (amd64 || arm64) && tandem_measure_without_checks

package jit

const addressChecks = false
