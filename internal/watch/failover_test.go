package watch

import (
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
)

// TestFailoverThatLosesTheNote: the alert was posted, and the master died with
// the note of it. The replica knows at least its mark, so it is found again.
func TestFailoverThatLosesTheNote(t *testing.T) {
	f := redistest.StartFailover(t)
	r, err := store.Open(t.Context(), f.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() }) // nothing hangs on it any more
	b := newBench(t)
	b.client, b.product, b.records = f.Client(), r, store.NewWatch(r)
	b.cfg.Records, b.cfg.Product, b.cfg.Ledger = b.records, r, store.NewLedger(r)
	b.cfg.Examiner = &store.Examiner{Redis: r, Limits: b.cfg.Limits, Now: time.Now}
	b.cfg.Interval = 5 * time.Second // three failures in a row would be told
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
