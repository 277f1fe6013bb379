package dl

import (
	"path/filepath"
	"slices"
	"strings"
)

// Find lists the files in dirs whose names match one of the patterns (path/filepath's syntax; a folder may be a pattern
// too). The order is that of dirs, then of patterns, then of names; a file is listed once. Stub libraries, which lie in
// a folder named stubs and exist only to be linked against, are left out.
func Find(dirs, patterns []string) []string {
	var found []string
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		for _, pattern := range patterns {
			files, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil { // a malformed pattern matches nothing
				continue
			}
			for _, f := range files {
				if !IsStub(f) && !slices.Contains(found, f) {
					found = append(found, f)
				}
			}
		}
	}
	return found
}

// IsStub reports whether path lies in a folder of stub libraries: they can be opened, but each call in them fails.
func IsStub(path string) bool {
	return slices.Contains(strings.Split(filepath.ToSlash(filepath.Dir(path)), "/"), "stubs")
}
