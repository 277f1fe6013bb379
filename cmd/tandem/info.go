package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tandem-go/tandem/cuda"
)

func devicesCommand() *cli.Command {
	return &cli.Command{
		Name: "devices", Usage: "list what kernels can run on",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "as JSON"}},
		Action: func(_ context.Context, c *cli.Command) error {
			w := c.Root().Writer
			if c.Bool("json") {
				return json.NewEncoder(w).Encode(deviceReports())
			}
			for _, d := range deviceReports() {
				fmt.Fprintf(w, "%-7s %s, compute capability %s, %.1f GiB", d.ID, d.Name, d.Compute, float64(d.MemoryBytes)/(1<<30))
				if d.Driver != "" {
					fmt.Fprintf(w, ", driver for CUDA %s", d.Driver)
				}
				if d.Unusable != "" {
					fmt.Fprintf(w, ": cannot be used: %s", d.Unusable)
				}
				fmt.Fprintln(w)
			}
			return nil
		},
	}
}

// deviceReport is one device of `tandem devices --json`.
type deviceReport struct {
	ID          string `json:"id"`
	Kind        string `json:"kind"`
	Name        string `json:"name"`
	Compute     string `json:"compute"`
	MemoryBytes uint64 `json:"memory_bytes"`
	Driver      string `json:"driver,omitempty"`
	UUID        string `json:"uuid,omitempty"`
	PCIBusID    string `json:"pci_bus_id,omitempty"`
	Unusable    string `json:"unusable,omitempty"`
}

func deviceReports() []deviceReport {
	var out []deviceReport
	for _, i := range cuda.Devices() {
		d := deviceReport{
			ID: i.ID, Kind: string(i.Kind), Name: i.Name, Compute: fmt.Sprintf("%d.%d", i.ComputeMajor, i.ComputeMinor),
			MemoryBytes: i.MemoryBytes, Driver: i.DriverVersion, UUID: i.UUID, PCIBusID: i.PCIBusID,
		}
		if i.Unusable != nil {
			d.Unusable = i.Unusable.Error()
		}
		out = append(out, d)
	}
	return out
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the versions of Tandem, Go and NVRTC",
		Action: func(_ context.Context, c *cli.Command) error {
			version := "(devel)"
			if b, ok := debug.ReadBuildInfo(); ok && b.Main.Version != "" {
				version = b.Main.Version
			}
			fmt.Fprintf(c.Root().Writer, "tandem %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			if v, err := cuda.CompilerVersion(); err == nil {
				fmt.Fprintln(c.Root().Writer, v)
			} else {
				fmt.Fprintln(c.Root().Writer, "NVRTC not found; run: tandem setup")
			}
			return nil
		},
	}
}

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "say what works here, what does not, and what to do about it",
		Action: func(_ context.Context, c *cli.Command) error {
			w := c.Root().Writer
			for _, name := range []string{"TANDEM_DEVICE", "TANDEM_NVRTC", "CUDA_VISIBLE_DEVICES", "CUDA_PATH", "CUDA_HOME", "LD_LIBRARY_PATH", "NVIDIA_VISIBLE_DEVICES"} {
				if v, ok := os.LookupEnv(name); ok {
					fmt.Fprintf(w, "environment  %s=%s\n", name, v)
				}
			}
			for _, d := range deviceReports() {
				state := "works"
				if d.Unusable != "" {
					state = "cannot be used: " + d.Unusable
				}
				fmt.Fprintf(w, "device       %s: %s: %s\n", d.ID, d.Name, state)
			}
			failed := 0
			if dev, err := cuda.Open(os.Getenv("TANDEM_DEVICE")); err != nil {
				fmt.Fprintf(w, "default      %v\n", err)
				advise(w, err)
				failed++
			} else {
				fmt.Fprintf(w, "default      %s: %s\n", dev.Info().ID, dev.Info().Name)
				if why := cuda.WhyNoGPU(); dev.Info().Kind == cuda.Host && why != nil {
					fmt.Fprintf(w, "             no GPU: %v\n", why)
				}
				failed += failures(dev.Close())
			}
			if v, err := cuda.CompilerVersion(); err != nil {
				fmt.Fprintf(w, "compiler     %v\n", err)
				advise(w, err)
				failed++
			} else {
				fmt.Fprintf(w, "compiler     %s\n", v)
			}
			if failed > 0 {
				return fmt.Errorf("%d of the above need attention", failed)
			}
			return nil
		},
	}
}

func failures(err error) int {
	if err != nil {
		return 1
	}
	return 0
}

// advise prints what Diagnose says of an error, if it says anything.
func advise(w interface{ Write([]byte) (int, error) }, err error) {
	if advice := cuda.Diagnose(err); advice != "" {
		fmt.Fprintln(w, "             "+strings.ReplaceAll(strings.TrimSpace(advice), "\n", "\n             "))
	}
}

func compileCommand() *cli.Command {
	return &cli.Command{
		Name: "compile", Usage: "compile CUDA C++ to PTX", ArgsUsage: "FILE.cu",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "o", Usage: "the file to write; by default FILE.ptx"},
			&cli.StringSliceFlag{Name: "opt", Usage: "one option for NVRTC"},
			&cli.StringSliceFlag{Name: "name-expr", Usage: "a template instance, such as 'axpy<float>'"},
		},
		DisableSliceFlagSeparator: true,
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Len() != 1 || filepath.Ext(c.Args().First()) != ".cu" {
				return usage("want one FILE.cu")
			}
			file := c.Args().First()
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			ptx, log, err := cuda.CompilePTX(ctx, string(text), cuda.CompileConfig{
				Name: file, Options: c.StringSlice("opt"), NameExpressions: c.StringSlice("name-expr"), IncludeDirs: []string{filepath.Dir(file)},
			})
			if err != nil {
				return compileFailure(c.Root().ErrWriter, err)
			}
			if log != "" {
				fmt.Fprintln(c.Root().ErrWriter, log)
			}
			out := c.String("o")
			if out == "" {
				out = strings.TrimSuffix(file, ".cu") + ".ptx"
			}
			return os.WriteFile(out, ptx, 0o644)
		},
	}
}
