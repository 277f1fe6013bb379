//go:build linux && (amd64 || arm64)

package jit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// attempt is a testing.TB for a kernel that may be no kernel.
type attempt struct{ testing.TB }

func (attempt) Helper()               {}
func (attempt) Errorf(string, ...any) {}
func (attempt) FailNow()              { panic(attempt{}) }
func (attempt) Fatalf(string, ...any) { panic(attempt{}) }

// Between these comments instructions may be taken away from a kernel: those before and behind say what belongs to whom.
const bodyBegins, bodyEnds = "// The body.", "// The results."

// shrink takes instructions away from a kernel for which the engines differ, as long as they do.
func shrink(t testing.TB, c trial) string {
	differs := func(text string) (yes bool) {
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(attempt); !ok {
					panic(r)
				}
				yes = false
			}
		}()
		shorter := c
		shorter.text = text
		complaint := shorter.difference(attempt{t}, map[string]uint64{})
		return complaint != "" && !strings.HasPrefix(complaint, noKernel)
	}
	lines := strings.Split(c.text, "\n")
	end := func() int {
		if i := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, bodyEnds) }); i >= 0 {
			return i
		}
		return len(lines) - 1
	}
	first := 1 + slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, bodyBegins) })
	for n := len(lines) / 4; n > 0; n /= 2 {
		for i := first; i+n <= end(); {
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
