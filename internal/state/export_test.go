package state

// For tests outside of the package, which know the model of a node.
var (
	WriteBlock = writeBlock
	WriteFile  = writeFile
)
