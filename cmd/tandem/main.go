// Command tandem shows the devices, sets up the CUDA compiler, and compiles and runs CUDA files without a Go program.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/urfave/cli/v3"
)

// Exit statuses; see the help text of run.
const (
	exitFailed  = 1 // a CUDA error or a finding
	exitUsage   = 2
	exitCompile = 3 // CUDA source that does not compile
)

// exitError carries the exit status of a failure.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// usage makes an error of the caller's.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	status := run(ctx, os.Args, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// run is main with its world as arguments; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := app(stdout, stderr).Run(ctx, withAllChecks(args))
	if err == nil {
		return 0
	}
	fmt.Fprintln(stderr, "tandem:", err)
	if e := (*exitError)(nil); errors.As(err, &e) {
		return e.status
	}
	return exitFailed
}

func app(stdout, stderr io.Writer) *cli.Command {
	wrong := func(_ context.Context, _ *cli.Command, err error, _ bool) error { return &exitError{exitUsage, err} }
	root := &cli.Command{
		Name:                  "tandem",
		Usage:                 "CUDA on a GPU if there is one, else on this CPU",
		Writer:                stdout,
		ErrWriter:             stderr,
		EnableShellCompletion: true,
		HideVersion:           true,
		ExitErrHandler:        func(context.Context, *cli.Command, error) {}, // run sets the status
		OnUsageError:          wrong,
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return usage("there is no command %q; see tandem --help", c.Args().First())
			}
			return cli.ShowRootCommandHelp(c)
		},
		Commands: []*cli.Command{devicesCommand(), doctorCommand(), setupCommand(), versionCommand(), runCommand(), compileCommand(), genCommand(), ptxCommand(), traceCommand()},
	}
	for _, c := range root.Commands {
		c.OnUsageError = wrong
	}
	return root
}
