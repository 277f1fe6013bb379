//go:build tandem_nodl

package dl

const noLoaderReason = "this program was built with the tag tandem_nodl"
