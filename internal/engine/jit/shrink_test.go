//go:build linux && (amd64 || arm64)

package jit_test

import (
	"fmt"
	"strings"
	"testing"
)

// attempt is a testing.TB for a kernel that may be no kernel.
type attempt struct{ testing.TB }

func (attempt) Helper()               {}
func (attempt) Errorf(string, ...any) {}
func (attempt) FailNow()              { panic(attempt{}) }
func (attempt) Fatalf(string, ...any) { panic(attempt{}) }

// shrink takes instructions away from a kernel for which the engines differ, as long as they do.
func shrink(t testing.TB, text string, seed uint64) string {
	differs := func(text string) (yes bool) {
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(attempt); !ok {
					panic(r)
				}
				yes = false
			}
		}()
		return difference(attempt{t}, text, seed, map[string]uint64{}) != ""
	}
	lines := strings.Split(text, "\n")
	for n := len(lines) / 4; n > 0; n /= 2 {
		for i := 4; i+n < len(lines); {
			shorter := fmt.Sprintf("%s\n%s", strings.Join(lines[:i], "\n"), strings.Join(lines[i+n:], "\n"))
			if !strings.Contains(strings.Join(lines[i:i+n], "\n"), ".reg") && differs(shorter) {
				lines = strings.Split(shorter, "\n")
			} else {
				i += n
			}
		}
	}
	return strings.Join(lines, "\n")
}
