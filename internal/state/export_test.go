package state

// These are for the tests in package state_test, which use the model of a node.
var (
	WriteBlock = writeBlock
	WriteFile  = writeFile
)
