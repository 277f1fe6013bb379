// Package rt is what running kernels ask of the world outside memory: printf, assertions, the device heap and timers.
package rt
