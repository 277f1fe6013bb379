package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A worker is a process that runs problems in one way and times itself, so that a crash costs one column. It reads commands
// from its standard input and answers each with one line that begins with "ok" or "error":
//
//	open DIR    makes the problem in the folder ready
//	check DIR   runs once on fresh data and writes each output to out0, out1, ... in the folder
//	time MS     runs for that long, at least once; the answer has the nanoseconds of each run
//	info        facts for the report, as key=value
//	close       gives the problem up
//
// The workers in C (peers/serve.h) hold the same conversation.

// implementation is one way to run a problem.
type implementation interface {
	open(p *problem) error
	reset() error
	run() error
	fetch(b int) (any, error)
	info() string
	close() error
}

// leastRuns is how many runs a measurement has at least; mostRuns at most.
const leastRuns, mostRuns = 1, 500

// serve answers commands until the input ends.
func serve(in io.Reader, out io.Writer, im implementation) error {
	var p *problem
	for sc := bufio.NewScanner(in); sc.Scan(); {
		command, rest, _ := strings.Cut(sc.Text(), " ")
		answer, err := "", errors.New("unknown command")
		switch command {
		case "open":
			if p, err = readProblem(rest); err == nil {
				err = im.open(p)
			}
		case "check":
			err = checkRun(im, p, rest)
		case "time":
			answer, err = timeRuns(im, rest)
		case "info":
			answer, err = im.info(), nil
		case "close":
			err = im.close()
		}
		if err != nil {
			answer = "error " + strings.ReplaceAll(err.Error(), "\n", " ")
		} else {
			answer = strings.TrimSpace("ok " + answer)
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
	}
	return nil
}

func checkRun(im implementation, p *problem, dir string) error {
	if err := im.reset(); err != nil {
		return err
	}
	if err := im.run(); err != nil {
		return err
	}
	for _, o := range p.outputs {
		d, err := im.fetch(o)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("out%d", o)), bytesOf(d), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func timeRuns(im implementation, ms string) (string, error) {
	limit, err := strconv.ParseFloat(ms, 64)
	if err != nil {
		return "", err
	}
	var s strings.Builder
	begun := time.Now()
	for i := 0; i < leastRuns || i < mostRuns && time.Since(begun).Seconds()*1e3 < limit; i++ {
		t := time.Now()
		if err := im.run(); err != nil {
			return "", err
		}
		fmt.Fprintf(&s, " %d", time.Since(t).Nanoseconds())
	}
	return s.String(), nil
}
