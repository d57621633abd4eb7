package lab

import "os"

// InGuest reports whether this process is /init of a lab's machine, or the service
// that answers for a whole Debian. main calls it first and then runs [Guest].
func InGuest() bool {
	return os.Getpid() == 1 && os.Args[0] == "/init" || os.Args[0] == answerProgram
}
