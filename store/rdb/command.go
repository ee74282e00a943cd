package rdb

import (
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// commandError is the refusal of a command that Redis does not have or that the user
// may not run, with the command's name as we sent it: what the server repeats of it
// is not trusted, and a script's error names none.
type commandError struct {
	name string
	error
}

func (e *commandError) Unwrap() error { return e.error }

// RedisError makes it a redis.Error.
func (*commandError) RedisError() {}

// Command returns the name of the command that was refused for good, "" if none was.
func Command(err error) string {
	var refused *commandError
	if !errors.As(err, &refused) {
		return ""
	}
	return refused.name
}

// withCommand adds their names to the errors of commands that were refused for good,
// and returns err, likewise if it is one of them.
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
