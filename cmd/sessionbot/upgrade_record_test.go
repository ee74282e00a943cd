//go:build record

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
)

// recordCommand records the state that the bot of a commit keeps. It is run in a
// worktree of that commit, into which this file and recording_test.go are copied
// where the commit lacks them.
const recordCommand = "go test -tags record -count 1 -run '^TestRecordState$' ./cmd/sessionbot"

// TestRecordState runs a bot, kills it in the middle of its work, and writes
// down all that Redis, the workspace and Stripe hold then, in
// testdata/state/COMMIT.json, for TestRecordedState.
func TestRecordState(t *testing.T) {
	commit, err := exec.Command("git", "describe", "--always", "--exclude", "*", "--dirty").Output()
	if err != nil {
		t.Fatal(err)
	}
	s := watched(newStage(t))
	s.holdVideos() // and nobody finishes
	now := time.Now().UTC()
	r := recording{Commit: strings.TrimSpace(string(commit)), Command: recordCommand}
	r.Stripe = append(r.Stripe,
		paid(orphanID, now.Add(-11*time.Minute), store.EventFailed),
		paid(repairID, now.Add(-14*time.Minute), store.EventDelivered),
		paid(graceID, now.Add(-2*time.Minute), store.EventFailed),
		paid(onlyPaidID, now.Add(-2*time.Minute), store.EventNone))
	s.stripe.Put(r.Stripe...)
	for _, cs := range r.Stripe {
		if cs.ID != onlyPaidID {
			s.stored(cs.ID, cs.ChargedAt)
		}
	}
	s.startProcess()

	alerts, oncall := s.workspace.As("U0ONCALL").In("C0ALERTS"), s.workspace.As("U0ONCALL").In("C0SUPPORT")
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	alert := alerts.ExpectMessage(containing("no video", "<@U0ONCALL>"))
	plan := s.planned(support, "generate")
	oncall.Click(plan, "confirm.approve")
	oncall.ExpectUpdate(plan, withText("being made"))
	alerts.Click(alert, "alert.ack")
	alerts.ExpectUpdate(alert, containing("2 paid sessions have had no video", "Acknowledged by"))
	await(t, func() string { // sessions to be looked at later
		var later strings.Builder
		for _, k := range s.keys() {
			for member := range k.Scores {
				later.WriteString(member + "\n")
			}
		}
		return later.String()
	}, graceID, onlyPaidID)

	s.bot.kill()
	r.At, r.Keys = time.Now().UTC(), s.keys()
	if n := s.files.Started(); n != 1 {
		t.Errorf("%d videos were started", n)
	}
	messages, _ := s.server.Messages("", "")
	for _, m := range messages {
		r.Messages = append(r.Messages, recordedMessage{m.Channel, m.TS, m.ThreadTS, m.Text})
	}
	s.write(r)
}

// keys reads all that Redis holds.
func (s *stage) keys() (all []recordedKey) {
	s.t.Helper()
	ctx := s.t.Context()
	names, err := s.client.Keys(ctx, "*").Result()
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(names)
	for _, name := range names {
		k := recordedKey{Key: name, TTL: max(0, s.client.PTTL(ctx, name).Val().Milliseconds())}
		var err error
		switch kind := s.client.Type(ctx, name).Val(); kind {
		case "none": // its life ended just now
			continue
		case "string":
			k.Text = new(string)
			*k.Text, err = s.client.Get(ctx, name).Result()
		case "hash":
			k.Hash, err = s.client.HGetAll(ctx, name).Result()
		case "zset":
			var members []redis.Z
			members, err = s.client.ZRangeWithScores(ctx, name, 0, -1).Result()
			k.Scores = map[string]float64{}
			for _, z := range members {
				k.Scores[z.Member.(string)] = z.Score // go-redis reads members as strings
			}
		case "stream":
			var entries []redis.XMessage
			entries, err = s.client.XRange(ctx, name, "-", "+").Result()
			for _, e := range entries {
				k.Stream = append(k.Stream, recordedEntry{e.ID, e.Values})
			}
		default:
			s.t.Fatalf("%s is a %s, which no recording holds", name, kind)
		}
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, k)
	}
	return all
}

func (s *stage) write(r recording) {
	s.t.Helper()
	for _, k := range r.Keys { // what is no text would be changed on its way through JSON
		values := []string{k.Key}
		if k.Text != nil {
			values = append(values, *k.Text)
		}
		for field, value := range k.Hash {
			values = append(values, field, value)
		}
		if !utf8.ValidString(strings.Join(values, "")) {
			s.t.Fatalf("%s holds what is no text", k.Key)
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(r); err != nil {
		s.t.Fatal(err)
	}
	for _, secret := range []string{stripeMark, superMark, s.env["SLACK_APP_TOKEN"], s.env["SLACK_BOT_TOKEN"]} {
		if strings.Contains(text.String(), secret) {
			s.t.Fatal("the recording leaks a secret")
		}
	}
	if err := os.MkdirAll("testdata/state", 0o755); err != nil {
		s.t.Fatal(err)
	}
	path := filepath.Join("testdata/state", r.Commit+".json")
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		s.t.Fatal(err)
	}
	s.t.Logf("wrote %s", path)
}
