package watch

import (
	"errors"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

const (
	// Files cannot be checked once the API has failed for so long and so often.
	outageAge      = 2 * time.Minute
	outageRequests = 5
	// maxMissing files in a row that the API does not know, and none that it does
	// within foundWithin, mean that it is the wrong API.
	maxMissing  = 20
	foundWithin = time.Hour

	missingDelay = 5 * time.Second  // between two requests, while it knows none of the last maxMissing
	maxDelay     = 30 * time.Second // likewise, while the API fails
)

// missingFile is a file that the API did not know, or for which its answer could not
// be read. That counts only once the same API knew another file.
type missingFile struct {
	store.FileRef
	state store.FileState
}

// fileHealth judges by the answers of the SuperDuperAI API whether files can be
// checked. It is pure: the caller says what time it is.
type fileHealth struct {
	failing        int // requests in a row that got no answer, 401, 403 or 5xx
	failingSince   time.Time
	failingTrouble store.FileTrouble // of the last of them

	missing        []missingFile // different files in a row, the last maxMissing of them
	missingSince   time.Time
	missingTrouble store.FileTrouble // of the last of them
	lastFound      time.Time         // when the API last knew a file

	rateLimited int       // 429 in a row
	notBefore   time.Time // the next request
}

// inDoubt reports whether what the API does not know may be its own fault.
func (h *fileHealth) inDoubt() bool {
	return h.failing >= outageRequests || len(h.missing) == maxMissing
}

// observe takes the answer to a request for a file, and returns the missing files
// that count from now on.
func (h *fileHealth) observe(ref store.FileRef, last store.FileState, err error, now time.Time) (confirmed []missingFile) {
	if err == nil {
		if len(h.missing) < maxMissing { // else it was the wrong API until now
			confirmed = h.missing
		}
		*h = fileHealth{lastFound: now, notBefore: h.notBefore}
		return confirmed
	}
	var fileErr *store.FileError
	trouble := store.FileNoAnswer
	if errors.As(err, &fileErr) {
		trouble = fileErr.Trouble
	}
	state := map[store.FileTrouble]store.FileState{store.FileNotFound: store.FileMissing, store.FileUnreadable: store.FileUnknown}[trouble]
	switch {
	case trouble == store.FileRateLimited:
		h.failing, h.rateLimited = 0, h.rateLimited+1
		h.notBefore = now.Add(min(max(fileErr.RetryAfter, exponential(time.Second, h.rateLimited-1, store.MaxFileRetryDelay)), store.MaxFileRetryDelay))
	case state == "":
		if h.failing++; h.failing == 1 {
			h.failingSince = now
		}
		h.failingTrouble = trouble
	case last != state:
		h.failing = 0
		h.addMissing(missingFile{ref, state}, trouble, now)
	case len(h.missing) < maxMissing: // as it was before
		h.failing = 0
		return []missingFile{{ref, state}}
	}
	return nil
}

func (h *fileHealth) addMissing(file missingFile, why store.FileTrouble, now time.Time) {
	if len(h.missing) == 0 {
		h.missingSince = now
	}
	if h.missingTrouble = why; !slices.ContainsFunc(h.missing, func(known missingFile) bool { return known.FileID == file.FileID }) {
		h.missing = append(h.missing[max(0, len(h.missing)+1-maxMissing):], file)
	}
}

// outage returns why files cannot be checked, and since when; "" = they can, as
// far as is known.
func (h *fileHealth) outage(now time.Time) (store.FileTrouble, time.Time) {
	switch {
	case h.failing > 0 && h.failingTrouble == store.FileNoToken:
		return h.failingTrouble, h.failingSince
	case h.failing >= outageRequests && now.Sub(h.failingSince) >= outageAge:
		return h.failingTrouble, h.failingSince
	case len(h.missing) == maxMissing && now.Sub(h.lastFound) > foundWithin:
		return h.missingTrouble, h.missingSince
	}
	return "", time.Time{}
}

// delay returns how long to wait until the next request, usually the given time.
func (h *fileHealth) delay(now time.Time, usual time.Duration) time.Duration {
	wait := usual
	trouble, _ := h.outage(now)
	switch {
	case h.failing > 0:
		wait = exponential(time.Second, h.failing-1, maxDelay)
	case trouble != "":
		wait = maxDelay
	case len(h.missing) == maxMissing:
		wait = missingDelay
	}
	return max(wait, h.notBefore.Sub(now))
}

const (
	firstCheck    = 15 * time.Minute // after the start of a video
	checkInterval = 5 * time.Minute  // while it is not late yet
	lateInterval  = time.Hour
)

// nextCheck returns when the file of a video is to be checked, by when the video
// was started, the file as it was last seen, and when a request for it last failed.
func nextCheck(started time.Time, last store.File, failed time.Time, limits diagnosis.Thresholds) time.Time {
	late := started.Add(limits.StallAfter)
	next := last.SeenAt.Add(lateInterval)
	switch {
	case last.State == store.FileUnchecked || last.SeenAt.IsZero():
		next = started.Add(min(firstCheck, limits.StallAfter))
	case last.SeenAt.Before(late.Add(-checkInterval)):
		next = last.SeenAt.Add(checkInterval)
	case last.SeenAt.Before(late):
		next = late
	}
	if failed.IsZero() {
		return next
	}
	return later(next, failed.Add(checkInterval))
}
