// Package csp builds networks of processes that share nothing and meet at channels, and that end as one: by poison, at
// once, or by retirement, when their work is done.
//
//	c := csp.New[int](csp.Config{})
//	out, in := c.Out(), c.In()
//	err := csp.Par(ctx,
//		csp.Proc(func(ctx context.Context) error { return produce(ctx, out) }, out),
//		csp.Proc(func(ctx context.Context) error { return consume(ctx, in) }, in),
//	)
//
// What Go's channels lack, and this package adds: a wait for several channels may send as well as receive on each of
// them, with priorities (Alt, Pri); the ends of a channel are counted, so that it closes when the last writer, or the
// last reader, has gone (Retire); and a channel can be made unusable from either side (Poison). Both spread through a
// network: a process that meets them ends, and its other channels with it. Where select and close suffice, use them:
// they are faster.
//
// The model is Hoare's Communicating Sequential Processes (1978); the words are those of PyCSP and JCSP.
package csp
