// Package policy decides how many items of a job a device gets next: functions of a snapshot that read no clock, take no
// lock and remember nothing, so that the same code runs in a scheduler and in virtual time.
//
// A State is the snapshot: what is left of the job, and of each device its rate, its fixed cost per chunk and what it is
// working on. A Policy answers one question, Next. Whoever owns the State tells it what happened by Issue, Finish and
// Drop, and Finish holds the one rule by which rates are learned.
//
// Static, Dynamic and Guided are the published ways; they need to be told how fast devices are, or pay for not knowing.
// Adaptive needs nothing: it probes, grows chunks while they prove right, bounds each to a fiftieth of the run, and sees
// to it that devices end together. OneShot is the closed form for devices that are known.
//
// A DecisionLog is what a policy was asked in a run and what came of it: Replay repeats it, Check asks again.
//
// Sources of the formulas: guided self-scheduling (Polychronopoulos and Kuck 1987) for Guided with one power for all;
// HGuided (Nozal, Bosque, Beivide: EngineCL) for Guided with powers; Luk, Hong, Kim (Qilin 2009) for the split by
// fitted lines that OneShot solves for any number of devices.
package policy
