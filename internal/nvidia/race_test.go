//go:build race

package nvidia_test

const raceDetector = true
