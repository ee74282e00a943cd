package main

import (
	"os"
	"strconv"
	"strings"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

// osUser is the user of a terminal: the uid, and its name in /etc/passwd. Package os/user
// would fall back to $USER, which can be forged.
func osUser() string {
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		passwd = nil // as in an image that holds the binary alone
	}
	return userOf(strconv.Itoa(os.Getuid()), string(passwd))
}

// maxName is the longest name that is recorded, in runes: Linux allows 32.
const maxName = 64

func userOf(uid, passwd string) string {
	for line := range strings.Lines(passwd) {
		if fields := strings.Split(line, ":"); len(fields) > 2 && fields[2] == uid && line[0] != '#' {
			if name := blockkit.Cut(blockkit.OneLine(fields[0]), maxName); name != "" {
				return name + ", uid " + uid
			}
		}
	}
	return "uid " + uid
}
