//go:build !unix

package frame_test

import (
	"testing"

	"github.com/tandem-go/tandem/hostpar/internal/frame"
)

func overSockets(t *testing.T) (a, b *frame.Link) { return overPipes(t) }
