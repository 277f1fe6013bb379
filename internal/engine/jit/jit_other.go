//go:build !(linux && amd64)

package jit

import (
	"fmt"
	"runtime"

	"github.com/tandem-go/tandem/internal/engine"
)

// New returns the engine for this machine's processor, or an error that wraps ErrUnavailable.
func New() (engine.Engine, error) {
	return nil, fmt.Errorf("%w: %s/%s", ErrUnavailable, runtime.GOOS, runtime.GOARCH)
}
