package proc

import (
	"bytes"
	"fmt"
	"iter"
	"os"
	"strconv"
	"time"
)

// threadsOf yields the threads of a process by their numbers, those of which all can be told.
func threadsOf(pid int) iter.Seq2[int, thread] {
	return func(yield func(int, thread) bool) {
		folder := fmt.Sprintf("/proc/%d/task/", pid)
		dir, err := os.Open(folder)
		if err != nil {
			return // it has ended
		}
		names, err := dir.Readdirnames(-1)
		_ = dir.Close() // it was read
		if err != nil {
			return
		}
		for _, name := range names {
			id, err := strconv.Atoi(name)
			if err != nil {
				continue
			}
			if t, ok := readThread(folder + name); ok && !yield(id, t) {
				return
			}
		}
	}
}

// readThread reads a thread's state and its times. Kernels without schedstat tell nothing.
func readThread(folder string) (t thread, ok bool) {
	stat, err := os.ReadFile(folder + "/stat")
	if err != nil {
		return t, false
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // the name before it may have anything in it
	if len(fields) == 0 {
		return t, false
	}
	t.state = fields[0][0]
	times, err := os.ReadFile(folder + "/schedstat")
	if err != nil {
		return t, false
	}
	ns := bytes.Fields(times)
	if len(ns) < 2 {
		return t, false
	}
	ran, err := strconv.ParseInt(string(ns[0]), 10, 64)
	if err != nil {
		return t, false
	}
	waited, err := strconv.ParseInt(string(ns[1]), 10, 64)
	t.ran, t.waited = time.Duration(ran), time.Duration(waited)
	return t, err == nil
}
