package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tandem-go/tandem/internal/listing"
	"github.com/tandem-go/tandem/internal/ptx/support"
)

// ptxCommand holds what there is to see of the way from PTX to execution.
func ptxCommand() *cli.Command {
	return &cli.Command{
		Name: "ptx", Usage: "what becomes of PTX on the host device",
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return usage("there is no command %q; see tandem ptx --help", "ptx "+c.Args().First())
			}
			return cli.ShowSubcommandHelp(c)
		},
		Commands: []*cli.Command{ptxCheckCommand(), ptxDumpCommand(), ptxSupportCommand()},
	}
}

func ptxCheckCommand() *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "every reason why the host device would refuse PTX", ArgsUsage: "FILE",
		Action: func(_ context.Context, c *cli.Command) error {
			name, text, err := ptxFile(c)
			if err != nil {
				return err
			}
			if _, err := listing.Check(name, text); err != nil {
				return &exitError{exitCompile, err}
			}
			return nil
		},
	}
}

func ptxDumpCommand() *cli.Command {
	return &cli.Command{
		Name: "dump", Usage: "a kernel in its intermediate form, or its machine code beside its PTX lines", ArgsUsage: "FILE",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "kernel", Usage: "the kernel; not needed if there is exactly one"},
			&cli.StringFlag{Name: "stage", Usage: "one of " + strings.Join(listing.Stages(), ", ") + "; by default the form that engines compile"},
			&cli.StringFlag{Name: "engine", Usage: "for --stage=asm: jit/avx512 or jit/avx2, on arm64 jit/neon; this processor need not have it"},
			&cli.StringFlag{Name: "block", Usage: "threads of a block, X[,Y[,Z]], that the code is for; by default any"},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			name, text, err := ptxFile(c)
			if err != nil {
				return err
			}
			r := listing.Request{Name: name, Text: text, Kernel: c.String("kernel"), Stage: c.String("stage"), Engine: c.String("engine")}
			if b := c.String("block"); b != "" {
				d, err := parseDim("--block", b)
				if err != nil {
					return err
				}
				r.Block = [3]uint32{uint32(d.X), uint32(d.Y), uint32(d.Z)}
			}
			switch err := listing.Write(c.Root().Writer, r); {
			case errors.Is(err, listing.ErrUsage):
				return &exitError{exitUsage, err}
			case err != nil:
				return &exitError{exitCompile, err}
			}
			return nil
		},
	}
}

// ptxFile reads the one file that a command names.
func ptxFile(c *cli.Command) (name string, text []byte, err error) {
	if c.Args().Len() != 1 {
		return "", nil, usage("want one FILE, have %d", c.Args().Len())
	}
	name = c.Args().First()
	text, err = os.ReadFile(name)
	return name, text, err
}

func ptxSupportCommand() *cli.Command {
	return &cli.Command{
		Name: "support", Usage: "the forms of PTX instructions that passing tests execute, weighed by real kernels",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "missing", Usage: "only forms that no test executes"},
			&cli.BoolFlag{Name: "json", Usage: "write the table as JSON"},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			rows, w := support.Table(), c.Root().Writer
			if c.Bool("json") {
				return json.NewEncoder(w).Encode(rows)
			}
			fmt.Fprintf(w, "%-52s %8s  %s\n", "form", "kernels", "run file")
			for _, r := range rows {
				if r.File == "" || !c.Bool("missing") {
					file := r.File
					if file == "" {
						file = "none"
					}
					fmt.Fprintf(w, "%-52s %8d  %s\n", r.Form, r.Kernels, file)
				}
			}
			s := support.Summarize(rows)
			fmt.Fprintf(w, "%d of %d forms of real kernels, %.2f %% weighed by kernels; %d other forms\n", s.Done, s.Forms, 100*s.Share(), s.Others)
			return nil
		},
	}
}
