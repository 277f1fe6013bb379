package main

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

//go:embed worker.py
var script string

// worker is a Python process that measures NumPy.
type worker struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	version string
}

// startNumPy starts the worker and makes its inputs.
func startNumPy(n int) (*worker, error) {
	python, err := exec.LookPath("python3")
	if err != nil {
		return nil, fmt.Errorf("the peer is NumPy: %w", err)
	}
	w := &worker{cmd: exec.Command(python, "-c", script, strconv.Itoa(n))}
	w.cmd.Stderr = os.Stderr
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.out = bufio.NewReader(out)
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	if w.version, err = w.answer(); err != nil {
		return nil, errors.Join(err, w.stop())
	}
	return w, nil
}

func (w *worker) answer() (string, error) {
	line, err := w.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the worker of NumPy ended: %w", err)
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(line), "ok ")
	if !ok {
		return "", fmt.Errorf("NumPy: %s", line)
	}
	return text, nil
}

func (w *worker) ask(command, text string) (string, error) {
	if _, err := fmt.Fprintf(w.in, "%s %s\n", command, text); err != nil {
		return "", err
	}
	return w.answer()
}

// prepare runs statements, separated by semicolons, that are not measured.
func (w *worker) prepare(statements string) error {
	_, err := w.ask("prepare", statements)
	return err
}

// time runs a statement several times and returns the median in milliseconds.
func (w *worker) time(statement string, times int) (float64, error) {
	a, err := w.ask("time "+strconv.Itoa(times), statement)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(a, 64)
}

func (w *worker) stop() error { return errors.Join(w.in.Close(), w.cmd.Wait()) }
