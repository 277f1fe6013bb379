package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tandem-go/tandem/hostpar/hetero/trace/timeline"
)

func traceCommand() *cli.Command {
	return &cli.Command{
		Name:      "trace",
		Usage:     "draw the trace of a run over several devices as a page (FILE.html) and a picture (FILE.png)",
		ArgsUsage: "FILE",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "html", Usage: "write the page to this file; - is none", TakesFile: true},
			&cli.StringFlag{Name: "png", Usage: "write the picture to this file; - is none", TakesFile: true},
		},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Args().Len() != 1 {
				return usage("trace: want one FILE, which hetero's RunConfig.Trace wrote, have %d", c.Args().Len())
			}
			name := c.Args().First()
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			line, err := timeline.Read(f)
			f.Close()
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			base := strings.TrimSuffix(name, filepath.Ext(name))
			fmt.Fprint(c.Root().Writer, line.Summary())
			for _, out := range []struct {
				flag, ending string
				write        func(*os.File) error
			}{
				{"html", ".html", func(f *os.File) error { return line.WriteHTML(f, filepath.Base(name)) }},
				{"png", ".png", func(f *os.File) error { return line.WritePNG(f) }},
			} {
				to := c.String(out.flag)
				if to == "" {
					to = base + out.ending
				}
				if to == "-" {
					continue
				}
				if err := save(to, out.write); err != nil {
					return err
				}
				fmt.Fprintln(c.Root().Writer, to)
			}
			return nil
		},
	}
}

// save writes a file, which is removed if that fails.
func save(name string, write func(*os.File) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	err = write(f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(name)
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
