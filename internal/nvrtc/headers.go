package nvrtc

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// headerFiles are the headers that Tandem ships, written for it: NVRTC brings none.
//
//go:embed headers
var headerFiles embed.FS

// ownHeaders returns the headers in the order of their names. The list is shared; nobody changes it.
var ownHeaders = sync.OnceValue(func() []Header {
	var list []Header
	// The tree is part of the program: walking it cannot fail.
	_ = fs.WalkDir(headerFiles, "headers", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(headerFiles, path)
		list = append(list, Header{Name: path[len("headers/"):], Text: string(text)})
		return err
	})
	return list
})

// headersVersion identifies the contents of the headers; it changes with them, so it cannot be forgotten.
var headersVersion = sync.OnceValue(func() string {
	h := sha256.New()
	for _, f := range ownHeaders() {
		h.Write([]byte(f.Name + "\x00" + f.Text + "\x00"))
	}
	return hex.EncodeToString(h.Sum(nil))
})

// existsIn reports whether one of the folders has a file called name.
func existsIn(dirs []string, name string) bool {
	for _, d := range dirs {
		if info, err := os.Stat(filepath.Join(d, filepath.FromSlash(name))); err == nil && !info.IsDir() {
			return true
		}
	}
	return false
}
