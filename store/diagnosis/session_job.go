package diagnosis

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// SessionJob is what the latest job of ours does, or did, for a session.
type SessionJob struct {
	ID      string         // "" = there was none within jobLife
	State   store.JobState // JobNone = it is over
	Action  store.Action
	Outcome store.Outcome // "" = it runs
	At      time.Time     // of the outcome, or of the claim while it runs
	Made    []Generation  // by all jobs of the session, oldest first
	// Replaced are the files that the session named until a generation of ours.
	Replaced []string
	Doubt    string // why the site may have had a video made before a repair of ours; "" = nothing says so
}

// Generation is a video or an image that a job had made, or began to.
type Generation struct {
	FileID string
	At     time.Time
	Cents  int // estimated cost, 0 = unknown
}

// JobReader knows the jobs of sessions.
type JobReader interface {
	JobOf(ctx context.Context, session string) (SessionJob, error)
}

// Excluding is a reader for the job itself, which must not see itself.
func Excluding(jobs JobReader, id string) JobReader { return otherJobs{jobs, id} }

type otherJobs struct {
	jobs JobReader
	id   string
}

func (o otherJobs) JobOf(ctx context.Context, session string) (SessionJob, error) {
	job, err := o.jobs.JobOf(ctx, session)
	if job.ID == o.id {
		return SessionJob{Made: job.Made, Replaced: job.Replaced, Doubt: job.Doubt}, err
	}
	return job, err
}
