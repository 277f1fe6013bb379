package cuapi

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/tandem-go/tandem/internal/dl"
)

// Search says where the driver library is looked for, in the order of the fields.
type Search struct {
	// Names are given to the platform's loader, which looks in its own path.
	Names []string
	// Dirs are folders or patterns of folders, Files the names in them. Stub libraries are passed over.
	Dirs, Files []string
}

// DefaultSearch returns where drivers of this platform are installed. It does not ask the loader for libcuda.so without
// a version: toolkits bring a stub of that name.
func DefaultSearch() Search { return searches(runtime.GOOS, runtime.GOARCH, os.Getenv("SystemRoot")) }

func searches(goos, goarch, systemRoot string) Search {
	switch goos {
	case "windows":
		if systemRoot == "" {
			systemRoot = `C:\Windows`
		}
		return Search{Dirs: []string{systemRoot + `\System32`}, Files: []string{"nvcuda.dll"}}
	case "linux":
		multiarch := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[goarch]
		return Search{
			Names: []string{"libcuda.so.1"},
			Dirs: []string{
				"/usr/lib/wsl/lib",                                                   // Windows Subsystem for Linux
				"/run/opengl-driver/lib",                                             // NixOS
				"/usr/lib/" + multiarch + "/tegra",                                   // Jetson
				"/usr/lib/" + multiarch + "/nvidia",                                  // Jetson since JetPack 6
				"/usr/lib/" + multiarch, "/usr/lib/" + multiarch + "/nvidia/current", // Debian, Ubuntu
				"/usr/lib64", "/usr/lib64/nvidia", "/usr/lib", "/usr/lib/nvidia*", // Fedora, SUSE, Arch
				"/usr/local/nvidia/lib64", "/usr/local/nvidia/lib", // containers and their hosts
			},
			Files: []string{"libcuda.so.1", "libcuda.so"},
		}
	}
	return Search{}
}

// Open opens the first library that is a CUDA driver. If there is none, the error is dl.ErrNoLoader or a
// *dl.NotFoundError that names every file and folder tried.
func (s Search) Open() (*Library, error) {
	if !dl.Available() {
		return nil, dl.ErrNoLoader
	}
	missing := &dl.NotFoundError{What: "the CUDA driver"}
	for _, name := range s.Names {
		if lib := try(name, missing); lib != nil {
			return lib, nil
		}
	}
	var empty []string
	for _, dir := range s.Dirs {
		files := dl.Find([]string{dir}, s.Files)
		if len(files) == 0 {
			empty = append(empty, dir)
		}
		for _, f := range files {
			if tried(f, missing) {
				continue
			}
			if lib := try(f, missing); lib != nil {
				return lib, nil
			}
		}
	}
	if len(empty) > 0 {
		missing.Attempts = append(missing.Attempts, dl.Attempt{Path: strings.Join(empty, ", "), Err: errNoFile})
	}
	return nil, missing
}

var errNoFile = errors.New("no driver library")

// try opens one candidate and looks for cuInit in it.
func try(path string, missing *dl.NotFoundError) *Library {
	lib, err := dl.Open(path)
	if err == nil {
		if _, err = lib.Symbol("cuInit"); err == nil {
			return New(path, lib.Symbol)
		}
	}
	missing.Attempts = append(missing.Attempts, dl.Attempt{Path: path, Err: err})
	return nil
}

// tried reports whether a file was tried under another name: libcuda.so is a link to libcuda.so.1, as a rule.
func tried(file string, missing *dl.NotFoundError) bool {
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return false // it is tried, and the loader says what is wrong
	}
	return slices.ContainsFunc(missing.Attempts, func(a dl.Attempt) bool {
		other, err := filepath.EvalSymlinks(a.Path)
		return err == nil && other == real && filepath.IsAbs(a.Path)
	})
}
