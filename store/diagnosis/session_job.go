package diagnosis

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// SessionJob is the latest job of a session.
type SessionJob struct {
	ID      string         // "" = there is none
	State   store.JobState // JobNone = it has ended
	Action  store.Action
	Outcome store.Outcome // "" = it is running
	At      time.Time     // of the outcome, or of the claim while it is running
	Made    []Generation  // by all jobs of the session, oldest first
	// Replaced are the files that the session named until a generation of ours.
	Replaced []string
	Doubt    string // why the site may have started a video before a repair of ours
}

// Generation is a video or an image that a job started.
type Generation struct {
	FileID string
	At     time.Time
	Cents  int // estimated cost, 0 = unknown
}

// JobReader reads the jobs of sessions.
type JobReader interface {
	JobOf(ctx context.Context, session string) (SessionJob, error)
}

// Excluding returns a reader that leaves out a job: it must not see itself.
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
