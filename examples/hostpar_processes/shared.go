package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/tandem-go/tandem/hostpar/proc"
)

// manage lets seven processes fill a dictionary and a list of a manager.
func manage(ctx context.Context, w io.Writer) error {
	m, err := proc.StartManager(ctx, proc.ManagerConfig{})
	if err != nil {
		return err
	}
	defer m.Stop()
	dict := proc.Dict[int, int]{Manager: m.Manager, Name: "dict"}
	list := proc.List[int]{Manager: m.Manager, Name: "list"}
	var ps []*proc.Process[bool]
	for i := range 7 {
		p, err := proc.Start(ctx, fill, entry{dict, list, i}, proc.StartConfig{})
		if err != nil {
			return err
		}
		ps = append(ps, p)
	}
	for _, p := range ps {
		if _, err := p.Wait(ctx); err != nil {
			return err
		}
	}
	all, err := dict.All(ctx)
	xs, listErr := list.All(ctx)
	slices.Sort(xs) // who comes first is nobody's promise
	fmt.Fprintf(w, "dictionary of a manager: %v, list: %v\n", all, xs)
	return cmp.Or(err, listErr)
}

// send lets a process send a list of different things through a pipe.
func send(ctx context.Context, w io.Writer) error {
	ours, theirs, err := proc.Pipe[[]any]()
	if err != nil {
		return err
	}
	p, err := proc.Start(ctx, talk, theirs, proc.StartConfig{})
	if err != nil {
		return err
	}
	x, err := ours.Receive(ctx)
	fmt.Fprintf(w, "through a pipe: %v\n", x)
	_, waitErr := p.Wait(ctx)
	_, end := ours.Receive(ctx)
	fmt.Fprintf(w, "then: %v\n", end)
	return cmp.Or(err, waitErr, ours.Close())
}
