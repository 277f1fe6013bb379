package nvidia

// HostCalls is how many host functions wait to be called in this process.
func HostCalls() int {
	hostCalls.Lock()
	defer hostCalls.Unlock()
	return len(hostCalls.calls)
}
