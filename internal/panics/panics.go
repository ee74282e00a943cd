// Package panics turns a panic into an error, so that it fails only the task that
// panicked.
package panics

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Error is a recovered panic. The value of a panic may hold a customer's data, so
// that only its type is kept, or the message of an error of the runtime.
type Error struct {
	Message string
	Stack   string
}

// Error names the panic, without the stack.
func (e *Error) Error() string { return "panic: " + e.Message }

// Catch calls f and returns its error, which is an *Error if it panicked.
func Catch(f func() error) (err error) {
	defer func() {
		switch value := recover().(type) {
		case nil:
		case runtime.Error:
			err = &Error{Message: value.Error(), Stack: string(debug.Stack())}
		default:
			err = &Error{Message: fmt.Sprintf("%T", value), Stack: string(debug.Stack())}
		}
	}()
	return f()
}
