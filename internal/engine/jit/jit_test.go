//go:build linux && (amd64 || arm64)

package jit_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/enginetest"
	"github.com/tandem-go/tandem/internal/engine/interp"
	"github.com/tandem-go/tandem/internal/engine/jit"
	"github.com/tandem-go/tandem/internal/ir"
)

func compiled(t testing.TB) engine.Engine {
	e, err := jit.New()
	require.NoError(t, err)
	return e
}

// engines are all that this machine can run.
func engines(t testing.TB) (all []engine.Engine) {
	for _, name := range jit.Names() {
		e, err := jit.Named(name)
		if errors.Is(err, jit.ErrUnavailable) {
			continue
		}
		require.NoError(t, err)
		require.Equal(t, name, e.Name())
		all = append(all, e)
	}
	require.NotEmpty(t, all, "engines for this machine")
	return all
}

func everyEngine(t *testing.T, f func(t *testing.T, e engine.Engine)) {
	for _, e := range engines(t) {
		t.Run(e.Name(), func(t *testing.T) { f(t, e) })
	}
}

// TestSelection: the fastest engine is the one that a program gets, and one without a name that this build has is none.
func TestSelection(t *testing.T) {
	require.Equal(t, engines(t)[0].Name(), compiled(t).Name())
	_, err := jit.Named("jit/none")
	require.ErrorIs(t, err, jit.ErrUnavailable)
}

// fallback runs what an engine does not compile on the reference engine, as the host device does. With specialised it
// compiles a kernel for the extent of the block that is launched.
type fallback struct {
	engine.Engine
	specialised bool
	compiled    *int
}

func (f fallback) Compile(k *ir.Kernel, o engine.Options) (engine.Program, error) {
	reference, err := interp.New().Compile(k, o)
	if err != nil {
		return nil, err
	}
	if f.specialised {
		return &late{Program: reference, f: f, k: k, o: o}, nil
	}
	p, err := f.Engine.Compile(k, o)
	if err != nil {
		return reference, nil
	}
	*f.compiled++
	return p, nil
}

// late compiles when it sees the first launch.
type late struct {
	engine.Program
	f    fallback
	k    *ir.Kernel
	o    engine.Options
	once sync.Once
}

func (l *late) Block(launch *engine.Launch, i uint64, w engine.Windows) engine.Block {
	l.once.Do(func() {
		l.o.Block = launch.Block
		if p, err := l.f.Engine.Compile(l.k, l.o); err == nil {
			l.Program = p
			*l.f.compiled++
		}
	})
	return l.Program.Block(launch, i, w)
}

func TestRunFiles(t *testing.T) { everyEngine(t, testRunFiles) }

func testRunFiles(t *testing.T, e engine.Engine) {
	n := 0
	enginetest.Run(t, fallback{e, false, &n})
	enginetest.RunHazards(t, fallback{e, false, &n})
	require.NotZero(t, n)
}

func TestRunFilesSpecialised(t *testing.T) { everyEngine(t, testRunFilesSpecialised) }

func testRunFilesSpecialised(t *testing.T, e engine.Engine) {
	n := 0
	enginetest.Run(t, fallback{e, true, &n})
	enginetest.RunHazards(t, fallback{e, true, &n})
	require.NotZero(t, n)
}

// TestHazards: what is easily got wrong, as the device runs it.
func TestHazards(t *testing.T) {
	everyEngine(t, func(t *testing.T, e engine.Engine) {
		for _, specialised := range []bool{false, true} {
			n := 0
			enginetest.RunHazards(t, fallback{e, specialised, &n})
			require.NotZero(t, n)
		}
	})
}
