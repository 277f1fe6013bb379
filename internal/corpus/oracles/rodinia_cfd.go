package main

import "github.com/tandem-go/tandem/cuda"

// cfd is a finite volume solver of the Euler equations on elements with four faces: density, momentum and energy density
// of each element, in planes. Faces lie between elements, at walls (-1), or in the far field (-2).
type cfd[T float32 | float64] struct {
	r       *run
	f       arith
	n       int  // elements: one block
	kept    bool // the file has a kernel of its own that stores flux contributions
	state   []T
	normals []T
	faces   []int32
	far     [5]T
}

const cfdGamma, cfdSmoothing = 1.4, 0.2

func newCFD[T float32 | float64](r *run, n int, kept bool) *cfd[T] {
	c := &cfd[T]{r: r, n: n, kept: kept, f: single}
	if T(1)/3 != T(float32(1)/3) {
		c.f = double
	}
	c.state = append(append(between[T](r, n, 1, 2), between[T](r, 3*n, -0.5, 0.5)...), between[T](r, n, 3, 4)...)
	c.normals = between[T](r, 12*n, -1, 1)
	c.faces = table(4*n, func(int) int32 { return int32(r.rng.IntN(n + 40)) })
	for i, v := range c.faces {
		if int(v) >= n {
			c.faces[i] = -1 - v%2
		}
	}
	copy(c.far[:], append(between[T](r, 1, 1, 2), append(between[T](r, 3, -0.5, 0.5), between[T](r, 1, 3, 4)...)...))
	return c
}

// gas is what follows from the state of an element.
type gas struct {
	density, energy, pressure, speed, sound approx
	momentum                                [3]approx
	flux                                    [3][3]approx // of momentum, by component and direction
	energyFlux                              [3]approx
}

func (c *cfd[T]) gas(density approx, momentum [3]approx, energy approx) gas {
	f := c.f
	gamma := lift(T(cfdGamma))
	var velocity [3]approx
	for k := range velocity {
		velocity[k] = f.div(momentum[k], density)
	}
	square := f.dot(velocity[:], velocity[:])
	g := gas{density: density, momentum: momentum, energy: energy}
	g.pressure = f.mul(f.sub(gamma, lift(1.0)), f.sub(energy, f.product(lift(0.5), density, square)))
	g.speed = f.sqrt(square)
	g.sound = f.sqrt(f.div(f.mul(gamma, g.pressure), density))
	enthalpy := f.add(energy, g.pressure)
	for k := range 3 {
		for d := range 3 {
			// The tensor is symmetric, and a kernel may form the product either way.
			g.flux[k][d] = f.mul(velocity[min(k, d)], momentum[max(k, d)])
			if k == d {
				g.flux[k][d] = f.add(g.flux[k][d], g.pressure)
			}
		}
		g.energyFlux[k] = f.mul(velocity[k], enthalpy)
	}
	return g
}

func (c *cfd[T]) element(i int) gas {
	at := func(k int) approx { return lift(c.state[i+k*c.n]) }
	return c.gas(at(0), [3]approx{at(1), at(2), at(3)}, at(4))
}

func (c *cfd[T]) setFar(names [4]string) gas {
	at := func(k int) approx { return lift(c.far[k]) }
	g := c.gas(at(0), [3]approx{at(1), at(2), at(3)}, at(4))
	set(c.r, "ff_variable", c.far[:])
	round := func(x []approx, to *[3]approx) []T {
		return table(3, func(d int) T {
			v := T(x[d].v)
			to[d] = lift(v) // the variable holds this very number
			return v
		})
	}
	for k := range 3 {
		set(c.r, names[k], round(g.flux[k][:], &g.flux[k]))
	}
	set(c.r, names[3], round(g.energyFlux[:], &g.energyFlux))
	return g
}

// residual is the sum of fluxes through the faces of an element: central, with smoothing in proportion to the speeds.
func (c *cfd[T]) residual(i int, all []gas, far gas) (sums [5]approx) {
	f := c.f
	var terms [5][]approx
	put := func(k int, x approx) { terms[k] = append(terms[k], x) }
	a := all[i]
	for j := range 4 {
		var normal [3]approx
		for d := range 3 {
			normal[d] = lift(c.normals[i+(j+4*d)*c.n])
		}
		other := c.faces[i+j*c.n]
		if other == -1 {
			for d := range 3 {
				put(1+d, f.mul(normal[d], a.pressure))
			}
			continue
		}
		b := far
		if other >= 0 {
			b = all[other]
			length := f.sqrt(f.dot(normal[:], normal[:]))
			factor := f.product(neg(length), lift(T(float32(cfdSmoothing))), lift(0.5), f.total(a.speed, b.speed, a.sound, b.sound))
			put(0, f.mul(factor, f.sub(a.density, b.density)))
			put(4, f.mul(factor, f.sub(a.energy, b.energy)))
			for k := range 3 {
				put(1+k, f.mul(factor, f.sub(a.momentum[k], b.momentum[k])))
			}
		}
		for d := range 3 {
			half := f.mul(lift(0.5), normal[d])
			put(0, f.mul(half, f.add(b.momentum[d], a.momentum[d])))
			put(4, f.mul(half, f.add(b.energyFlux[d], a.energyFlux[d])))
			for k := range 3 {
				put(1+k, f.mul(half, f.add(b.flux[k][d], a.flux[k][d])))
			}
		}
	}
	for k := range sums {
		sums[k] = f.sum(terms[k])
	}
	return sums
}

func (c *cfd[T]) launch(kernel string, args ...any) {
	c.r.launch(kernel, cuda.D1(1), cuda.D1(c.n), args...)
}

func cfdChecks[T float32 | float64](n int, kept bool) []check {
	checks := []check{
		{"cuda_initialize_variables", func(r *run) {
			c := newCFD[T](r, n, kept)
			set(r, "ff_variable", c.far[:])
			v := room(r, "variables", 5*n, T(-9))
			c.launch("cuda_initialize_variables", n, v)
			v.exact(r, table(5*n, func(i int) T { return c.far[i/n] }))
		}},
		{"cuda_compute_step_factor", func(r *run) {
			c := newCFD[T](r, n, kept)
			areas := between[T](r, n, 1, 4)
			d := room(r, "step_factors", n, T(-9))
			c.launch("cuda_compute_step_factor", n, give(r, "variables", c.state), give(r, "areas", areas), d)
			within(r, d, table(n, func(i int) approx {
				g := c.element(i)
				return c.f.div(lift(0.5), c.f.mul(c.f.sqrt(lift(areas[i])), c.f.add(g.speed, g.sound)))
			}))
		}},
		{"cuda_time_step", func(r *run) {
			c := newCFD[T](r, n, kept)
			old, factors, fluxes := between[T](r, 5*n, 1, 2), between[T](r, n, 0, 1), between[T](r, 5*n, -1, 1)
			d := give(r, "variables", c.state)
			c.launch("cuda_time_step", 1, n, give(r, "old_variables", old), d, give(r, "step_factors", factors), give(r, "fluxes", fluxes))
			within(r, d, table(5*n, func(i int) approx {
				return c.f.add(lift(old[i]), c.f.mul(c.f.div(lift(factors[i%n]), lift(3.0)), lift(fluxes[i])))
			}))
		}},
	}
	if kept {
		return append(checks, check{"cuda_compute_flux_contributions cuda_compute_flux", func(r *run) { newCFD[T](r, n, true).flux() }})
	}
	return append(checks, check{"cuda_compute_flux", func(r *run) { newCFD[T](r, n, false).flux() }})
}

// flux checks the kernel that sums fluxes, and where there is one, that which stores the contributions of each element.
func (c *cfd[T]) flux() {
	r, n := c.r, c.n
	names := [4]string{"ff_flux_contribution_momentum_x", "ff_flux_contribution_momentum_y", "ff_flux_contribution_momentum_z", "ff_flux_contribution_density_energy"}
	if c.kept {
		names = [4]string{"ff_fc_momentum_x", "ff_fc_momentum_y", "ff_fc_momentum_z", "ff_fc_density_energy"}
	}
	far := c.setFar(names)
	all := table(n, c.element)
	state, out := give(r, "variables", c.state), room(r, "fluxes", 5*n, T(1000))
	args := []any{n, give(r, "elements", c.faces), give(r, "normals", c.normals), state}
	if c.kept {
		contributions := []any{n, state}
		for k := range 4 {
			d := room(r, names[k], 3*n, T(1000))
			defer within(r, d, table(3*n, func(i int) approx {
				if k == 3 {
					return all[i%n].energyFlux[i/n]
				}
				return all[i%n].flux[k][i/n]
			}))
			contributions = append(contributions, d)
		}
		c.launch("cuda_compute_flux_contributions", contributions...)
		args = append(args, contributions[2:]...)
	}
	c.launch("cuda_compute_flux", append(args, out)...)
	want := make([]approx, 5*n)
	for i := range n {
		for k, x := range c.residual(i, all, far) {
			want[i+k*n] = x
		}
	}
	within(r, out, want)
}
