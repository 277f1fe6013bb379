package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/tandem-go/tandem/tools"
)

// TestTools installs the Debian packages that the race detector and the tests of the nested modules need: the lines
// `test` of tools/versions. Packages that are there already cost nothing. Without root it returns an error with the command
// to run.
func TestTools(ctx context.Context, o Options) error { return packages(ctx, o, "test") }

// BenchTools is TestTools for the peers that the host device is measured against: the lines `bench`.
func BenchTools(ctx context.Context, o Options) error { return packages(ctx, o, "bench") }

// packages installs what the lines of that kind name.
func packages(ctx context.Context, o Options, kind string) error {
	var names []string
	for line := range strings.Lines(tools.Versions) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == kind {
			names = append(names, f[1:]...)
		}
	}
	install := append([]string{"apt-get", "install", "-y", "-q", "--no-install-recommends"}, names...)
	switch {
	case o.Print:
		fmt.Fprintln(o.Out, "would run:", strings.Join(install, " "))
		return nil
	case installed(ctx, names):
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("there is no apt-get: install the counterparts of %s", strings.Join(names, " "))
	}
	if os.Geteuid() != 0 {
		return errors.New("needs root: sudo " + strings.Join(install, " "))
	}
	if _, err := command(ctx, "", install...); err == nil {
		return nil
	}
	if _, err := command(ctx, "", "apt-get", "update", "-q"); err != nil {
		return err
	}
	_, err := command(ctx, "", install...)
	return err
}

// installed asks dpkg whether all packages are there.
func installed(ctx context.Context, names []string) bool {
	_, err := command(ctx, "", append([]string{"dpkg", "--status"}, names...)...)
	return err == nil
}
