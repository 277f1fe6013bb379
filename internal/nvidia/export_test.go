package nvidia

// HostCalls is how many host functions wait to be called in this process.
func HostCalls() int {
	hostCalls.Lock()
	defer hostCalls.Unlock()
	return len(hostCalls.calls)
}

// CheckImage is what LoadModule makes sure of before the driver sees an image.
func CheckImage(image []byte) error {
	_, _, err := prepare(image)
	return err
}
