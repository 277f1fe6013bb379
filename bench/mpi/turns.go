package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// slice is how long one program runs before the next one does. A round of a measurement takes a tenth of it or less, so few
// rounds are cut, and medians do not see them.
const slice = 25 * time.Millisecond

// command is a program on n ranks.
func (l library) command(ctx context.Context, n int, program []string) *exec.Cmd {
	args := slices.Concat(l.launch, []string{"-n", strconv.Itoa(n)}, program)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "UCX_LOG_LEVEL=error", "MPI4PY_MPIABI="+l.abi)
	cmd.WaitDelay = time.Second
	return cmd
}

// job is a program that has been started.
type job struct {
	name           string
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	ended          chan error
}

// start starts a program on n ranks.
func (l library) start(ctx context.Context, n int, name string, program []string) (*job, error) {
	j := &job{name: name, cmd: l.command(ctx, n, program), ended: make(chan error, 1)}
	j.cmd.Stdout, j.cmd.Stderr = &j.stdout, &j.stderr
	if err := j.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { j.ended <- j.cmd.Wait() }()
	return j, nil
}

// report notes what a program that has ended with err has printed.
func (j *job) report(err error, all samples) error {
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(j.cmd.Args, " "), err, j.stderr.String())
	}
	all.add(j.name, j.stdout.String())
	return nil
}

// limit is how long programs may take.
const limit = 2 * time.Minute

// alone runs a program.
func (l library) alone(ctx context.Context, n int, name string, program []string, all samples) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	j, err := l.start(ctx, n, name, program)
	if err != nil {
		return err
	}
	return j.report(<-j.ended, all)
}

// together starts the programs on two ranks each and lets one after the other run for a while, the others stopped.
func (l library) together(ctx context.Context, programs map[string][]string, order []string, all samples) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var jobs []*job
	defer func() { // after an error: ranks that are stopped do not see the end of their launcher
		for _, j := range jobs {
			_ = signal(j.processes(false), running) // the error before says more
		}
	}()
	for _, name := range order {
		j, err := l.start(ctx, 2, name, programs[name])
		if err != nil {
			return err
		}
		jobs = append(jobs, j)
	}
	for turn := 0; len(jobs) > 0; turn++ {
		at := turn % len(jobs)
		for i, j := range jobs {
			if i != at {
				if err := signal(j.processes(true), stopped); err != nil {
					return err
				}
			}
		}
		j := jobs[at]
		if err := signal(j.processes(false), running); err != nil { // one that was stopped may have had children by then
			return err
		}
		select {
		case err := <-j.ended:
			jobs = slices.Delete(jobs, at, at+1)
			if err := j.report(err, all); err != nil {
				return err
			}
		case <-time.After(slice):
		}
	}
	return nil
}

// processes are those that the launcher has started by now, directly or by others; leaves only are those that have none
// themselves, such as the ranks.
func (j *job) processes(leavesOnly bool) []int {
	children := map[int][]int{}
	files, _ := os.ReadDir("/proc") // where there is none, the programs run at the same time
	for _, f := range files {
		pid, err := strconv.Atoi(f.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + f.Name() + "/stat")
		if err != nil {
			continue // it has ended
		}
		var state string
		var parent int
		if _, err := fmt.Sscan(string(stat[bytes.LastIndexByte(stat, ')')+1:]), &state, &parent); err == nil {
			children[parent] = append(children[parent], pid)
		}
	}
	var found []int
	var walk func(pid int)
	walk = func(pid int) {
		for _, child := range children[pid] {
			if !leavesOnly || len(children[child]) == 0 {
				found = append(found, child)
			}
			walk(child)
		}
	}
	walk(j.cmd.Process.Pid)
	return found
}
