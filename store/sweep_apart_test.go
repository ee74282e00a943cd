package store

import (
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
		pipe := server.Client().Pipeline()
		for n := from; n < to; n++ {
			pipe.Set(t.Context(), fmt.Sprint(prefix, "cs_live_", n), oddValues[3], KeyLife-time.Hour)
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

// TestManyWrites: where more was written than can be remembered all is learnt
// anew.
func TestManyWrites(t *testing.T) {
	server := redistest.Start(t)
	for n := range 20 {
		must(t, server.Client().Set(t.Context(), fmt.Sprint(prefixWebhook, "cs_live_", n), oddValues[3], KeyLife).Err())
	}
	s := NewSweeper(open(t, server.URL()))
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
