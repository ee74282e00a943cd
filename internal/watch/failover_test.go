package watch

import (
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
)

// TestFailoverThatLosesTheNote: the alert was posted, and the master died with
// the note of it. The replica knows at least its mark, so it is found again.
func TestFailoverThatLosesTheNote(t *testing.T) {
	t.Parallel()
	f := redistest.StartFailover(t)
	b := benchOn(t, f.URL(), f.Client())
	b.cfg.Interval = time.Hour // else three failures in a row would be told
	b.channel.finds = true
	b.channel.posted = func() { // from here on the replica hears nothing
		f.Replica.Freeze(t)
		if err := f.Master.Client().ClientKillByFilter(t.Context(), "TYPE", "replica").Err(); err != nil {
			t.Error(err)
		}
	}
	b.pays("cs_test_1", overdue())
	b.run()
	b.expect("first 1")
	b.until("the post is noted", func() bool { return b.only().Place.TS != "" })
	f.Master.Kill(t)
	f.Replica.Thaw(t)
	b.expect("update 1")
	if n := b.channel.posts(); n != 1 {
		t.Errorf("%d posts", n)
	}
	if key := "sessionbot:{watch}:state"; b.client.Exists(t.Context(), key).Val() != 1 {
		t.Error("the replica knows of no watch")
	}
}
