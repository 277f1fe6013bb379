//go:build linux && !tandem_nodl

package nvidia_test

import (
	"testing"

	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/driver/drivertest"
)

// TestConformance runs the contract's checks against a driver library that computes on the CPU.
func TestConformance(t *testing.T) {
	drivertest.Run(t, func(t *testing.T) driver.Device { return newFakeOnce(t).open(t) })
}

// newFakeOnce returns the fake of this test: a check may open more than one device.
func newFakeOnce(t *testing.T) *fake {
	if f := active.Load(); f != nil && f.t == t {
		return f
	}
	return newFake(t)
}
