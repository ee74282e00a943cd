package main

import (
	"io"
	"os"
	"reflect"
	"strings"
)

// secretFileLimit is the size over which a file is no secret's, in bytes.
const secretFileLimit = 64 << 10

// readFiles takes the secrets that files hold: where SLACK_BOT_TOKEN_FILE names
// one, its contents are the token. That is how Docker, Kubernetes and systemd
// hand secrets on without showing them in the environment.
func (c *config) readFiles(faults *configError) {
	fields := reflect.ValueOf(c).Elem()
	for _, field := range reflect.VisibleFields(fields.Type()) {
		variable := field.Tag.Get("envconfig")
		path := os.Getenv(variable + "_FILE")
		if field.Tag.Get("secret") == "" || path == "" {
			continue
		}
		value := fields.FieldByIndex(field.Index)
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

// readSecret reads a file without the line's end. The fault never quotes what
// the file holds.
func readSecret(path string) (secret, fault, remedy string) {
	file, err := os.Open(path)
	if err != nil {
		return "", "names a file that cannot be opened", "check the path, and that the user who runs sessionbot may read it"
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
