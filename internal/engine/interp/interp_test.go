package interp_test

import (
	"testing"

	"github.com/tandem-go/tandem/internal/engine/enginetest"
	"github.com/tandem-go/tandem/internal/engine/interp"
)

func TestRunFiles(t *testing.T) { enginetest.Run(t, interp.New()) }
