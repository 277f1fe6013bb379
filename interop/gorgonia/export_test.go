//go:build gorgonia && cgo

package gorgonia

import (
	"github.com/tandem-go/tandem/internal/driver"
	"github.com/tandem-go/tandem/internal/nvidia/cuapi"
)

// BackEnd is the back end with a driver library of the test's.
func BackEnd(open func() (*cuapi.Library, error)) driver.Backend { return backend(open) }
