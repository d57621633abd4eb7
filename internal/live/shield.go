package live

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// Shield calls work, which handles what one node answered. A panic in it, which is a bug of
// lvsctl, becomes an error of that node. So the work on other nodes goes on.
func Shield(work func() error) (err error) {
	defer func() {
		if what := recover(); what != nil {
			err = fmt.Errorf("lvsctl failed on what the node answered (%v, %s)\nThis is a fault of lvsctl; please report it.", what, panicPlace())
		}
	}()
	return work()
}

// panicPlace returns FILE:LINE of the statement that panicked.
func panicPlace() string {
	var stack [32]uintptr
	frames := runtime.CallersFrames(stack[:runtime.Callers(0, stack[:])])
	for panicked := false; ; {
		f, more := frames.Next()
		if f.Function == "runtime.gopanic" {
			panicked = true
		} else if panicked && !strings.HasPrefix(f.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		}
		if !more {
			return "nowhere"
		}
	}
}
