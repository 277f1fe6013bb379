package main

import (
	"context"

	"github.com/tandem-go/tandem/kernels/array"
)

// arrayRows measure kernels/array. Results are closed before the next run, as NumPy frees its own.
var arrayRows = []row{
	{"a*x + b*y, one kernel", "a, b = np.float32(2), np.float32(3)", "z = a*x + b*y", 2, elementwise(func(x, y *array.Array[float32]) *array.Array[float32] { return x.Mul(2).Add(y.Mul(3)) })},
	{"copy of x, into an array that is there", "z = np.empty_like(x)", "np.copyto(z, x)", 0, into(func(x *array.Array[float32]) *array.Array[float32] { return x })},
	{"x + y", "", "z = x + y", 0, elementwise(func(x, y *array.Array[float32]) *array.Array[float32] { return x.Add(y) })},
	{"exp(x)", "", "z = np.exp(x)", 4, elementwise(func(x, _ *array.Array[float32]) *array.Array[float32] { return x.Exp() })},
	{"sin(x)", "", "z = np.sin(x)", 4, elementwise(func(x, _ *array.Array[float32]) *array.Array[float32] { return x.Sin() })},
	{"exp(x), into an array that is there", "z = np.empty_like(x)", "np.exp(x, out=z)", 0, into(func(x *array.Array[float32]) *array.Array[float32] { return x.Exp() })},
	{"sin(x), into an array that is there", "z = np.empty_like(x)", "np.sin(x, out=z)", 0, into(func(x *array.Array[float32]) *array.Array[float32] { return x.Sin() })},
	{"sqrt(x² + y²) * exp(-x) > 0.5, one kernel", "", "z = np.sqrt(x*x + y*y) * np.exp(-x) > 0.5", 0, distance},
	{"sum(x)", "", "s = x.sum()", 1, reduction(func(x *array.Array[float32]) *array.Array[float32] { return x.Sum() })},
	{"sum along axis 0 of 4096 rows", "m = x.reshape(4096, -1)", "s = m.sum(0)", 1.5, reduction(func(x *array.Array[float32]) *array.Array[float32] { return x.Reshape(4096, -1).Sum(0) })},
	{"sum along axis 1 of 4096 rows", "m = x.reshape(4096, -1)", "s = m.sum(1)", 1.5, reduction(func(x *array.Array[float32]) *array.Array[float32] { return x.Reshape(4096, -1).Sum(1) })},
	{"max(x)", "", "s = x.max()", 0, reduction(func(x *array.Array[float32]) *array.Array[float32] { return x.Max() })},
	{"sum(x*y), one kernel", "", "s = (x*y).sum()", 0, dot},
	{"x[x > 0.5]", "", "z = x[x > 0.5]", 0, halves},
	{"copy of the transpose of 4096 rows", "m = x.reshape(4096, -1)", "z = m.T.copy()", 0, elementwise(func(x, _ *array.Array[float32]) *array.Array[float32] { return x.Reshape(4096, -1).T().Copy() })},
}

// operands are x and y on the device.
func operands(ctx context.Context, s *session) (x, y *array.Array[float32], err error) {
	ws, err := array.NewWorkspace(s.dev, array.Config{})
	if err != nil {
		return nil, nil, err
	}
	return array.From(ctx, ws, s.x), array.From(ctx, ws, s.y), nil
}

// finish computes a result, waits for it and gives its memory back.
func finish[T array.Element](ctx context.Context, a *array.Array[T]) error {
	if err := a.Eval(ctx); err != nil {
		return err
	}
	if err := a.Workspace().Stream().Wait(ctx); err != nil {
		return err
	}
	return a.Close()
}

type unary = func(x *array.Array[float32]) *array.Array[float32]

type binary = func(x, y *array.Array[float32]) *array.Array[float32]

func elementwise(f binary) func(ctx context.Context, s *session) (func() error, error) {
	return func(ctx context.Context, s *session) (func() error, error) {
		x, y, err := operands(ctx, s)
		return func() error { return finish(ctx, f(x, y)) }, err
	}
}

// into writes into an array that is there.
func into(f unary) func(ctx context.Context, s *session) (func() error, error) {
	return func(ctx context.Context, s *session) (func() error, error) {
		x, z, err := operands(ctx, s)
		return func() error {
			if err := z.Assign(ctx, f(x)); err != nil {
				return err
			}
			return z.Workspace().Stream().Wait(ctx)
		}, err
	}
}

func reduction(f unary) func(ctx context.Context, s *session) (func() error, error) {
	return elementwise(func(x, _ *array.Array[float32]) *array.Array[float32] { return f(x) })
}

func dot(ctx context.Context, s *session) (func() error, error) {
	return elementwise(func(x, y *array.Array[float32]) *array.Array[float32] { return x.Mul(y).Sum() })(ctx, s)
}

func distance(ctx context.Context, s *session) (func() error, error) {
	x, y, err := operands(ctx, s)
	return func() error {
		return finish(ctx, x.Square().Add(y.Square()).Sqrt().Mul(x.Neg().Exp()).Greater(0.5))
	}, err
}

func halves(ctx context.Context, s *session) (func() error, error) {
	return elementwise(func(x, _ *array.Array[float32]) *array.Array[float32] { return array.Compress(ctx, x, x.Greater(0.5)) })(ctx, s)
}
