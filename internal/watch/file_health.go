package watch

import (
	"errors"
	"slices"
	"time"

	"github.com/superduperai/sessionbot/store"
)

const (
	// Files cannot be checked once the API has failed for so long and so often.
	failingFor      = 2 * time.Minute
	failingRequests = 5
	// missingFiles in a row that the API does not know, and none that it does within
	// foundWithin, mean that it is the wrong API.
	missingFiles = 20
	foundWithin  = time.Hour

	checkEvery   = 200 * time.Millisecond // between two requests
	maxCheckWait = 30 * time.Second       // likewise, while the API fails
	maxAskedWait = 5 * time.Minute        // likewise, where the API asks for it
)

// fileHealth judges by the answers of the SuperDuperAI API whether files can be
// checked. It is pure: the caller says what time it is.
type fileHealth struct {
	failing  int               // requests in a row that got no answer, 401, 403 or 5xx
	since    time.Time         // the first of them
	trouble  store.FileTrouble // the last of them
	missing  []string          // different files in a row that the API did not know, the last missingFiles of them
	unknown  time.Time         // the first of them
	found    time.Time         // the last file that it knew
	wait     time.Duration     // that it asked for
	waitFrom time.Time
}

// note takes the answer to a request for a file.
func (h *fileHealth) note(fileID string, err error, now time.Time) {
	var failed *store.FileError
	switch trouble := errors.As(err, &failed); {
	case err == nil:
		*h = fileHealth{found: now}
		return
	case trouble && failed.Trouble == store.FileNotFound:
		h.failing = 0
		if len(h.missing) == 0 {
			h.unknown = now
		}
		if !slices.Contains(h.missing, fileID) {
			h.missing = append(h.missing[max(0, len(h.missing)+1-missingFiles):], fileID)
		}
		return
	case trouble && (failed.Trouble == store.FileRateLimited || failed.Trouble == store.FileUnreadable):
		h.failing = 0
		if failed.Trouble == store.FileRateLimited {
			h.wait, h.waitFrom = min(max(failed.RetryAfter, time.Second), maxAskedWait), now
		}
		return
	case trouble:
		h.trouble = failed.Trouble
	default:
		h.trouble = store.FileNoAnswer
	}
	if h.failing++; h.failing == 1 {
		h.since = now
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
	case len(h.missing) == missingFiles && now.Sub(h.found) > foundWithin:
		return store.FileNotFound, h.unknown
	}
	return "", time.Time{}
}

// pause is how long to wait until the next request.
func (h *fileHealth) pause(now time.Time) time.Duration {
	if left := h.waitFrom.Add(h.wait).Sub(now); left > 0 {
		return left
	}
	if h.failing > 0 {
		return min(time.Second<<min(h.failing-1, 10), maxCheckWait)
	}
	if trouble, _ := h.broken(now); trouble != "" {
		return maxCheckWait
	}
	return checkEvery
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
// for, by what was last seen of it.
func nextCheck(started time.Time, last store.File, limits store.Thresholds) time.Time {
	late := started.Add(limits.StallAfter)
	switch {
	case last.State == store.FileUnchecked:
		return started.Add(min(firstCheck, limits.StallAfter))
	case last.SeenAt.Before(late.Add(-checkAgain)):
		return last.SeenAt.Add(checkAgain)
	case last.SeenAt.Before(late):
		return late
	}
	return last.SeenAt.Add(checkLate)
}
