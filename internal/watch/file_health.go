package watch

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
)

const (
	// Files cannot be checked once the API has failed for so long and so often.
	failingFor      = 2 * time.Minute
	failingRequests = 5
	// strayFiles in a row that the API does not know, and none that it does within
	// foundWithin, mean that it is the wrong API.
	strayFiles  = 20
	foundWithin = time.Hour

	strayWait    = 5 * time.Second  // between two requests, while it knows none of the last strayFiles
	maxCheckWait = 30 * time.Second // likewise, while the API fails
	maxAskedWait = 5 * time.Minute  // likewise, where the API asks for it
)

// stray is a file that the API did not know, or of which its answer could not be
// read. That counts only once the same API knew another file.
type stray struct {
	store.FileRef
	state store.FileState
}

// fileHealth judges by the answers of the SuperDuperAI API whether files can be
// checked. It is pure: the caller says what time it is.
type fileHealth struct {
	failing int               // requests in a row that got no answer, 401, 403 or 5xx
	since   time.Time         // the first of them
	trouble store.FileTrouble // the last of them

	strays []stray           // different files in a row, the last strayFiles of them
	first  time.Time         // when the first of them was asked for
	why    store.FileTrouble // of the last of them
	found  time.Time         // when the API last knew a file

	limited int       // 429 in a row
	resume  time.Time // until then nothing is asked for
}

// note takes the answer to a request for a file, and returns the strays that count
// from now on. What was known before is no news.
func (h *fileHealth) note(ref store.FileRef, last store.FileState, err error, now time.Time) (settled []stray) {
	if err == nil {
		if len(h.strays) < strayFiles { // else it was the wrong one until now
			settled = h.strays
		}
		*h = fileHealth{found: now, resume: h.resume}
		return settled
	}
	var failed *store.FileError
	trouble := store.FileNoAnswer
	if errors.As(err, &failed) {
		trouble = failed.Trouble
	}
	state := map[store.FileTrouble]store.FileState{store.FileNotFound: store.FileMissing, store.FileUnreadable: store.FileUnknown}[trouble]
	switch {
	case trouble == store.FileRateLimited:
		h.failing, h.limited = 0, h.limited+1
		h.resume = now.Add(min(max(failed.RetryAfter, time.Second<<min(h.limited-1, 10)), maxAskedWait))
	case state == "":
		if h.failing++; h.failing == 1 {
			h.since = now
		}
		h.trouble = trouble
	case last != state:
		h.failing = 0
		h.stray(stray{ref, state}, trouble, now)
	case len(h.strays) < strayFiles: // as it was before
		h.failing = 0
		return []stray{{ref, state}}
	}
	return nil
}

func (h *fileHealth) stray(s stray, why store.FileTrouble, now time.Time) {
	if len(h.strays) == 0 {
		h.first = now
	}
	if h.why = why; !slices.ContainsFunc(h.strays, func(known stray) bool { return known.FileID == s.FileID }) {
		h.strays = append(h.strays[max(0, len(h.strays)+1-strayFiles):], s)
	}
}

// broken reports why files cannot be checked, and since when; "" = they can, as
// far as is known.
func (h *fileHealth) broken(now time.Time) (store.FileTrouble, time.Time) {
	switch {
	case h.failing > 0 && h.trouble == store.FileNoToken:
		return h.trouble, h.since
	case h.failing >= failingRequests && now.Sub(h.since) >= failingFor:
		return h.trouble, h.since
	case len(h.strays) == strayFiles && now.Sub(h.found) > foundWithin:
		return h.why, h.first
	}
	return "", time.Time{}
}

// pause is how long to wait until the next request, usually the given time.
func (h *fileHealth) pause(now time.Time, usual time.Duration) time.Duration {
	wait := usual
	trouble, _ := h.broken(now)
	switch {
	case h.failing > 0:
		wait = min(time.Second<<min(h.failing-1, 10), maxCheckWait)
	case trouble != "":
		wait = maxCheckWait
	case len(h.strays) == strayFiles:
		wait = strayWait
	}
	return max(wait, h.resume.Sub(now))
}

const (
	// firstCheck is how long after the start of a video its file is asked for.
	firstCheck = 15 * time.Minute
	// checkAgain is the time between two checks of a video that is not late yet, and
	// checkLate of one that is.
	checkAgain = 5 * time.Minute
	checkLate  = time.Hour
)

// nextCheck is when the file of a video that was started at a time has to be asked
// for, by what was last seen of it and when it was last asked for.
func nextCheck(started time.Time, last store.File, asked time.Time, limits store.Thresholds) time.Time {
	late := started.Add(limits.StallAfter)
	next := last.SeenAt.Add(checkLate)
	switch {
	case last.State == store.FileUnchecked || last.SeenAt.IsZero():
		next = started.Add(min(firstCheck, limits.StallAfter))
	case last.SeenAt.Before(late.Add(-checkAgain)):
		next = last.SeenAt.Add(checkAgain)
	case last.SeenAt.Before(late):
		next = late
	}
	if again := asked.Add(checkAgain); !asked.IsZero() && again.After(next) {
		return again
	}
	return next
}

// startOf is when the video of a session was started, as near as can be told.
func startOf(d store.Diagnosis, now time.Time) time.Time {
	return cmp.Or(d.Since, d.Time(), now.Add(-store.KeyLife))
}
