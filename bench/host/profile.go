package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime/pprof"
	"time"
)

// profiled runs kernels on Tandem in this process while the processors are profiled. Compiled code is seen as
// runtime._ExternalCode; everything else is what the engine and the host device cost beside it.
func profiled(o options, file string) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	t := &tandem{engine: o.engines[0]}
	for i, k := range o.kernels {
		if err := t.open(k.problem(rand.New(rand.NewPCG(o.seed, uint64(i))), o.small)); err != nil {
			return err
		}
		if err := t.run(); err != nil {
			return err
		}
		if i == 0 {
			if err := pprof.StartCPUProfile(f); err != nil {
				return err
			}
			defer pprof.StopCPUProfile()
		}
		n, begun := 0, time.Now()
		for ; time.Since(begun).Seconds()*1e3 < o.ms; n++ {
			if err := t.run(); err != nil {
				return err
			}
		}
		fmt.Printf("%s: %.3f ms\n", k.name, time.Since(begun).Seconds()*1e3/float64(n))
		if err := t.close(); err != nil {
			return err
		}
	}
	return nil
}
