package jit_test

import (
	"testing"

	"github.com/tandem-go/tandem/internal/engine"
	"github.com/tandem-go/tandem/internal/engine/jit"
)

// streamingEngines are those whose stores go past the caches however little a launch writes.
func streamingEngines(testing.TB) []engine.Engine { return jit.Streaming() }
