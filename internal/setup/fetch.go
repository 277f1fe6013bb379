package setup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// wheel is a pinned wheel.
type wheel struct {
	name, version, sha256 string
	bytes                 int64
}

// pins reads tools/versions: the wheel for a platform and the Debian packages in order of preference.
func pins(text, platform string) (w *wheel, debs [][]string, err error) {
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || strings.HasPrefix(f[0], "#") || f[0] == "test" || f[0] == "bench":
		case f[0] == "wheel" && len(f) == 6:
			n, err := strconv.ParseInt(f[3], 10, 64)
			if err != nil {
				return nil, nil, fmt.Errorf("tools/versions: %q: %w", strings.TrimSpace(line), err)
			}
			if f[5] == platform {
				w = &wheel{f[1], f[2], f[4], n}
			}
		case f[0] == "deb" && len(f) == 2:
			debs = append(debs, strings.Split(f[1], ","))
		default:
			return nil, nil, fmt.Errorf("tools/versions: bad line %q", strings.TrimSpace(line))
		}
	}
	return w, debs, nil
}

// pipCommands are the usual names of pip, best first. `pip download` works with every Python, also where an
// externally managed environment (PEP 668) forbids `pip install`.
var pipCommands = [][]string{{"python3", "-m", "pip"}, {"pip3"}, {"pip"}, {"python", "-m", "pip"}, {"py", "-3", "-m", "pip"}}

func findPip(ctx context.Context) ([]string, error) {
	for _, c := range pipCommands {
		if _, err := exec.LookPath(c[0]); err != nil {
			continue
		}
		if _, err := command(ctx, "", append(append([]string{}, c...), "--version")...); err == nil {
			return c, nil
		}
	}
	return nil, errors.New("there is no pip")
}

// fromPip downloads the pinned wheel through pip's configured index, checks its sum, and unpacks it.
func (s *session) fromPip(ctx context.Context, into string) (string, error) {
	w, _, err := pins(s.versions, s.platform)
	if err != nil {
		return "", err
	}
	if w == nil {
		return "", fmt.Errorf("NVIDIA has no NVRTC wheel for %s: compile in a container, or run embedded PTX", s.platform)
	}
	pip, err := findPip(ctx)
	if err != nil {
		return "", err
	}
	s.say("downloading %s %s, %.1f MB, NVIDIA's proprietary licence, from pip's index, to %s", w.name, w.version, float64(w.bytes)/1e6, s.dest)
	dir := into + ".pip"
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	argv := append(append([]string{}, pip...), "download", "--disable-pip-version-check", "--no-input", "--no-deps",
		"--only-binary=:all:", "--timeout=15", "--retries=2", "--dest", dir, w.name+"=="+w.version)
	if _, err := command(ctx, "", argv...); err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("pip left %d wheels, want one", len(files))
	}
	if err := verify(files[0], w.sha256); err != nil {
		return "", err
	}
	return w.version, unzip(files[0], into)
}

// verify compares a file's SHA-256.
func verify(file, want string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if have := hex.EncodeToString(h.Sum(nil)); have != want {
		return fmt.Errorf("%s has sha256 %s, but %s is pinned in tools/versions; it is not used", filepath.Base(file), have, want)
	}
	return nil
}

// fromApt downloads the distribution's packages with sources, lists and cache of our own, beside the system's, so that
// neither root nor an edit of the system's sources is needed. apt checks signatures and sums.
func (s *session) fromApt(ctx context.Context, into string) (string, error) {
	for _, tool := range []string{"apt-get", "apt-cache", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "", fmt.Errorf("there is no %s; install NVRTC with your package manager", tool)
		}
	}
	_, debs, err := pins(s.versions, "")
	if err != nil {
		return "", err
	}
	state := into + ".apt"
	opts, err := aptState(state)
	if err != nil {
		return "", err
	}
	s.say("reading the distribution's package lists, component non-free added, into a temporary folder")
	apt := append([]string{"apt-get", "-q", "-y"}, opts...)
	if _, err := command(ctx, "", append(apt, "update")...); err != nil {
		return "", err
	}
	var errs []error
	for _, names := range debs {
		if _, err := command(ctx, "", append(append(append([]string{"apt-cache"}, opts...), "show"), names...)...); err != nil {
			errs = append(errs, err) // this release has other versions
			continue
		}
		s.say("downloading %s, about 17 MB, NVIDIA's proprietary licence, from the distribution, to %s", strings.Join(names, " and "), s.dest)
		dir := filepath.Join(state, names[0])
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		if _, err := command(ctx, dir, append(append(apt, "download"), names...)...); err != nil {
			errs = append(errs, err)
			continue
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.deb"))
		if err != nil || len(files) != len(names) {
			return "", fmt.Errorf("apt left %d packages, want %d", len(files), len(names))
		}
		return names[0], unpackDebs(ctx, into, files)
	}
	return "", errors.Join(errs...)
}

// unpackDebs extracts packages and keeps the libraries only.
func unpackDebs(ctx context.Context, into string, files []string) error {
	root := into + ".root"
	for _, f := range files {
		if _, err := command(ctx, "", "dpkg-deb", "-x", f, root); err != nil {
			return err
		}
	}
	return copyLibraries(root, into)
}
