package policy

import (
	"fmt"
	"time"
)

// Reason says why a device got the chunk it got, or nothing.
type Reason uint8

// Reasons for a chunk, and after Parked, reasons for none.
const (
	// Share: its part by a fixed rule.
	Share Reason = iota
	// Probe: a small chunk to learn the device's rate.
	Probe
	// Confirm: a small chunk to see whether a rate from earlier runs still holds.
	Confirm
	// Growing: as large as the last chunk allows, which was small.
	Growing
	// Tail: near the end, as much as it finishes together with the others.
	Tail
	// Rest: it finishes all that is left before any other could.
	Rest
	// Whole: the closed form of a short job gave it its part in one chunk.
	Whole
	// Forced: nobody else would take it.
	Forced
	// Guess: another device is late with these items; who is done first counts.
	Guess

	// Parked separates the reasons for a chunk from those for nothing.
	Parked
	// Empty: nothing is left.
	Empty
	// Gone: the device failed, hung, or was excluded.
	Gone
	// Late: the others are done before it could finish a chunk.
	Late
	// NoGain: with it the job would not be shorter by what its use must gain (Device.MinGain).
	NoGain
	// Short: the job is too short to begin on a second device.
	Short
	// Waits: until the rate of a device that has the data is known.
	Waits
	// Reserved: what is left is for devices that have not asked yet.
	Reserved
)

var reasons = [...]string{
	Share: "share", Probe: "probe", Confirm: "confirm", Growing: "growing", Tail: "tail", Rest: "rest", Whole: "whole", Forced: "forced", Guess: "guess",
	Parked: "parked", Empty: "nothing left", Gone: "gone", Late: "too late", NoGain: "no gain", Short: "too short", Reserved: "reserved", Waits: "waits",
}

// String returns the reason in one or two words.
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r]
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Explain says in a sentence why device d got nothing, with the numbers that decided. The device is called by name.
func Explain(s *State, d int, name string, r Reason) string {
	dev := &s.Devices[d]
	switch r {
	case NoGain:
		without := s.pace(d)
		with := without + dev.Rate
		if dev.Rate <= 0 {
			with += dev.Most
		}
		return fmt.Sprintf("%s gets nothing: the data is elsewhere, and with it the job would take %.1f %% less time, under the %.0f %% that moving data must gain",
			name, 100*(1-without/with), 100*dev.MinGain)
	case Short:
		return fmt.Sprintf("%s gets nothing: the job is over before a second device pays (its overhead is %v a chunk)", name, dev.Overhead)
	case Late:
		if t, ok := s.Predict(d, dev.align()); ok {
			return fmt.Sprintf("%s gets nothing: its smallest chunk takes %v, the others are done before", name, t.Round(time.Microsecond))
		}
		return fmt.Sprintf("%s gets nothing: the others are done before it could finish a chunk", name)
	case Gone:
		return fmt.Sprintf("%s gets nothing: it failed or was excluded", name)
	case Empty, Reserved, Waits:
		return fmt.Sprintf("%s gets nothing: the job was given out before it asked", name)
	}
	return fmt.Sprintf("%s: %v", name, r)
}

// pace is the sum of the rates of all known devices but one.
func (s *State) pace(but int) float64 {
	sum := 0.0
	for i := range s.Devices {
		if i != but && s.Devices[i].known() {
			sum += s.Devices[i].Rate
		}
	}
	return sum
}
