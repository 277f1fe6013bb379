package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRun: the program runs; that its generated file is up to date is tested by cmd/tandem.
func TestRun(t *testing.T) { require.NoError(t, run(t.Context())) }
