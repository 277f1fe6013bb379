package setup

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tandem-go/tandem/internal/nvrtc"
)

// dataFolder is where NVRTC goes: the first of Tandem's data folders that can be written. Root's goes to the system's
// folder, so that what `sudo make setup` fetched serves every user. Without a home that can be written it is a private
// temporary folder, and the notice says so.
func dataFolder(dirs []string, root bool) (dir, notice string, err error) {
	if root && len(dirs) > 1 {
		dirs = append([]string{dirs[len(dirs)-1]}, dirs[:len(dirs)-1]...)
	}
	for _, d := range dirs {
		if writable(d) {
			return d, "", nil
		}
	}
	d, err := nvrtc.TemporaryDataDir()
	if err != nil {
		return "", "", fmt.Errorf("no data folder can be written (%s): %w", strings.Join(dirs, ", "), err)
	}
	return d, fmt.Sprintf("no home folder can be written: NVRTC goes to the temporary folder %s", d), nil
}

func writable(dir string) bool {
	if os.MkdirAll(dir, 0o755) != nil {
		return false
	}
	f, err := os.CreateTemp(dir, ".write-")
	if err != nil {
		return false
	}
	f.Close()
	os.Remove(f.Name())
	return true
}

// keep says which files of a package or wheel are needed at run time.
func keep(name string) bool {
	base := filepath.Base(name)
	lib := strings.Contains(base, "nvrtc") && !strings.Contains(base, ".alt.") &&
		(strings.Contains(base, ".so") || strings.HasSuffix(base, ".dll"))
	return lib || strings.Contains(strings.ToLower(base), "license")
}

// unzip unpacks the libraries and the licence of a wheel.
func unzip(file, into string) error {
	z, err := zip.OpenReader(file)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(file), err)
	}
	defer z.Close()
	n := 0
	for _, f := range z.File {
		if f.FileInfo().IsDir() || !keep(f.Name) {
			continue
		}
		if !filepath.IsLocal(filepath.FromSlash(f.Name)) {
			return fmt.Errorf("%s: it holds a file outside itself: %s", filepath.Base(file), f.Name)
		}
		r, err := f.Open()
		if err != nil {
			return err
		}
		err = write(filepath.Join(into, filepath.FromSlash(f.Name)), r)
		r.Close()
		if err != nil {
			return err
		}
		n++
	}
	if n == 0 {
		return fmt.Errorf("%s holds no NVRTC", filepath.Base(file))
	}
	return nil
}

// copyLibraries copies NVRTC's libraries from anywhere below a folder into one folder. A link to a file beside it stays a
// link, so that a library is one file under its several names; other links are followed.
func copyLibraries(from, into string) error {
	n := 0
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !keep(path) {
			return err
		}
		if target, err := os.Readlink(path); err == nil && filepath.Base(target) == target {
			if err := os.MkdirAll(into, 0o755); err != nil {
				return err
			}
			return os.Symlink(target, filepath.Join(into, filepath.Base(path)))
		}
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
			return err
		}
		n++
		return write(filepath.Join(into, filepath.Base(path)), f)
	})
	if err == nil && n == 0 {
		err = fmt.Errorf("%s holds no NVRTC", from)
	}
	return err
}

func write(name string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

// readable makes everything below a folder readable by all, whatever the caller's umask: root sets up for users.
func readable(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.Chmod(path, 0o755)
		}
		return os.Chmod(path, 0o644)
	})
}

// wheelVersion is the second part of a wheel's file name (PEP 427).
func wheelVersion(file string) string {
	if f := strings.Split(filepath.Base(file), "-"); len(f) > 1 {
		return f[1]
	}
	return "local"
}

// beside lists the Debian packages of NVRTC in the folder of one of them.
func beside(deb string) []string {
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(deb), "libnvrtc*.deb"))
	return append([]string{deb}, files...)
}
