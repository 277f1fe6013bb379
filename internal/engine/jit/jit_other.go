//go:build !linux || !(amd64 || arm64)

package jit

import (
	"fmt"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/ir"
)

// makers: no engine for this processor or system.
var makers []maker

// List compiles k as the engine of that name does, one of Names, and returns the machine code. The error wraps ErrUnavailable:
// this build has no engine.
func List(name string, _ *ir.Kernel, _ engine.Options) (*Listing, error) {
	return nil, fmt.Errorf("%w: this build emits no code for %s", ErrUnavailable, name)
}
