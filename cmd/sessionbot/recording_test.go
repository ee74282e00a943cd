package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
)

// recording is what a bot of an earlier commit left behind when it was killed.
// TestRecordState writes it.
type recording struct {
	Commit   string                 `json:"commit"`
	Command  string                 `json:"command"` // that wrote it, at that commit
	At       time.Time              `json:"at"`
	Stripe   []demo.CheckoutSession `json:"stripe"`
	Messages []recordedMessage      `json:"messages"`
	Keys     []recordedKey          `json:"keys"`
}

// recordedMessage is a message of the bot, as it stood.
type recordedMessage struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
	Thread  string `json:"thread_ts,omitempty"`
	Text    string `json:"text"`
}

// recordedKey is a key of Redis. One of the values is set, by its type.
type recordedKey struct {
	Key    string             `json:"key"`
	TTL    int64              `json:"ttl_ms"` // 0 = it has none
	Text   *string            `json:"string,omitempty"`
	Hash   map[string]string  `json:"hash,omitempty"`
	Scores map[string]float64 `json:"zset,omitempty"`
	Stream []recordedEntry    `json:"stream,omitempty"`
}

type recordedEntry struct {
	ID     string         `json:"id"`
	Values map[string]any `json:"values"`
}

// The sessions of a recording, besides repairID, which is in the alert, too, while
// a video is being made for it.
var (
	orphanID   = watchID(1) // in the alert, which somebody acknowledged
	graceID    = watchID(2) // its grace has not ended yet
	onlyPaidID = watchID(3) // likewise, and it is known by its record as a payment alone
)

// absence is the time from the recorded payments of the sessions in their grace
// to the start of the new bot: all of the grace but a few seconds.
const absence = 10*time.Minute - 5*time.Second

// recordedTime finds times: RFC 3339 up to the second, milliseconds since 1970,
// and the ts of messages.
var recordedTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d|\b1\d{12}\b|\b1\d{9}\.\d{6}\b`)

// moved is a recording with all of its times moved by the same number of
// seconds: it may be months old, and what it holds has to be recent. What lies
// further than two months from its own time is not taken for a time. Statistics
// by hours, which are counted in other units, stay where they are.
func moved(text string, at time.Time, by time.Duration) string {
	const layout = "2006-01-02T15:04:05"
	by = by.Round(time.Second)
	return recordedTime.ReplaceAllStringFunc(text, func(found string) string {
		number, fraction, isTS := strings.Cut(found, ".")
		n, err := strconv.ParseInt(number, 10, 64)
		then, moved := time.UnixMilli(n), strconv.FormatInt(n+by.Milliseconds(), 10)
		switch {
		case err != nil:
			if then, err = time.Parse(layout, found); err != nil {
				return found
			}
			moved = then.Add(by).Format(layout)
		case isTS:
			then, moved = time.Unix(n, 0), strconv.FormatInt(n+int64(by/time.Second), 10)+"."+fraction
		}
		if away := then.Sub(at).Abs(); away > 60*24*time.Hour {
			return found
		}
		return moved
	})
}

// loadRecording reads a recording as if the sessions in their grace had been paid an
// absence ago.
func loadRecording(t *testing.T, path string) recording {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	was := parsed(t, string(raw))
	grace := slices.IndexFunc(was.Stripe, func(cs demo.CheckoutSession) bool { return cs.ID == graceID })
	text := moved(string(raw), was.At, time.Since(was.Stripe[grace].ChargedAt)-absence)
	var digests []string // of values that read otherwise now, by which jobs know what is theirs
	for n, k := range parsed(t, text).Keys {
		if before := was.Keys[n].Text; before != nil && *before != *k.Text {
			digests = append(digests, fmt.Sprintf("%x", sha256.Sum256([]byte(*before))), fmt.Sprintf("%x", sha256.Sum256([]byte(*k.Text))))
		}
	}
	return parsed(t, strings.NewReplacer(digests...).Replace(text))
}

func parsed(t *testing.T, text string) (r recording) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r
}
