// Package beside runs a job on each device alone and on all of them together, checks that the answers agree, and prints
// how they compare: what the examples of hostpar/hetero have in common.
package beside

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/tandem-go/tandem/cuda"
	"github.com/tandem-go/tandem/hostpar/hetero"
	"github.com/tandem-go/tandem/hostpar/hetero/trace"
)

// Options are what the command line of an example says.
type Options struct {
	// Size multiplies the amount of work, Rounds is how often each configuration runs, of which the fastest counts.
	Size, Rounds int
	// Trace is the file for a timeline of the last run on all devices; empty for none.
	Trace string
}

// Flags reads the command line.
func Flags() *Options {
	o := &Options{}
	flag.IntVar(&o.Size, "size", 1, "multiplies the amount of work")
	flag.IntVar(&o.Rounds, "rounds", 3, "runs of each configuration")
	flag.StringVar(&o.Trace, "trace", "", "write a timeline to this file, for `tandem trace FILE`")
	return o
}

// Devices opens every GPU and the CPU. Where there is no GPU, the CPU's cores are two devices of half of them, so that
// there is something to divide.
func Devices() (devices []hetero.Device, closeAll func() error, err error) {
	var opened []*cuda.Device
	closeAll = func() error {
		var errs []error
		for _, d := range opened {
			errs = append(errs, d.Close())
		}
		return errors.Join(errs...)
	}
	add := func(d *cuda.Device, e error) {
		if err = errors.Join(err, e); e == nil {
			opened = append(opened, d)
			devices = append(devices, hetero.OnCUDA(d))
		}
	}
	for _, i := range cuda.Devices() {
		if i.Kind == cuda.GPU && i.Unusable == nil {
			add(cuda.Open(i.ID))
		}
	}
	cores := runtime.GOMAXPROCS(0)
	if len(opened) > 0 {
		add(cuda.OpenHost(cuda.HostConfig{Workers: max(cores-len(opened), 1)}))
	} else {
		add(cuda.OpenHost(cuda.HostConfig{Workers: max(cores/2, 1)}))
		add(cuda.OpenHost(cuda.HostConfig{Workers: max(cores-cores/2, 1)}))
	}
	if err != nil {
		return nil, nil, errors.Join(err, closeAll())
	}
	return devices, closeAll, nil
}

// Job is what to compare. Run does all of it on a pool and returns the report of its last run; Check compares what it left
// with the answer of the first device, or keeps that if there is none yet.
type Job struct {
	Run   func(ctx context.Context, p *hetero.Pool, cfg hetero.RunConfig) (*hetero.Report, error)
	Check func() error
}

// Compare runs the job on each device alone and on all, and prints the times and the last report.
func Compare(ctx context.Context, out io.Writer, o *Options, job Job) (err error) {
	devices, closeAll, err := Devices()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAll()) }()
	all, err := pool(devices...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	best := time.Duration(0)
	for i, info := range all.Devices() {
		one, err := pool(devices[i])
		if err != nil {
			return err
		}
		t, _, err := run(ctx, o, job, nil, one)
		if err = errors.Join(err, one.Close()); err != nil {
			return err
		}
		fmt.Fprintf(out, "%-44s %10.3f ms\n", info.Name, 1e3*t.Seconds())
		if best == 0 || t < best {
			best = t
		}
	}
	rec := trace.New(0)
	t, rep, err := run(ctx, o, job, rec, all)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-44s %10.3f ms: %.2f times as fast as the best one alone\n", "all of them", 1e3*t.Seconds(), best.Seconds()/t.Seconds())
	fmt.Fprintln(out, "the answers agree; the last run:")
	fmt.Fprintln(out, rep)
	if o.Trace == "" {
		return nil
	}
	f, err := os.Create(o.Trace)
	if err != nil {
		return err
	}
	_, err = rec.WriteTo(f)
	return errors.Join(err, f.Close())
}

// pool is a pool of devices that forgets what it learns.
func pool(devices ...hetero.Device) (*hetero.Pool, error) {
	return hetero.Open(hetero.PoolConfig{Devices: devices, NoModels: true})
}

// run is the least time of some rounds, after one that compiles and learns.
func run(ctx context.Context, o *Options, job Job, rec *trace.Recorder, p *hetero.Pool) (best time.Duration, rep *hetero.Report, err error) {
	for i := range o.Rounds + 1 {
		cfg := hetero.RunConfig{}
		if i == o.Rounds {
			cfg.Trace = rec
		}
		begin := time.Now()
		rep, err = job.Run(ctx, p, cfg)
		t := time.Since(begin)
		if err == nil {
			err = job.Check()
		}
		if err != nil {
			return 0, nil, err
		}
		if i == 1 || i > 0 && t < best {
			best = t
		}
	}
	return best, rep, nil
}

// Keep returns a check that the answer is the same bits each time.
func Keep[T comparable](answer func() []T) func() error {
	var first []T
	return func() error {
		now := answer()
		if first == nil {
			first = append(first, now...)
			return nil
		}
		for i := range now {
			if now[i] != first[i] {
				return fmt.Errorf("element %d is %v, and was %v on the first device", i, now[i], first[i])
			}
		}
		return nil
	}
}
