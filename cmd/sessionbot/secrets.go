package main

import (
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

// secretFileLimit is the size over which a file is no secret's, in bytes.
const secretFileLimit = 64 << 10

// readFiles reads the secrets that are in files: where SLACK_BOT_TOKEN_FILE names
// one, its contents are the token. So Docker, Kubernetes and systemd hand secrets
// on without showing them in the environment.
func (c *config) readFiles(faults *configError) {
	for tag, value := range c.variables() {
		variable := tag.Get("envconfig")
		path := os.Getenv(variable + "_FILE")
		if tag.Get("secret") == "" || path == "" {
			continue
		}
		if value.String() != "" {
			faults.add(variable+"_FILE", "and "+variable+" are both set", "keep one of them")
			continue
		}
		secret, fault, remedy := readSecret(path)
		if fault != "" {
			faults.add(variable+"_FILE", fault, remedy)
			continue
		}
		value.SetString(secret)
	}
}

// kindOfFile names what is no regular file.
func kindOfFile(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "folder"
	case mode&fs.ModeNamedPipe != 0:
		return "pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

// openRegular opens a regular file for reading, or says what it is instead.
func openRegular(path string) (file *os.File, kind string, err error) {
	// Without O_NONBLOCK opening a FIFO would block until another process writes to it.
	if file, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0); err != nil {
		return nil, "", err
	}
	if info, err := file.Stat(); err == nil && !info.Mode().IsRegular() {
		_ = file.Close() // it was not even read
		return nil, kindOfFile(info.Mode()), nil
	}
	return file, "", nil
}

// readSecret reads a file without the line's end. The fault never quotes what
// the file holds.
func readSecret(path string) (secret, fault, remedy string) {
	file, kind, err := openRegular(path)
	switch {
	case err != nil:
		return "", "names a file that cannot be opened", "check the path, and that the user who runs sessionbot may read it"
	case kind != "":
		return "", "is not a regular file but a " + kind, "write the secret into a file, and nothing else"
	}
	defer func() { _ = file.Close() }() // it was only read
	raw, err := io.ReadAll(io.LimitReader(file, secretFileLimit+1))
	secret = strings.TrimRight(string(raw), "\r\n")
	switch {
	case err != nil:
		return "", "names a file that cannot be read", "name a file, not a folder, that the user who runs sessionbot may read"
	case len(raw) > secretFileLimit:
		return "", "names a file that is too large for a secret", "write the secret into it and nothing else"
	case secret == "":
		return "", "names an empty file", "write the secret into it and nothing else"
	case strings.ContainsAny(secret, "\r\n"):
		return "", "names a file of several lines", "write the secret into it and nothing else"
	}
	return secret, "", ""
}

// strayIn names an invisible character that pasting left in a secret, and the remedy;
// "" = none. It never quotes the secret.
func strayIn(secret string) (fault, remedy string) {
	stray := func(r rune) bool { return unicode.IsSpace(r) || blockkit.Invisible(r) }
	first, _ := utf8.DecodeRuneInString(secret)
	last, _ := utf8.DecodeLastRuneInString(secret)
	switch {
	case secret == "":
		return "", ""
	case stray(last):
		return "ends with " + strayName(last), "remove it"
	case stray(first):
		return "begins with " + strayName(first), "remove it"
	case len(secret) > 1 && strings.ContainsRune("\"'`“”‘’«»", first) && strings.ContainsRune("\"'`“”‘’«»", last):
		return "is in quotes", "write it without them"
	}
	if i := strings.IndexFunc(secret, stray); i >= 0 {
		r, _ := utf8.DecodeRuneInString(secret[i:])
		return "contains " + strayName(r), "copy it again, in one piece"
	}
	return "", ""
}

func strayName(r rune) string {
	switch {
	case r == ' ':
		return "a space"
	case r == '\t':
		return "a tab"
	case r == '\n' || r == '\r':
		return "a line break"
	case unicode.IsSpace(r):
		return "an unusual space"
	}
	return "an invisible character"
}
