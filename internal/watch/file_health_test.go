package watch

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

func TestFileHealth(t *testing.T) {
	t.Parallel()
	type answer struct {
		after   time.Duration // since the first one
		trouble store.FileTrouble
	}
	every := func(step time.Duration, times int, trouble store.FileTrouble) (all []answer) {
		for n := range times {
			all = append(all, answer{time.Duration(n) * step, trouble})
		}
		return all
	}
	const minute = time.Minute
	for _, c := range []struct {
		name    string
		answers []answer
		want    store.FileTrouble
		since   time.Duration
	}{
		{"nothing was requested", nil, "", 0},
		{"a short outage", every(10*time.Second, 12, store.FileNoAnswer), "", 0},
		{"an outage", every(10*time.Second, 13, store.FileNoAnswer), store.FileNoAnswer, 0},
		{"few requests", every(minute, 4, store.FileForbidden), "", 0},
		{"the token is refused", every(minute, 5, store.FileUnauthorized), store.FileUnauthorized, 0},
		{"no token", every(0, 1, store.FileNoToken), store.FileNoToken, 0},
		{"a file is found", append(every(minute, 5, store.FileNoAnswer), answer{5 * minute, ""}), "", 0},
		{"it asks to slow down", append(every(minute, 5, store.FileNoAnswer), answer{5 * minute, store.FileRateLimited}), "", 0},
		{"some files are missing", every(minute, 19, store.FileNotFound), "", 0},
		{"all files are missing", every(minute, 20, store.FileNotFound), store.FileNotFound, 0},
		{"one was found recently", append([]answer{{0, ""}}, every(minute, 30, store.FileNotFound)...), "", 0},
		{"one was found long ago", append([]answer{{-time.Hour, ""}}, every(minute, 30, store.FileNotFound)...), store.FileNotFound, 0},
	} {
		var h fileHealth
		last := now
		for n, a := range c.answers {
			var err error
			if a.trouble != "" {
				err = &store.FileError{Trouble: a.trouble, Err: errors.New("as it is played")}
			}
			last = now.Add(a.after)
			h.observe(store.FileRef{FileID: fileID(n)}, store.FileUnchecked, err, last)
		}
		got, since := h.outage(last)
		if got != c.want || got != "" && !since.Equal(now.Add(c.since)) {
			t.Errorf("%s: %q since %s, want %q", c.name, got, since.Sub(now), c.want)
		}
	}
}

func TestOneMissingFileIsNotTwenty(t *testing.T) {
	t.Parallel()
	var h fileHealth
	for n := range 40 {
		h.observe(store.FileRef{FileID: fileID(n % 19)}, store.FileUnchecked, notFound, now.Add(time.Duration(n)*time.Hour))
	}
	if got, _ := h.outage(now.Add(40 * time.Hour)); got != "" {
		t.Errorf("%q, and only 19 different files were asked for", got)
	}
}

var notFound = &store.FileError{Trouble: store.FileNotFound, Err: errors.New("404")}

// TestMissingFilesAreConfirmed: a missing file counts once the API knew another one,
// and at once if it was missing before.
func TestMissingFilesAreConfirmed(t *testing.T) {
	t.Parallel()
	var h fileHealth
	one, two := store.FileRef{FileID: fileID(1)}, store.FileRef{FileID: fileID(2)}
	unreadable := &store.FileError{Trouble: store.FileUnreadable, Err: errors.New("<html>")}
	if got := append(h.observe(one, store.FileUnchecked, notFound, now), h.observe(two, store.FileUnchecked, unreadable, now)...); got != nil {
		t.Errorf("settled before a file was found: %+v", got)
	}
	got := h.observe(store.FileRef{FileID: fileID(3)}, store.FileUnchecked, nil, now)
	if want := []missingFile{{one, store.FileMissing}, {two, store.FileUnknown}}; !slices.Equal(got, want) {
		t.Errorf("settled %+v", got)
	}
	for n := range 40 {
		ref := store.FileRef{FileID: fileID(n)}
		if got := h.observe(ref, store.FileMissing, notFound, now.Add(9*time.Hour)); !slices.Equal(got, []missingFile{{ref, store.FileMissing}}) {
			t.Errorf("still missing: %+v", got)
		}
	}
	if trouble, _ := h.outage(now.Add(9 * time.Hour)); trouble != "" {
		t.Errorf("files that were missing before: %s", trouble)
	}
}

func TestFilePause(t *testing.T) {
	t.Parallel()
	failing := func(times int) (h fileHealth) {
		for range times {
			h.observe(store.FileRef{FileID: fileID(1)}, store.FileUnchecked, &store.FileError{Trouble: store.FileNoAnswer, Err: errors.New("away")}, now)
		}
		return h
	}
	limited := func(times int, wait time.Duration) (h fileHealth) {
		for range times {
			h.observe(store.FileRef{FileID: fileID(1)}, store.FileUnchecked, &store.FileError{Trouble: store.FileRateLimited, RetryAfter: wait, Err: errors.New("slow down")}, now)
		}
		return h
	}
	answered := limited(1, time.Minute) // a request was under way
	answered.observe(store.FileRef{FileID: fileID(2)}, store.FileUnchecked, nil, now)
	for _, c := range []struct {
		name string
		h    fileHealth
		want time.Duration
	}{
		{"it answers", fileHealth{}, timings.Check},
		{"it failed once", failing(1), time.Second},
		{"it failed three times", failing(3), 4 * time.Second},
		{"it fails for long", failing(100), maxDelay},
		{"it asks to wait", limited(1, 20*time.Second), 20 * time.Second},
		{"rate limited, and a request under way is answered", answered, time.Minute},
		{"it does not say how long", limited(1, 0), time.Second},
		{"rate limited four times", limited(4, 0), 8 * time.Second},
		{"it asks for a day", limited(1, 24*time.Hour), store.MaxFileRetryDelay},
	} {
		if got := c.h.delay(now, timings.Check); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestNextCheck(t *testing.T) {
	t.Parallel()
	limits := diagnosis.Thresholds{StallAfter: 30 * time.Minute}
	seen := func(after time.Duration) store.File {
		return store.File{State: store.FileInProgress, SeenAt: now.Add(after)}
	}
	for _, c := range []struct {
		name  string
		last  store.File
		asked time.Time
		want  time.Duration
	}{
		{"not asked yet", store.File{State: store.FileUnchecked}, time.Time{}, 15 * time.Minute},
		{"being made", seen(15 * time.Minute), now.Add(15 * time.Minute), 20 * time.Minute},
		{"nearly late", seen(26 * time.Minute), time.Time{}, 30 * time.Minute},
		{"late", seen(30 * time.Minute), time.Time{}, 90 * time.Minute},
		{"late for hours", seen(9 * time.Hour), now.Add(9 * time.Hour), 10 * time.Hour},
		{"asked for in vain", store.File{State: store.FileUnchecked}, now.Add(time.Hour), 65 * time.Minute},
	} {
		if got := nextCheck(now, c.last, c.asked, limits).Sub(now); got != c.want {
			t.Errorf("%s: after %s, want %s", c.name, got, c.want)
		}
	}
	if got := nextCheck(now, store.File{State: store.FileUnchecked}, time.Time{}, diagnosis.Thresholds{StallAfter: time.Minute}).Sub(now); got != time.Minute {
		t.Errorf("where a video is late after a minute: after %s", got)
	}
}
