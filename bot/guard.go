package bot

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// panicError is a panic. Its value may hold a customer's data, so only the
// runtime's own words are repeated.
type panicError struct {
	value any
	stack string
}

func (e *panicError) Error() string {
	if fault, ok := e.value.(runtime.Error); ok {
		return fault.Error()
	}
	return fmt.Sprintf("%T", e.value)
}

// guard calls f and returns its panic as a *panicError.
func guard(f func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &panicError{value: value, stack: string(debug.Stack())}
		}
	}()
	return f()
}
