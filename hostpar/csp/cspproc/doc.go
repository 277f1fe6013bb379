// Package cspproc lets networks of package csp reach into other processes.
//
//	var Double = cspproc.Register("double", func(ctx context.Context, in Ends) error { ... in.In.Read(ctx) ... in.Out.Write(ctx, 2*x) ... })
//
//	type Ends struct {
//		In  *cspproc.In[int]
//		Out *cspproc.Out[int]
//	}
//
//	a, b := csp.New[int](csp.Config{}), csp.New[int](csp.Config{})
//	in, err := cspproc.Reader(a)
//	out, err := cspproc.Writer(b)
//	err = csp.Par(ctx, produce, cspproc.Process(Double, Ends{in, out}, in, out), consume)
//
// A channel stays in the process that has made it; Reader and Writer make ends of it for other processes, which count like
// its own and retire and poison it like those. What arrives in the other process is an ordinary end, for Alt too.
//
// Two things differ. A value is fetched from another process when somebody waits to read it; if that one no longer wants
// it, the end keeps it for its next Read, and it is lost if the end retires instead. And Write to another process returns
// when the value is on its way, one value at most; a process ends only when its values have arrived. A process that dies
// poisons the channels it has ends of.
package cspproc
