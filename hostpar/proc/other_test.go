//go:build !linux

package proc_test

import (
	"context"
	"fmt"
)

func actSystem(_ context.Context, verb, arg string) (string, error) {
	return "", fmt.Errorf("act: %s %s", verb, arg)
}
