//go:build !linux

package shm

import "os"

func createFile(int) (*os.File, error) { return nil, ErrNotSupported }

func openNamed(string, int) (*os.File, error) { return nil, ErrNotSupported }

// Remove removes the name of a segment. Processes that have it keep it.
func Remove(string) error { return ErrNotSupported }

func keyOf(*os.File) (fileKey, error) { return fileKey{}, ErrNotSupported }

func mapMemory(*os.File) ([]byte, error) { return nil, ErrNotSupported }

func unmapMemory([]byte) {}
