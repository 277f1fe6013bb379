package drivertest

import (
	"github.com/tandem-go/tandem/internal/driver"
)

// launch describes one thread of a kernel.
func launch(f driver.Function, args ...any) *driver.Launch {
	return &driver.Launch{Function: f, Grid: one, Block: one, Params: params(args...)}
}

// exec makes a graph ready.
func (t *T) exec(g driver.Graph) driver.GraphExec {
	t.Helper()
	x, err := t.Instantiate(g)
	t.ok(err)
	return x
}

var graphChecks = []check{
	{"Capture", "BeginCapture makes a stream record what is queued on it.", func(t *T) {
		m := t.load()
		fold := t.function(m, "fold")
		s, acc := t.stream(), t.words(7, 7)
		calls := 0
		t.ok(t.BeginCapture(s))
		on, err := t.Capturing(s)
		t.ok(err)
		t.that(on, "the stream is not captured")
		t.ok(t.Fill(acc, 1, 4, 1, s))
		arg := params(acc, uint32(2))
		_, err = t.Launch(&driver.Launch{Function: fold, Grid: one, Block: one, Stream: s, Params: arg})
		t.ok(err)
		clear(arg) // it was read
		t.ok(t.HostFunc(s, func() { calls++ }))
		t.start(fold, s, acc, uint32(3))
		t.ok(t.Copy(acc+4, acc, 4, s))
		g, err := t.EndCapture(s)
		t.ok(err)
		on, err = t.Capturing(s)
		t.ok(err)
		t.that(!on, "the stream is still captured")
		equal(t, []uint32{7, 7}, t.read(acc, 2, s)) // nothing was done
		n, err := t.GraphNodes(g)
		t.ok(err)
		t.that(n == 5, "%d nodes", n)
		x := t.exec(g)
		t.ok(t.DestroyGraph(g))
		for i := range 3 {
			t.ok(t.Fill(acc, 9, 4, 2, s))
			t.ok(t.LaunchGraph(x, s))
			t.start(fold, s, acc, uint32(4))
			equal(t, []uint32{folded(1, 2, 3, 4), folded(1, 2, 3)}, t.read(acc, 2, s))
			t.that(calls == i+1, "the host function ran %d times in %d launches", calls, i+1)
		}
		t.ok(t.DestroyGraphExec(x))
		t.is(t.LaunchGraph(x, s), driver.InvalidHandle)
		t.is(t.DestroyGraphExec(x), driver.InvalidHandle)
		t.is(t.DestroyGraph(g), driver.InvalidHandle)
	}},
	{"CaptureJoin", "A stream that waits for an event of a captured one joins the capture.", func(t *T) {
		fold := t.kernel("fold")
		a, b := t.stream(), t.stream()
		fork, join := t.event(false), t.event(false)
		p := t.words(1, 1)
		t.ok(t.BeginCapture(a))
		t.start(fold, a, p, uint32(1))
		t.ok(t.Record(fork, a))
		t.ok(t.WaitEvent(b, fork))
		on, err := t.Capturing(b)
		t.ok(err)
		t.that(on, "the other stream did not join")
		t.start(fold, b, p+4, uint32(2))
		t.start(fold, a, p, uint32(3))
		t.ok(t.Record(join, b))
		_, err = t.EndCapture(b)
		t.is(err, driver.CaptureUnmatched)
		t.ok(t.WaitEvent(a, join))
		t.start(fold, a, p+4, uint32(4))
		t.is(t.QueryEvent(fork), driver.CapturedEvent)
		t.is(t.SynchronizeEvent(fork), driver.CapturedEvent)
		g, err := t.EndCapture(a)
		t.ok(err)
		on, err = t.Capturing(b)
		t.ok(err)
		t.that(!on, "the other stream is still captured")
		t.ok(t.LaunchGraph(t.exec(g), b))
		equal(t, []uint32{folded(1, 1, 3), folded(1, 2, 4)}, t.read(p, 2, b))
		t.ok(t.Record(fork, a)) // an event of a capture can be recorded again
		t.ok(t.SynchronizeEvent(fork))
	}},
	{"CaptureMisuse", "IllegalState if the stream is captured already. CaptureUnjoined if a stream that joined has work that s does not wait for", func(t *T) {
		fold := t.kernel("fold")
		a, b, p := t.stream(), t.stream(), t.words(1, 1)
		outside, e := t.event(true), t.event(true)
		t.ok(t.Record(outside, b))
		_, err := t.EndCapture(a)
		t.is(err, driver.IllegalState)
		t.ok(t.BeginCapture(a))
		t.is(t.BeginCapture(a), driver.IllegalState)
		dst := []byte{1, 2, 3, 4}
		t.is(t.Synchronize(a), driver.CaptureUnsupported)
		t.is(t.Query(a), driver.CaptureUnsupported)
		t.is(t.Write(p, dst, a), driver.CaptureUnsupported)
		t.is(t.Read(dst, p, a), driver.CaptureUnsupported)
		t.is(t.WaitEvent(a, outside), driver.CaptureIsolation)
		t.is(t.Copy(p, p, 4, a), driver.InvalidValue) // checked as ever
		t.is(t.Fill(p, 0, 3, 1, a), driver.InvalidValue)
		equal(t, []byte{1, 2, 3, 4}, dst)
		t.start(fold, a, p, uint32(1)) // the capture goes on
		t.ok(t.Record(e, a))
		_, err = t.Elapsed(outside, e)
		t.is(err, driver.CapturedEvent)
		t.ok(t.WaitEvent(b, e))
		t.start(fold, b, p+4, uint32(1))
		_, err = t.EndCapture(a)
		t.is(err, driver.CaptureUnjoined)
		for _, s := range []driver.Stream{a, b} {
			on, err := t.Capturing(s)
			t.ok(err)
			t.that(!on, "a stream is still captured")
			t.ok(t.Synchronize(s))
		}
		equal(t, []uint32{1, 1}, t.read(p, 2, a))
		t.ok(t.BeginCapture(a))
		t.ok(t.BeginCapture(b))
		t.ok(t.Record(e, a))
		t.is(t.WaitEvent(b, e), driver.CaptureMerge)
		_, err = t.EndCapture(a)
		t.ok(err)
		t.ok(t.DestroyStream(b)) // with its capture
		t.is(t.BeginCapture(b), driver.InvalidHandle)
		t.start(fold, a, p, uint32(2))
		equal(t, []uint32{folded(1, 2), 1}, t.read(p, 2, a))
	}},
	{"CaptureAndMemory", "Every other call on such a stream returns CaptureUnsupported; the capture goes on.", func(t *T) {
		m := t.load()
		s, p := t.stream(), t.words(1)
		t.ok(t.BeginCapture(s))
		t.start(t.function(m, "fold"), s, p, uint32(1))
		q := t.words(5) // other streams go on
		t.ok(t.Free(q))
		t.ok(t.UnloadModule(t.load()))
		g, err := t.EndCapture(s)
		t.ok(err)
		t.ok(t.LaunchGraph(t.exec(g), 0))
		equal(t, []uint32{folded(1, 1)}, t.read(p, 1, 0))
	}},
	{"Graph", "The Add methods add a node that waits for the nodes before it", func(t *T) {
		m := t.load()
		fold := t.function(m, "fold")
		p := t.words(5, 6, 7)
		g, err := t.NewGraph()
		t.ok(err)
		node := func(n driver.Node, err error) driver.Node {
			t.Helper()
			t.ok(err)
			return n
		}
		called := false
		zero := node(t.AddFill(g, nil, p, 1, 4, 2))
		left := node(t.AddKernel(g, []driver.Node{zero}, launch(fold, p, uint32(2))))
		right := node(t.AddKernel(g, []driver.Node{zero}, launch(fold, p+4, uint32(3))))
		both := node(t.AddEmpty(g, []driver.Node{left, right}))
		host := node(t.AddHostFunc(g, []driver.Node{both}, func() { called = true }))
		sub, err := t.NewGraph()
		t.ok(err)
		node(t.AddKernel(sub, []driver.Node{node(t.AddKernel(sub, nil, launch(fold, p, uint32(4))))}, launch(fold, p, uint32(5))))
		child := node(t.AddGraph(g, []driver.Node{host}, sub))
		t.ok(t.DestroyGraph(sub))
		node(t.AddCopy(g, []driver.Node{child}, p+8, p, 4))
		n, err := t.GraphNodes(g)
		t.ok(err)
		t.that(n == 7, "%d nodes", n)
		x := t.exec(g)
		node(t.AddFill(g, []driver.Node{child}, p, 99, 4, 1)) // makes no difference to x
		t.ok(t.LaunchGraph(x, 0))
		equal(t, []uint32{folded(1, 2, 4, 5), folded(1, 3), folded(1, 2, 4, 5)}, t.read(p, 3, 0))
		t.that(called, "the host function did not run")
		other, err := t.NewGraph()
		t.ok(err)
		foreign := node(t.AddEmpty(other, nil))
		for name, err := range map[string]error{
			"foreign node": second(t.AddEmpty(g, []driver.Node{foreign})),
			"no graph":     second(t.AddEmpty(12345, nil)),
			"no child":     second(t.AddGraph(g, nil, 12345)),
			"no function":  second(t.AddKernel(g, nil, launch(12345))),
			"instantiate":  second(t.Instantiate(12345)),
			"nodes":        second(t.GraphNodes(12345)),
		} {
			t.Log(name)
			t.is(err, driver.InvalidHandle)
		}
		for name, err := range map[string]error{
			"itself":      second(t.AddGraph(g, nil, g)),
			"no host":     second(t.AddHostFunc(g, nil, nil)),
			"bad address": second(t.AddFill(g, nil, 0x40, 0, 4, 1)),
			"bad width":   second(t.AddFill(g, nil, p, 0, 3, 1)),
			"overlap":     second(t.AddCopy(g, nil, p, p, 4)),
			"parameters":  second(t.AddKernel(g, nil, launch(fold, uint32(1)))),
		} {
			t.Log(name)
			t.is(err, driver.InvalidValue)
		}
		after, err := t.GraphNodes(g)
		t.ok(err)
		t.that(after == n+1, "%d nodes after failed calls", after)
	}},
	{"GraphOutlives", "[DestroyGraph] releases the handle; what was made of the graph lives on. [DestroyGraphExec]: what was queued goes on.", func(t *T) {
		m := t.load()
		s, p := t.stream(), t.words(1)
		g, err := t.NewGraph()
		t.ok(err)
		_, err = t.AddKernel(g, nil, launch(t.function(m, "fold"), p, uint32(1)))
		t.ok(err)
		called := false
		_, err = t.AddHostFunc(g, nil, func() { called = true })
		t.ok(err)
		x := t.exec(g)
		t.ok(t.DestroyGraph(g))
		open := t.gate(t.function(m, "gate"), s)
		t.ok(t.LaunchGraph(x, s))
		destroyed := t.background(func() { t.check(t.DestroyGraphExec(x)) })
		open()
		<-destroyed
		equal(t, []uint32{folded(1, 1)}, t.read(p, 1, s))
		t.that(called, "the host function did not run")
	}},
}

func second[V any](_ V, err error) error { return err }
