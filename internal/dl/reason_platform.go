//go:build !tandem_nodl && (android || !(linux || darwin || windows))

package dl

const noLoaderReason = "this platform is not supported"
