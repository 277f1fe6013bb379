//go:build unix && !linux && !darwin

package mem

func physical() uint64 { return fallbackPhysical }
