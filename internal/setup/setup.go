// Package setup finds NVIDIA's run-time compiler NVRTC or fetches it, so that `make run` works on a fresh machine.
//
// NVRTC is proprietary: it is never part of this project, only found or downloaded by the user's own package tools. The
// order is: a library that is there already; an explicit file or folder; the wheel through pip's configured index, which is
// unpacked and never installed, so that no Python environment changes; the distribution's packages, with package lists of
// our own, so that the system's sources stay as they are. Nothing asks a question.
package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/tandem-go/tandem/internal/nvrtc"
	"github.com/tandem-go/tandem/tools"
)

// ErrDownloadForbidden says that TANDEM_NO_DOWNLOAD is set and NVRTC is not there.
var ErrDownloadForbidden = errors.New("TANDEM_NO_DOWNLOAD is set, so nothing is downloaded")

// fetchTimeout bounds each fetch: a download of 25 MB on a slow line ends, a dead proxy does not hang for ever.
const fetchTimeout = 10 * time.Minute

// Options says what to do. The zero value finds or fetches NVRTC and says nothing.
type Options struct {
	// From is a wheel, a Debian package, a library file or a folder to take NVRTC from instead of fetching it.
	From string
	// Print only says what would be done.
	Print bool
	// Out receives one line a step; nil discards them.
	Out io.Writer
}

// Result says where NVRTC is.
type Result struct {
	Path    string
	Version nvrtc.Version
	// Origin is how it was found, such as "data folder".
	Origin string
}

// Run finds NVRTC or fetches it. An error names every way that was tried and what to do.
func Run(ctx context.Context, o Options) (*Result, error) {
	m := machine{
		find:     func() (*Result, error) { return find(nil) },
		dirs:     nvrtc.DataDirs(),
		root:     os.Geteuid() == 0 && os.Getenv("XDG_DATA_HOME") == "",
		versions: tools.Versions,
		platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	return m.run(ctx, o)
}

// machine is what setup depends on, so that tests can set up a machine that is not this one.
type machine struct {
	// find looks for a library that is there.
	find func() (*Result, error)
	// dirs are the data folders, the system's last; root takes that first.
	dirs []string
	root bool
	// versions is the text of tools/versions.
	versions string
	platform string
}

func (m *machine) run(ctx context.Context, o Options) (*Result, error) {
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.From == "" {
		if r, err := m.find(); err == nil {
			fmt.Fprintf(o.Out, "NVRTC %s is there: %s (%s)\n", r.Version, r.Path, r.Origin)
			return r, nil
		} else if os.Getenv("TANDEM_NVRTC") != "" {
			return nil, fmt.Errorf("TANDEM_NVRTC: %w", err)
		}
	}
	dir, notice, err := dataFolder(m.dirs, m.root)
	if err != nil {
		return nil, err
	}
	if notice != "" {
		fmt.Fprintln(o.Out, notice)
	}
	s := &session{Options: o, machine: m, dest: filepath.Join(dir, "nvrtc")}
	if o.From != "" {
		return s.take(ctx, o.From)
	}
	return s.fetch(ctx)
}

// find looks for a usable library, in one place or, with nil, everywhere.
func find(search *nvrtc.Search) (*Result, error) {
	c, err := nvrtc.Open(nvrtc.Config{Search: search, NoCache: true})
	if err != nil {
		return nil, err
	}
	return &Result{c.Path(), c.Version(), c.Origin()}, nil
}

// session is one run of setup that has something to do.
type session struct {
	Options
	*machine
	dest string // the folder nvrtc in Tandem's data folder
}

func (s *session) say(format string, args ...any) { fmt.Fprintf(s.Out, format+"\n", args...) }

// way is one way to get NVRTC into a folder.
type way struct {
	name  string
	fetch func(ctx context.Context, into string) (version string, err error)
}

// fetch tries each way in turn.
func (s *session) fetch(ctx context.Context) (*Result, error) {
	ways := s.ways()
	if s.Print {
		s.say("NVRTC is not there; setup would put it into %s, trying in this order:", s.dest)
		for _, w := range ways {
			s.say("  %s", w.name)
		}
		return nil, nil
	}
	if os.Getenv("TANDEM_NO_DOWNLOAD") != "" {
		return nil, fmt.Errorf("NVRTC was not found and %w: install it yourself, or run `tandem setup --from FILE` with a wheel or package of it", ErrDownloadForbidden)
	}
	var errs []error
	for _, w := range ways {
		r, err := s.try(ctx, w)
		if err == nil {
			return r, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		s.say("%s: %v", w.name, firstLine(err.Error()))
		errs = append(errs, fmt.Errorf("%s: %w", w.name, err))
	}
	return nil, fmt.Errorf("NVRTC could not be fetched (%s); examples and built-in kernels run from embedded PTX without it, "+
		"and `tandem setup --from FILE` takes a wheel or package that you bring: %w", proxyHint(), errors.Join(errs...))
}

func (s *session) ways() []way {
	ways := []way{{"wheel through pip", s.fromPip}}
	if strings.HasPrefix(s.platform, "linux/") {
		ways = append(ways, way{"the distribution's packages", s.fromApt})
	}
	return ways
}

// try fetches into a temporary folder beside the destination and moves the result into place in one step, so that an
// interrupted setup leaves nothing half done and two at once do not disturb each other.
func (s *session) try(ctx context.Context, w way) (*Result, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchTimeout, fmt.Errorf("not done after %v", fetchTimeout))
	defer cancel()
	if err := os.MkdirAll(s.dest, 0o755); err != nil {
		return nil, err
	}
	tmp, err := os.MkdirTemp(s.dest, ".fetch-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	into := filepath.Join(tmp, "tree")
	version, err := w.fetch(ctx, into)
	if err != nil {
		return nil, err
	}
	return s.place(into, version)
}

// place checks that the library in the folder loads and moves the folder to its name.
func (s *session) place(tree, version string) (*Result, error) {
	if err := readable(tree); err != nil {
		return nil, err
	}
	final := filepath.Join(s.dest, version)
	if err := os.RemoveAll(final); err != nil {
		return nil, err
	}
	if err := os.Rename(tree, final); err != nil {
		return nil, err
	}
	r, err := find(&nvrtc.Search{Path: final})
	if err != nil {
		os.RemoveAll(final) // a library that does not load must not be found later
		return nil, err
	}
	s.say("NVRTC %s: %s", r.Version, r.Path)
	return r, nil
}

// take uses a file or folder that the user names.
func (s *session) take(ctx context.Context, from string) (*Result, error) {
	info, err := os.Stat(from)
	if err != nil {
		return nil, err
	}
	if s.Print {
		s.say("setup would put NVRTC from %s into %s", from, s.dest)
		return nil, nil
	}
	return s.try(ctx, way{from, func(ctx context.Context, into string) (string, error) {
		switch {
		case info.IsDir():
			return "local", copyLibraries(from, into)
		case strings.HasSuffix(from, ".whl"):
			return wheelVersion(from), unzip(from, into)
		case strings.HasSuffix(from, ".deb"):
			// The compiler needs its builtins, which Debian has in a second package beside it.
			return "local", unpackDebs(ctx, into, beside(from))
		case strings.Contains(filepath.Base(from), "nvrtc"):
			return "local", copyLibraries(filepath.Dir(from), into)
		}
		return "", fmt.Errorf("%s is no wheel, Debian package, NVRTC library or folder", from)
	}})
}

// command runs a tool and returns its output; an error holds the last lines of what it printed.
func command(ctx context.Context, dir string, argv ...string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(argv[0]), err, tail(string(out)))
	}
	return string(out), nil
}

// tail is the end of a tool's output, on one line.
func tail(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) > 3 {
		lines = lines[len(lines)-3:]
	}
	return strings.Join(lines, "; ")
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// proxyHint names the variable that decides how the network is reached, since that is where most failures come from.
func proxyHint() string {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		if v := os.Getenv(name); v != "" {
			return fmt.Sprintf("the network is reached through %s=%s", name, v)
		}
	}
	return "no proxy is set: behind one, set HTTPS_PROXY"
}
