package linalg

// Wide makes products take the kernel for the host device, and Tile the one for GPUs and small matrices.
func (l *Library) Wide() *Library { return &Library{l.lib, alwaysWide} }

// Tile is the other.
func (l *Library) Tile() *Library { return &Library{l.lib, alwaysTile} }
