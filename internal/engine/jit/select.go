package jit

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/tandem-go/tandem/internal/engine"
)

// maker makes an engine, or says why this machine cannot run it.
type maker struct {
	name string
	make func() (engine.Engine, error)
}

// New returns the fastest engine that this machine's processor can run, or an error that wraps ErrUnavailable.
func New() (engine.Engine, error) {
	failures := []error{fmt.Errorf("%w: %s/%s", ErrUnavailable, runtime.GOOS, runtime.GOARCH)}
	for _, m := range makers {
		e, err := m.make()
		if err == nil {
			return e, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

// Named returns the engine of that name, one of Names, or an error that wraps ErrUnavailable.
func Named(name string) (engine.Engine, error) {
	for _, m := range makers {
		if m.name == name {
			return m.make()
		}
	}
	return nil, fmt.Errorf("%w: %s on %s/%s", ErrUnavailable, name, runtime.GOOS, runtime.GOARCH)
}

// Names are the names of the engines that this build has, the fastest first.
func Names() (names []string) {
	for _, m := range makers {
		names = append(names, m.name)
	}
	return names
}
