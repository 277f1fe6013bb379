//go:build race

package interp_test

const race = true
