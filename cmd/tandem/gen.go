package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tandem-go/tandem/internal/gen"
)

const genHelp = `For FILE.cu it writes FILE_tandem.go, with a type that has one method for each kernel, and the
kernels' PTX, which that embeds. For go generate:

   //go:generate go run github.com/tandem-go/tandem/cmd/tandem gen --name Blas saxpy.cu

With --check it compares generated files, or all below folders (by default the current one), with what
they were made from, and fails if one is out of date. That needs no compiler.`

func genCommand() *cli.Command {
	return &cli.Command{
		Name: "gen", Usage: "write Go methods for the kernels of a file", ArgsUsage: "FILE.cu | --check [FILE_tandem.go | FOLDER]...",
		Description: genHelp,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "check", Usage: "say what is out of date, and write nothing"},
			&cli.StringFlag{Name: "package", Usage: "the Go package; by default that of go generate, or the folder's name"},
			&cli.StringFlag{Name: "name", Usage: "the Go type; by default after the file"},
			&cli.StringSliceFlag{Name: "target", Usage: "a compute capability to compile for, such as 7.5, the default, or 9.0"},
			&cli.StringSliceFlag{Name: "opt", Usage: "one option for NVRTC"},
			&cli.StringSliceFlag{Name: "include", Usage: "a folder for #include, from the folder of the file"},
			&cli.StringSliceFlag{Name: "name-expr", Usage: "a template instance, such as 'axpy<float>'"},
		},
		DisableSliceFlagSeparator: true,
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Bool("check") {
				return checkGenerated(c)
			}
			if c.Args().Len() != 1 {
				return usage("want one FILE.cu")
			}
			return generate(ctx, c)
		},
	}
}

func generate(ctx context.Context, c *cli.Command) error {
	dir, base := filepath.Split(c.Args().First())
	if dir == "" {
		dir = "."
	}
	spec := gen.Spec{
		Source: base, Package: c.String("package"), Name: c.String("name"), Options: c.StringSlice("opt"),
		IncludeDirs: c.StringSlice("include"), Instances: c.StringSlice("name-expr"),
	}
	if spec.Package == "" && filepath.Clean(dir) == "." {
		spec.Package = os.Getenv("GOPACKAGE") // set by go generate
	}
	for _, s := range c.StringSlice("target") {
		for one := range strings.SplitSeq(s, ",") {
			n, err := gen.Target(one)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			spec.Targets = append(spec.Targets, n)
		}
	}
	files, log, err := gen.Generate(ctx, dir, spec)
	switch {
	case errors.Is(err, gen.ErrSpec):
		return &exitError{exitUsage, err}
	case err != nil:
		return compileFailure(c.Root().ErrWriter, err)
	}
	if log != "" {
		fmt.Fprintln(c.Root().ErrWriter, log)
	}
	for _, f := range files {
		name := filepath.Join(dir, f.Name)
		if err := os.WriteFile(name, f.Text, 0o644); err != nil {
			return err
		}
		fmt.Fprintln(c.Root().Writer, name)
	}
	return nil
}

// checkGenerated is tandem gen --check.
func checkGenerated(c *cli.Command) error {
	places := c.Args().Slice()
	if len(places) == 0 {
		places = []string{"."}
	}
	var files []string
	for _, p := range places {
		p = strings.TrimSuffix(p, "/...")
		info, err := os.Stat(p)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			files = append(files, p)
			continue
		}
		found, err := gen.Find(p)
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	var stale []error
	for _, f := range files {
		if err := gen.Check(f); err != nil {
			stale = append(stale, err)
		}
	}
	if len(stale) > 0 {
		return errors.Join(stale...)
	}
	fmt.Fprintf(c.Root().Writer, "%d generated files are up to date\n", len(files))
	return nil
}
