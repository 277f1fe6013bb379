package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/tandem-go/tandem/internal/setup"
)

func setupCommand() *cli.Command {
	return &cli.Command{
		Name:  "setup",
		Usage: "find NVIDIA's compiler library NVRTC, or fetch it through pip or the distribution; never asks",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "from", Usage: "take it from this wheel, package, library or folder", TakesFile: true},
			&cli.BoolFlag{Name: "print", Usage: "only say what would be done"},
			&cli.BoolFlag{Name: "test", Usage: "also install what the tests of the nested modules need (as root, through apt)"},
			&cli.BoolFlag{Name: "bench", Usage: "also install the peers of make bench-host (as root, through apt)"},
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			o := setup.Options{From: c.String("from"), Print: c.Bool("print"), Out: c.Root().Writer}
			if _, err := setup.Run(ctx, o); err != nil {
				return err
			}
			if c.Bool("test") {
				if err := setup.TestTools(ctx, o); err != nil {
					return err
				}
			}
			if c.Bool("bench") {
				return setup.BenchTools(ctx, o)
			}
			return nil
		},
	}
}
