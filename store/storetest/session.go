// Package storetest makes sessions for tests.
package storetest

import (
	"time"

	"github.com/superduperai/sessionbot/store"
)

// At is the time of the diagnosis in the tests below.
var At = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// Ago formats a time before At as the product does.
func Ago(d time.Duration) string { return At.Add(-d).Format("2006-01-02T15:04:05.000Z") }

// Held is a session with the three values; an empty one is missing.
func Held(prompt, webhook, session string) store.Session {
	return store.Session{ID: "cs_live_1", Prompt: HeldKey("prompt", prompt), Webhook: HeldKey("webhook", webhook),
		SessionKey: HeldKey("session", session)}
}

// HeldKey is a key that holds the value; an empty one is missing.
func HeldKey(kind, raw string) store.Key {
	key := store.Key{Kind: kind, Exists: raw != ""}
	if key.Exists {
		key.TTL, key.Size, key.Digest = store.KeyLife-time.Hour, len(raw), store.Digest([]byte(raw))
		key.Value, key.Full, key.Fault = store.ParseValue([]byte(raw))
	}
	return key
}

// FoxPrompt is a prompt that was stored two hours before At.
const FoxPrompt = `{"prompt":"A fox","timestamp":"` + "2026-03-04T10:00:00.000Z" + `"}`

// FoxObject is a full object with unknown members.
const FoxObject = `{"prompt":"A fox","videoCount":12345678901234567890,"imageFile":{"content":"QUJD"},"status":"pending","timestamp":"2026-03-04T10:00:00.000Z"}`

// The ids of two files.
const (
	File1 = "0f000000-0000-4000-8000-00000000000f"
	File2 = "01d00000-0000-4000-8000-000000000001"
)
