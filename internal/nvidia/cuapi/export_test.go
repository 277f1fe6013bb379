package cuapi

// SearchOf is DefaultSearch of another platform.
var SearchOf = searches
