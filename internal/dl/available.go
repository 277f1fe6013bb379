package dl

// Available reports whether this build can open shared libraries at all; if not, each Open returns ErrNoLoader.
func Available() bool { return noLoaderReason == "" }
