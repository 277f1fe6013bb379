package nvrtc

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// keyFormat changes when the meaning of a cached entry does.
const keyFormat = "nvrtc-2"

// key returns the cache key of u: a hash over the source, the ordered options, the name expressions, the library, and
// every file that the sources reach by #include. It is "" if the result may depend on something else: a computed
// #include, the date, an option whose effects are not known.
func (c *Compiler) key(u *unit) string {
	if !arePure(u.options) {
		return ""
	}
	h := sha256.New()
	field(h, keyFormat, c.lib.version.String(), c.lib.stamp, headersVersion(), u.name, u.source)
	list(h, u.options)
	list(h, u.expressions)
	list(h, u.headerNames)
	for i := range u.headerNames {
		if !u.isOwn(i) { // the text of our own is in headersVersion
			field(h, u.headerTexts[i])
		}
	}
	s := scanner{unit: u, dirs: includeDirs(u.options), seen: map[string]bool{}}
	s.text(u.source, filepath.Dir(u.name))
	for _, f := range preIncludes(u.options) {
		s.include(f, ".")
	}
	if s.unknown {
		return ""
	}
	slices.SortFunc(s.files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	for _, f := range s.files {
		field(h, f.path)
		h.Write(f.sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// field hashes strings so that no two different sequences look alike.
func field(h hash.Hash, parts ...string) {
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p)) // a hash never fails
		h.Write([]byte(p))
	}
}

func list(h hash.Hash, parts []string) {
	fmt.Fprintf(h, "%d;", len(parts))
	field(h, parts...)
}

type file struct {
	path string
	sum  [sha256.Size]byte
}

// scanner collects the files that a text may include. It does not preprocess: conditions are ignored, and for each name
// every file that any rule of the search could find is collected. So the set may be too large, never too small, and a
// file that appears earlier in the search later on changes the set too.
type scanner struct {
	unit    *unit
	dirs    []string
	seen    map[string]bool
	files   []file
	unknown bool // something was seen whose outcome the files do not determine
}

// text scans one text, which lies in dir.
func (s *scanner) text(text, dir string) {
	names, ok := includes(text)
	if !ok {
		s.unknown = true
	}
	for _, name := range names {
		s.include(name, dir)
	}
}

// include collects what an #include of name in a text in dir can mean.
func (s *scanner) include(name, dir string) {
	if s.unknown {
		return
	}
	for i, h := range s.unit.headerNames {
		// A header in memory is found by its name, whichever folder the including text is in.
		if h == name && !s.seen["<memory>"+h] {
			s.seen["<memory>"+h] = true
			s.text(s.unit.headerTexts[i], filepath.Dir(filepath.FromSlash(h)))
		}
	}
	candidates := []string{name}
	if !filepath.IsAbs(name) {
		candidates = []string{filepath.Join(dir, name), filepath.Join(filepath.Dir(s.unit.name), name)}
		for _, d := range s.dirs {
			candidates = append(candidates, filepath.Join(d, name))
		}
	}
	for _, path := range candidates {
		s.file(path)
	}
}

// file collects one file, if it exists, and scans it.
func (s *scanner) file(path string) {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if s.seen[path] {
		return
	}
	s.seen[path] = true
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return // not a candidate; should it appear, the set changes
	}
	data, err := os.ReadFile(path)
	if err != nil {
		s.unknown = true
		return
	}
	s.files = append(s.files, file{path, sha256.Sum256(data)})
	s.text(string(data), filepath.Dir(path))
}
