package store

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// KeyLife is the time for which the product keeps each key after a write.
const KeyLife = 30 * 24 * time.Hour

// Key is one of a session's keys.
type Key struct {
	Kind      string // prompt, webhook or session
	Exists    bool
	Fault     Fault         // why it cannot be read
	WrongType bool          // not a string of Redis
	TTL       time.Duration // 0 = it does not expire
	Size      int           // bytes
	Digest    string        // SHA-256 of the bytes in hex; "" = not read
	Full      bool          // a full object, readable or not
	Value     Value
}

// The prefixes of a session's keys.
const (
	PromptPrefix  = "prompt:"
	WebhookPrefix = "webhook:"
	LookupPrefix  = "session:"
)

// WatchPrefix is the prefix of the watch's keys: one hash tag, and so one slot, so that
// a script can compare the token of its lease and write.
const WatchPrefix = "sessionbot:{watch}:"

// KeyPrefixes is the order in which a session's keys are read.
var KeyPrefixes = [3]string{PromptPrefix, WebhookPrefix, LookupPrefix}

// SessionOf returns the session that a key belongs to, and reports whether it is a
// session's.
func SessionOf(key string) (id string, ok bool) {
	for _, prefix := range KeyPrefixes {
		if id, ok := strings.CutPrefix(key, prefix); ok {
			return id, IsSessionID(id)
		}
	}
	return "", false
}

// Digest returns the SHA-256 of bytes in hex.
func Digest(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// WrittenAt returns when the key was last written, by its TTL; zero = unknown.
func (k Key) WrittenAt(now time.Time) time.Time {
	if k.TTL <= 0 || k.TTL > KeyLife {
		return time.Time{}
	}
	return now.Add(k.TTL - KeyLife)
}
