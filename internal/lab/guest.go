package lab

import "os"

// InGuest reports whether this process is the first one of a lab's machine, or
// answers for a host there. main asks before anything else and runs [Guest] if so.
func InGuest() bool {
	return os.Getpid() == 1 && os.Args[0] == "/init" || os.Args[0] == answerProgram
}
