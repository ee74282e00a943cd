package sweep

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// uuid is the id of a file.
func uuid(n int) string { return fmt.Sprintf("%08x-89ab-4cde-8f01-%012X", n*2654435761%(1<<32), n) }

// naming is a session that names a file, created some time before the judgement.
func naming(id, fileID string, status store.Status, age time.Duration) store.Session {
	created := at.Add(-age)
	key := store.Key{Kind: "session", Exists: true, Full: true}
	word := string(status)
	key.Value = store.Value{Status: &word, FileID: &fileID, CreatedAt: created, Timestamp: created}
	return store.Session{ID: id, SessionKey: key}
}

func states(t *testing.T, f *Files, sessions ...store.Session) (list []store.FileState) {
	t.Helper()
	files, err := f.States(t.Context(), sessions)
	must(t, err)
	for _, file := range files {
		list = append(list, file.File.State)
	}
	return list
}

// TestFiles follows a file from when it is first named until it is
// finished, for others as well.
func TestFiles(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		ctx, now := t.Context(), at
		f := NewFiles(r, func() time.Time { return now })
		s := naming("cs_live_1", uuid(1), store.StatusProcessing, time.Hour)
		all := []store.Session{
			s, naming("cs_live_2", "", store.StatusPending, time.Hour), naming("cs_live_3", "no UUID", store.StatusProcessing, time.Hour),
			naming("cs_live_4", uuid(4), store.StatusCompleted, time.Hour), naming("cs_live_5", uuid(5), store.StatusError, 50*time.Hour),
		}
		check := func(step string, first, fifth store.FileState) {
			t.Helper()
			want := []store.FileState{first, store.FileNone, store.FileNone, store.FileUnchecked, fifth}
			if diff := cmp.Diff(want, states(t, f, all...)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", step, diff)
			}
		}
		finished := func(want bool, ref store.FileRef) {
			t.Helper()
			if got, err := f.Known(ctx, ref); (got.File.State == store.FileCompleted) != want || err != nil {
				t.Errorf("%+v is %s, %v", ref, got.File.State, err)
			}
		}
		check("nobody asked", store.FileUnchecked, store.FileUnchecked)
		must(t, f.Save(ctx, s.FileRef(at), store.FileInProgress))
		must(t, f.Save(ctx, all[4].FileRef(at), store.FileMissing))
		check("seen", store.FileInProgress, store.FileMissing)
		for _, fileID := range []string{uuid(1), uuid(9)} {
			want := map[string]store.File{uuid(1): {State: store.FileInProgress, SeenAt: at}, uuid(9): {State: store.FileUnchecked}}[fileID]
			if file, err := f.Known(ctx, store.FileRef{Session: "cs_live_1", Created: at, FileID: fileID}); file.File != want || err != nil {
				t.Errorf("%+v, %v; want %+v", file, err, want)
			}
		}
		now = at.Add(time.Minute)
		if files, err := f.States(ctx, all[:1]); err != nil || !files[0].File.SeenAt.Equal(at) {
			t.Errorf("seen at another time: %+v, %v", files, err)
		}
		must(t, f.Save(ctx, all[4].FileRef(at), store.FileUnchecked))
		must(t, f.Save(ctx, store.FileRef{FileID: uuid(77)}, store.FileUnchecked))
		check("forgotten", store.FileInProgress, store.FileUnchecked)
		finished(false, s.FileRef(at))
		must(t, f.Save(ctx, s.FileRef(at), store.FileCompleted))
		must(t, f.Save(ctx, s.FileRef(at), store.FileCompleted))
		check("finished", store.FileCompleted, store.FileUnchecked)
		finished(true, s.FileRef(at))
		must(t, f.Save(ctx, store.FileRef{FileID: uuid(1)}, store.FileUnchecked))
		check("what is finished is not forgotten", store.FileCompleted, store.FileUnchecked)
		// Another replica, or this one after a restart.
		f = NewFiles(r, func() time.Time { return now })
		check("remembered", store.FileCompleted, store.FileUnchecked)

		second := naming("cs_live_1", uuid(2), store.StatusProcessing, time.Hour)
		if got := states(t, f, second); got[0] != store.FileUnchecked {
			t.Errorf("another file of the same session is %s", got[0])
		}
		finished(false, second.FileRef(at))
		must(t, f.Save(ctx, second.FileRef(at), store.FileCompleted))
		if got := states(t, f, s, second, naming("cs_live_6", uuid(1), store.StatusProcessing, time.Hour)); !slices.Equal(got,
			[]store.FileState{store.FileCompleted, store.FileCompleted, store.FileUnchecked}) {
			t.Errorf("two files of a session, and one of them of another: %s", got)
		}
		unnamed := store.FileRef{Session: "cs_live_1", Created: at.Add(-20 * 24 * time.Hour)}
		want := []string{strings.ToLower(uuid(1)), strings.ToLower(uuid(2))}
		if record, err := f.Known(ctx, unnamed); err != nil || record.File.State != store.FileNone || !slices.Equal(record.Finished, want) {
			t.Errorf("of the session: %+v, %v; want %v", record, err, want)
		}
		reset := naming("cs_live_1", "", store.StatusPending, time.Hour) // its status was changed from outside
		if records, err := f.States(ctx, []store.Session{reset}); err != nil || !slices.Equal(records[0].Finished, want) {
			t.Errorf("in a sweep: %+v, %v; want %v", records, err, want)
		}
		forged := naming("cs_live_9", uuid(9), store.StatusProcessing, 3*365*24*time.Hour) // and put right afterwards
		must(t, f.Save(ctx, forged.FileRef(at), store.FileCompleted))
		finished(true, naming("cs_live_9", uuid(9), store.StatusProcessing, 10*24*time.Hour).FileRef(at))
		moved := naming("cs_live_1", uuid(1), store.StatusProcessing, 5*24*time.Hour) // createdAt was changed from outside
		finished(true, moved.FileRef(at))
		finished(false, naming("cs_live_7", uuid(1), store.StatusProcessing, time.Hour).FileRef(at))

		before := client.Keys(ctx, "*").Val()
		for _, id := range []string{"no UUID", strings.ReplaceAll(uuid(8), "-", ""), uuid(8) + "0", "", "{" + uuid(8) + "}", strings.Repeat("-", 36)} {
			for _, state := range []store.FileState{store.FileCompleted, store.FileInProgress} {
				ref := naming("cs_live_8", id, store.StatusProcessing, time.Hour).FileRef(at)
				must(t, f.Save(ctx, ref, state))
				finished(false, ref)
			}
		}
		if after := client.Keys(ctx, "*").Val(); len(before) != len(after) {
			t.Errorf("a file that has no UUID was saved: %q", after)
		}
	})
}

// TestFinishedFilesAreKept for 31 days from when they were last met.
func TestFinishedFilesAreKept(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		ctx := t.Context()
		f := NewFiles(r, func() time.Time { return at })
		met, other := naming("cs_live_1", uuid(1), store.StatusProcessing, time.Hour), naming("cs_live_2", uuid(2), store.StatusProcessing, 9*24*time.Hour)
		lives := func() map[string]time.Duration {
			found := map[string]time.Duration{}
			for _, s := range []store.Session{met, other} {
				found[s.ID] = client.PTTL(ctx, bucket(keyOf(s.ID), dayOf(s.FileRef(at).Created))).Val()
			}
			return found
		}
		check := func(step, id string, least, most time.Duration) {
			t.Helper()
			if life := lives()[id]; life <= least || life > most {
				t.Errorf("%s: %s lives for %s", step, id, life)
			}
		}
		const life, day = 31 * 24 * time.Hour, 24 * time.Hour
		for _, s := range []store.Session{met, other} {
			must(t, f.Save(ctx, s.FileRef(at), store.FileCompleted))
			check("saved", s.ID, life-time.Hour, life)
			must(t, client.PExpire(ctx, bucket(keyOf(s.ID), dayOf(s.FileRef(at).Created)), day).Err())
		}
		states(t, f, naming(met.ID, "", store.StatusPending, time.Hour)) // whatever the session names by now
		check("before it is kept", met.ID, 0, day)
		must(t, f.Keep(ctx))
		check("kept", met.ID, life-time.Hour, life)
		check("not met", other.ID, 0, day)
		must(t, client.PExpire(ctx, bucket(keyOf(met.ID), dayOf(met.FileRef(at).Created)), day).Err())
		must(t, f.Keep(ctx))
		check("not met since", met.ID, 0, day)
		must(t, f.Save(ctx, met.FileRef(at), store.FileInProgress))
		if left := client.PTTL(ctx, statePrefix+uuid(1)).Val(); left <= life-time.Hour || left > life {
			t.Errorf("what is not finished lives for %s", left)
		}
	})
}

// TestFinishedFilesAreSmall, and contain no ids.
func TestFinishedFilesAreSmall(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client, r := server.Client(), open(t, server.URL())
	f := NewFiles(r, func() time.Time { return at })
	used := func() int64 {
		s, err := r.Server(t.Context())
		must(t, err)
		return s.UsedMemoryBytes
	}
	const n, days = 20_000, 26
	sessions := make([]store.Session, n)
	for i := range sessions {
		sessions[i] = naming(fmt.Sprint("cs_live_", i), uuid(i), store.StatusProcessing, time.Duration(i%days)*24*time.Hour)
	}
	must(t, f.Save(t.Context(), sessions[0].FileRef(at), store.FileCompleted)) // the script and the connection
	before := used()
	pipe := client.Pipeline()
	for _, s := range sessions {
		ref := s.FileRef(at)
		id, ok := store.FileUUID(ref.FileID)
		if !ok {
			t.Fatalf("%q is no UUID", ref.FileID)
		}
		k := keyOf(s.ID)
		addFinished.Eval(t.Context(), pipe, []string{bucket(k, dayOf(ref.Created))}, string(k[:8]), id[:], fileLife.Milliseconds())
	}
	_, err := pipe.Exec(t.Context())
	must(t, err)
	if each := float64(used()-before) / n; each > 60 {
		t.Errorf("%.1f bytes of memory a session", each)
	} else {
		t.Logf("%.1f bytes of memory a session", each)
	}
	for some := range slices.Chunk(sessions, 1000) {
		for i, state := range states(t, f, some...) {
			if state != store.FileCompleted {
				t.Fatalf("%s: %s", some[i].ID, state)
			}
		}
	}
	for _, key := range client.Keys(t.Context(), "*").Val() {
		text := key + fmt.Sprint(slices.Sorted(maps.Keys(client.HGetAll(t.Context(), key).Val())))
		if strings.Contains(text, "cs_") || strings.Contains(text, "-89ab-") || strings.Contains(text, "89ab4cde") {
			t.Fatalf("%q names a session or a file", text)
		}
	}
}

func TestFilesWithoutRedis(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	f := NewFiles(open(t, server.URL()), func() time.Time { return at })
	s := naming("cs_live_1", uuid(1), store.StatusProcessing, time.Hour)
	must(t, f.Save(t.Context(), s.FileRef(at), store.FileCompleted))
	states(t, f, s)
	server.Kill(t)
	ctx := t.Context()
	for name, do := range map[string]func() error{
		"States":   func() error { _, err := f.States(ctx, []store.Session{s}); return err },
		"Known":    func() error { _, err := f.Known(ctx, s.FileRef(at)); return err },
		"Save":     func() error { return f.Save(ctx, s.FileRef(at), store.FileInProgress) },
		"finished": func() error { return f.Save(ctx, s.FileRef(at), store.FileCompleted) },
		"Keep":     func() error { return f.Keep(ctx) },
	} {
		if err := do(); !errors.Is(err, rdb.ErrNoAnswer) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
