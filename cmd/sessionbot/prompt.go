package main

import (
	"context"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
)

// restoreName is the command that reads a prompt.
const restoreName = "restore"

// readPrompt reads the prompt to restore, and no more than is needed to see that it is
// too long.
func (t terminal) readPrompt(ctx context.Context) (string, error) {
	var source io.Reader = t.in
	if t.promptFile != "" {
		file, err := os.Open(t.promptFile)
		if err != nil {
			t.say("The prompt cannot be read: " + blockkit.OneLine(err.Error()) + ". Nothing was changed.")
			return "", exitUsage
		}
		defer func() { _ = file.Close() }() // it was only read
		source = file
	} else if t.typed {
		t.say("Enter the prompt, then press Enter and Ctrl-D. An empty one means the prompt that Stripe still has.")
	}
	type read struct {
		prompt []byte
		err    error
	}
	done := make(chan read, 1)
	go func() {
		prompt, err := io.ReadAll(io.LimitReader(source, commands.MaxPromptBytes))
		done <- read{prompt, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			t.say("The prompt cannot be read: " + blockkit.OneLine(r.err.Error()) + ". Nothing was changed.")
			return "", exitUsage
		}
		return string(r.prompt), nil
	case <-ctx.Done(): // interrupted by the person
		t.say("Nothing was changed.")
		return "", exitRefused
	}
}

// isTyped reports whether a person types what is read.
func isTyped(r io.Reader) bool {
	file, ok := r.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
