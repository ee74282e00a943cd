package rdb

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
)

func TestFrozenRedisIsSilentInTime(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	for name, r := range map[string]*Redis{"known": open(t, server.URL()+"?read_timeout=-1"), "unknown": unasked(t, server.URL()+"?read_timeout=-1")} {
		t.Run(name, func(t *testing.T) {
			server.Freeze(t)
			defer server.Thaw(t)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			testenv.Returns(t, "the question", func() {
				if _, err := r.Ping(ctx); !errors.Is(err, ErrNoAnswer) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

// unasked is a Redis that was unreachable when it was opened.
func unasked(t *testing.T, url string) *Redis {
	t.Helper()
	r, err := parse(url)
	testenv.Must(t, err)
	return r
}

// open opens a Redis until the test ends.
func open(t *testing.T, url string) *Redis {
	t.Helper()
	r, err := Open(t.Context(), redistest.Patient(t, url))
	testenv.Must(t, err)
	t.Cleanup(func() { testenv.Must(t, r.Close()) })
	return r
}
