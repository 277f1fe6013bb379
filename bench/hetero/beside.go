package main

import (
	"fmt"
	"sync"
	"time"

	"github.com/tandem-go/tandem/hostpar/hetero"
)

// learning is how many runs of a plan come before those that are measured: what a device is known by must come from chunks
// of the size that it gets, which takes some runs to find.
const learning = 12

// shortRound is how long each configuration of a short job runs in a round, if that takes no more than 25 runs.
const shortRound = 5 * time.Millisecond

// alone is the least of some runs on one device.
func alone(j *job, p *pace, d hetero.Device) time.Duration {
	pl := plan(j, p, 2, d)
	defer pl.Close()
	best := time.Hour
	for range 5 {
		t, _ := once(j, pl)
		best = min(best, t)
	}
	return best
}

// pair is two host devices against one.
func (b *bench) pair() {
	a, c := host(), host()
	t := b.table("Two host devices of one worker against one", "Shares are of items, whose costs in mandelbrot are very different.",
		"", "one, ms", "two, ms", "two : one", "smaller share", "wanted", "held")
	for _, j := range append(jobs([]int{3}), jobs([]int{2})...) {
		if j.name != "mandelbrot" && j.name != "nbody" || b.only != "" && j.name != b.only {
			continue
		}
		none := &pace{}
		one, two := plan(j, none, learning, a), plan(j, none, learning, a, c)
		var last *hetero.Report
		var small []float64
		got := b.measure(timed(j, one), func() float64 {
			var t time.Duration
			t, last = once(j, two)
			small = append(small, min(last.Devices[0].Share, last.Devices[1].Share))
			return t.Seconds()
		})
		ratio := func(draw []int) float64 { return median(pick(got[1], draw)) / median(pick(got[0], draw)) }
		r, lo, hi := b.interval(ratio)
		s := median(small)
		t.row(fmt.Sprintf("%s, %d", j.name, j.items), ms(got[0]), ms(got[1]), with("%.3f", r, lo, hi), fmt.Sprintf("%.1f %%", 100*s),
			"≤ 0.55, ≥ 40 %", b.verdict(r <= 0.55 && s >= 0.4))
		b.show(last)
		must(one.Close())
		must(two.Close())
	}
}

func (b *bench) show(rep *hetero.Report) {
	if b.verbose {
		fmt.Println(rep)
	}
}

// tune finds a pace at which the host device alone is ratio times as fast as the Go body alone.
func tune(j *job, ratio int, a, g hetero.Device) *pace {
	p := &pace{}
	for range 3 {
		ta := alone(j, p, a).Seconds()
		q := *p
		q.spin = 0
		raw := alone(j, &q, g).Seconds()
		if want := ta * float64(ratio); raw <= want {
			p.spin = want / float64(j.items)
			return p
		}
		// The Go body is too slow by itself: the host device wastes time.
		each := 0.0
		for step := int32(64); each == 0 && step < 1<<20; step *= 4 {
			more := *p
			more.waste += step
			if grown := alone(j, &more, a).Seconds() - ta; grown > ta/2 {
				each = grown / float64(step)
			}
		}
		if each == 0 {
			return p
		}
		p.waste += int32((raw*1.05/float64(ratio) - ta) / each)
	}
	return p
}

// beside is a host device and a Go body of unlike speeds.
func (b *bench) beside() {
	for _, ratio := range b.ratios {
		b.besideAt(ratio)
	}
}

func (b *bench) besideAt(ratio int) {
	const slack = 20e-6
	a, g := host(), hetero.OnCPU(1)
	t := b.table(fmt.Sprintf("A host device and a Go body, 1:%d", ratio),
		`Both have one worker; the slower one is slowed further, until the ratio of their speeds is as said. Plans, after their first runs.
"Over" is (both − 20 µs) / best; "sum" is the throughput of both over the sum of each alone, wanted at 1:1 for jobs of a millisecond or more.
"Copies" is the same of as many bytes that two goroutines copy, half each, where memory bounds the kernel, in the same rounds: what the
memory that both devices share gives to two at once.`,
		"", "MB", "host, ms", "Go, ms", "both, ms", "over (≤ 1.03)", "held", "sum (≥ 0.9)", "held", "copies")
	for _, j := range jobs(b.sizes) {
		if b.only != "" && j.name != b.only {
			continue
		}
		p := tune(j, ratio, a, g)
		pa, pg, both := plan(j, p, 3, a), plan(j, p, 1, g), plan(j, p, learning, a, g)
		slow, _ := once(j, pg)
		var last *hetero.Report
		fs := []func() float64{timed(j, pa), func() float64 {
			var t time.Duration
			t, last = once(j, both)
			return t.Seconds()
		}}
		if ratio < 10 { // the slower one alone is never the best
			fs = append(fs, timed(j, pg))
		}
		copies := j.light && ratio == 1
		if copies {
			one, two := copying(j.bytes)
			fs = append(fs, one, two)
		}
		fast, _ := once(j, pa)
		got := b.measureOften(int(min(max(shortRound/fast, 1), 25)), fs...)
		if ratio >= 10 {
			got = append(got, make([]float64, b.rounds))
			for i := range got[2] {
				got[2][i] = slow.Seconds()
			}
		}
		over, lo, hi := b.interval(func(draw []int) float64 {
			return (median(pick(got[1], draw)) - slack) / min(median(pick(got[0], draw)), median(pick(got[2], draw)))
		})
		sum, slo, shi := b.interval(func(draw []int) float64 {
			return 1 / median(pick(got[1], draw)) / (1/median(pick(got[0], draw)) + 1/median(pick(got[2], draw)))
		})
		together := ""
		if ratio == 1 && median(got[0]) >= 1e-3 {
			together = b.verdict(sum >= 0.9)
		}
		shared := ""
		if copies {
			v, lo, hi := b.interval(func(draw []int) float64 { return median(pick(got[3], draw)) / median(pick(got[4], draw)) / 2 })
			shared = with("%.3f", v, lo, hi)
		}
		t.row(j.name, fmt.Sprintf("%.2f", float64(j.bytes)/1e6), ms(got[0]), ms(got[2]), ms(got[1]), with("%.3f", over, lo, hi), b.verdict(over <= 1.03),
			with("%.3f", sum, slo, shi), together, shared)
		b.show(last)
		must(pa.Close())
		must(pg.Close())
		must(both.Close())
	}
}

// copying is the seconds that copies take which read and write so many bytes together: by one goroutine, and by two.
func copying(bytes int) (one, two func() float64) {
	from, to := make([]byte, bytes/2), make([]byte, bytes/2)
	half := len(from) / 2
	one = func() float64 {
		begin := time.Now()
		copy(to, from)
		return time.Since(begin).Seconds()
	}
	two = func() float64 {
		begin := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { copy(to[:half], from[:half]) })
		wg.Go(func() { copy(to[half:], from[half:]) })
		wg.Wait()
		return time.Since(begin).Seconds()
	}
	one() // the first one finds no pages
	return one, two
}

// ms is a median of seconds in milliseconds.
func ms(x []float64) string { return fmt.Sprintf("%.3g", 1e3*median(x)) }
