package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/urfave/cli/v3"

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
		Commands: []*cli.Command{ptxSupportCommand()},
	}
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
