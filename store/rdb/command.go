package rdb

import (
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// commandError is Redis' refusal of a command that it does not have or that the
// user may not run, with the command's name as we sent it: what the server
// repeats of it is not to be trusted, and a script's error names none.
type commandError struct {
	name string
	error
}

func (e *commandError) Unwrap() error { return e.error }

// RedisError makes it what the library's own are.
func (*commandError) RedisError() {}

// Command is the name of the command that Redis refused for good, "" = none.
func Command(err error) string {
	var refused *commandError
	if !errors.As(err, &refused) {
		return ""
	}
	return refused.name
}

// withCommand gives the commands that were refused for good their names, and returns
// the error of all of them.
func withCommand(err error, cmds ...redis.Cmder) error {
	for _, cmd := range cmds {
		cause := cmd.Err()
		if _, answered := cause.(redis.Error); !answered || !Permanent(kindOf(cause)) { //nolint:errorlint // what is wrapped is about another command
			continue
		}
		wrapped := &commandError{name: strings.ToUpper(cmd.FullName()), error: cause}
		cmd.SetErr(wrapped)
		if err == cause { //nolint:errorlint // the very same
			err = wrapped
		}
	}
	return err
}
