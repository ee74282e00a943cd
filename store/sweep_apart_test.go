package store

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
)

// TestSweepsOfManyWithoutPrompt: those that have none are remembered, and where
// they are too many no sweep goes by the prompts alone.
func TestSweepsOfManyWithoutPrompt(t *testing.T) {
	server := redistest.Start(t)
	store := func(from, to int, prefix string) {
		value := map[string]string{prefixWebhook: oddValues[3], prefixLookup: oddValues[12]}[prefix]
		pipe := server.Client().Pipeline()
		for n := from; n < to; n++ {
			pipe.Set(t.Context(), fmt.Sprint(prefix, "cs_live_", n), value, KeyLife-time.Hour)
		}
		_, err := pipe.Exec(t.Context())
		must(t, err)
	}
	s := NewSweeper(open(t, server.URL()))
	s.manyKeys = 0
	store(0, 100, prefixWebhook)
	must(t, server.Client().Set(t.Context(), prefixPrompt+"cs_live_prompt", foxPrompt, KeyLife).Err())
	for range 2 {
		sweepOnce(t, s, at)
	}
	store(100, 150, prefixLookup)
	s.Written("cs_live_149")
	if got := sweepOnce(t, s, at); got.Sessions != 102 {
		t.Errorf("%d sessions are met by a sweep that goes by the prompts", got.Sessions)
	}
	for n := range wideEvery {
		if got := sweepOnce(t, s, at); n == wideEvery-2 && got.Sessions != 151 {
			t.Errorf("%d sessions are met by the sweep number %d", got.Sessions, n)
		}
	}
	store(150, maxApart+150, prefixWebhook)
	for range wideEvery {
		sweepOnce(t, s, at)
	}
	store(maxApart+150, maxApart+200, prefixLookup)
	if got := sweepOnce(t, s, at); got.Sessions != maxApart+201 || len(s.apart) > 0 {
		t.Errorf("%d sessions are met where few have a prompt, and %d are remembered", got.Sessions, len(s.apart))
	}
}

// TestSweepsWithTheOneKeyLayout: once a session in one key was met all keys are
// looked at.
func TestSweepsWithTheOneKeyLayout(t *testing.T) {
	server := redistest.Start(t)
	must(t, server.Client().Set(t.Context(), prefixLookup+"cs_live_1", oddValues[13], KeyLife).Err())
	s := NewSweeper(open(t, server.URL()))
	s.manyKeys = 0
	for range 2 {
		sweepOnce(t, s, at)
	}
	must(t, server.Client().Set(t.Context(), prefixLookup+"cs_live_2", oddValues[13], KeyLife).Err())
	if got := sweepOnce(t, s, at); got.Sessions != 2 {
		t.Errorf("%d sessions are met", got.Sessions)
	}
}

// TestMissedWrites: the next sweep looks at all keys, and the one after it where
// that fails.
func TestMissedWrites(t *testing.T) {
	server := redistest.Start(t)
	must(t, server.Client().Set(t.Context(), prefixPrompt+"cs_live_1", foxPrompt, KeyLife).Err())
	s := NewSweeper(open(t, server.URL()))
	s.manyKeys = 0
	for range 2 {
		sweepOnce(t, s, at)
	}
	must(t, server.Client().Set(t.Context(), prefixWebhook+"cs_live_2", oddValues[3], KeyLife).Err())
	if got := sweepOnce(t, s, at); got.Sessions != 1 {
		t.Fatalf("%d sessions are met by a sweep that goes by the prompts", got.Sessions)
	}
	s.Missed()
	server.Freeze(t)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.Sweep(ctx, Sweeping{Now: at}); err == nil {
		t.Fatal("a frozen Redis was swept")
	}
	server.Thaw(t)
	if got := sweepOnce(t, s, at); got.Sessions != 2 {
		t.Errorf("%d sessions are met", got.Sessions)
	}
}

// TestManyWrites: where more was written than can be remembered all is read anew,
// at once.
func TestManyWrites(t *testing.T) {
	server := redistest.Start(t)
	for n := range 20 {
		must(t, server.Client().Set(t.Context(), fmt.Sprint(prefixWebhook, "cs_live_", n), oddValues[3], KeyLife).Err())
	}
	s := NewSweeper(open(t, server.URL()))
	s.manyKeys = 0
	for range 2 {
		sweepOnce(t, s, at)
	}
	if got := sweepOnce(t, s, at); len(got.rested) < 10 {
		t.Fatalf("%+v", got)
	}
	for n := range maxWritten + 1 {
		s.Written(fmt.Sprint("cs_test_", n))
	}
	if got := sweepOnce(t, s, at); len(got.rested) != 0 || len(got.verdicts) != 20 {
		t.Errorf("%+v", got)
	}
}
