package sessions

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
)

// put stores the values of a session as the site does.
func put(t *testing.T, client redis.UniversalClient, id string, v values) {
	t.Helper()
	for kind, raw := range map[string]string{"prompt:": v.prompt, "webhook:": v.webhook, "session:": v.sessionValue} {
		if raw == "" {
			continue
		}
		if err := client.Set(t.Context(), kind+id, raw, time.Hour).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, r *rdb.Redis, id string) store.Session {
	t.Helper()
	s, err := (Reader{Redis: r}).Session(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestWriteRepairsASession writes every key of an update and checks the result.
func TestWriteRepairsASession(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := Writer{Product: r, State: r}
		for n, v := range []values{
			{prompt: storetest.FoxPrompt},
			{prompt: storetest.FoxPrompt, webhook: `{"x":[ ]}`, sessionValue: `{"y":1.0}`},
			{sessionValue: storetest.FoxObject},
			{webhook: `{"status":"pending"}`, sessionValue: storetest.FoxObject},
		} {
			id := fmt.Sprintf("cs_live_repair%d", n)
			put(t, client, id, v)
			before := read(t, r, id)
			for _, kw := range Writes(before, Update{Kind: UpdateMarkError, At: storetest.At, Error: fixText}) {
				expect := map[string]string{"webhook": before.Webhook.Digest, "session": before.SessionKey.Digest}[kw.Kind]
				after, err := w.Write(t.Context(), kw, expect)
				if err != nil {
					t.Fatal(err)
				}
				raw := client.Get(t.Context(), kw.Key()).Val()
				if store.Digest([]byte(raw)) != after {
					t.Errorf("%s: the digest is of something else than %s", kw.Key(), raw)
				}
				if ttl := client.TTL(t.Context(), kw.Key()).Val(); ttl < store.KeyLife-time.Minute || ttl > store.KeyLife {
					t.Errorf("%s lives for %s", kw.Key(), ttl)
				}
				// What the plan showed is what cannot be written twice.
				if again, err := w.Write(t.Context(), kw, expect); err != nil || again != after {
					t.Errorf("%s, the same again: %v", kw.Key(), err)
				}
			}
			s := read(t, r, id)
			if s.Status() != store.StatusError || s.PromptText() != "A fox" || *s.Current().Error != fixText {
				t.Errorf("%+v became %+v", v, s)
			}
			if !strings.Contains(client.Get(t.Context(), "session:"+id).Val(), strings.TrimSuffix(strings.Split(v.sessionValue+",", ",")[0], "}")) {
				t.Errorf("%+v lost what the session held", v)
			}
		}
	})
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := Writer{Product: r, State: r}
		id, key := "cs_live_refuse", "webhook:cs_live_refuse"
		kw := webhookKeyWrite(store.Session{ID: id, Webhook: store.Key{Kind: "webhook"}}, Update{Kind: UpdateMarkError, At: storetest.At, Error: fixText})
		for _, c := range []struct {
			name, stored, expect string
			want                 error
		}{
			{"somebody created it", `{"status":"processing"}`, "", ErrChanged},
			{"somebody changed it", `{"status":"processing"}`, store.Digest([]byte(`{"status":"pending"}`)), ErrChanged},
			{"somebody removed it", "", store.Digest([]byte(`{"status":"pending"}`)), ErrChanged},
			{"an empty value is not a missing one", " ", "", ErrChanged},
		} {
			client.Del(t.Context(), key)
			put(t, client, id, values{webhook: c.stored})
			if _, err := w.Write(t.Context(), kw, c.expect); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", c.name, err, c.want)
			}
			if got := client.Get(t.Context(), key).Val(); got != c.stored {
				t.Errorf("%s: now %q is stored", c.name, got)
			}
		}
		client.Del(t.Context(), key)
		client.HSet(t.Context(), key, "status", "pending")
		if _, err := w.Write(t.Context(), kw, ""); !errors.Is(err, ErrOtherType) {
			t.Errorf("a hash: %v", err)
		}
		client.Del(t.Context(), key)
		client.SetRange(t.Context(), key, rdb.MaxValue, "x")
		if _, err := w.Write(t.Context(), kw, ""); !errors.Is(err, ErrTooLarge) {
			t.Errorf("33 MiB: %v", err)
		}
	})
}

func TestWriteSavesWhatItCannotRead(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := Writer{Product: r, State: r}
		for n, stored := range []string{`{"status":`, "\xff\x00", `{"status":7,"x":12345678901234567890}`, `{"prompt":["A fox"]}`} {
			id := fmt.Sprintf("cs_live_saved%d", n)
			put(t, client, id, values{prompt: storetest.FoxPrompt, sessionValue: stored})
			before := read(t, r, id)
			for _, kw := range Writes(before, Update{Kind: UpdateMarkError, At: storetest.At, Error: fixText}) {
				if kw.Kind == "session" && !kw.Unreadable {
					t.Errorf("%q is said to be readable", stored)
				}
				expect := map[string]string{"session": before.SessionKey.Digest}[kw.Kind]
				if _, err := w.Write(t.Context(), kw, expect); err != nil {
					t.Fatal(err)
				}
			}
			key := "sessionbot:saved:session:" + id + ":" + store.Digest([]byte(stored))
			if got := client.Get(t.Context(), key).Val(); got != stored {
				t.Errorf("%q was saved as %q", stored, got)
			}
			if ttl := client.TTL(t.Context(), key).Val(); ttl < store.KeyLife-time.Minute {
				t.Errorf("it is kept for %s", ttl)
			}
			if s := read(t, r, id); s.Status() != store.StatusError || s.SessionKey.Fault != "" {
				t.Errorf("%q became %+v", stored, s)
			}
		}
	})
}

// TestNothingIsWrittenWhereSavingFails: no byte is overwritten without a copy.
func TestNothingIsWrittenWhereSavingFails(t *testing.T) {
	t.Parallel()
	product, state := redistest.NewDatabase(t), redistest.Start(t)
	w := Writer{Product: rdbtest.Open(t, product.URL()), State: rdbtest.Open(t, state.URL())}
	put(t, product.Client(), "cs_live_1", values{webhook: "?"})
	state.Kill(t)
	kw := webhookKeyWrite(storetest.Held(storetest.FoxPrompt, "?", ""), Update{Kind: UpdateMarkError, At: storetest.At, Error: fixText})
	if _, err := w.Write(t.Context(), kw, store.Digest([]byte("?"))); !errors.Is(err, rdb.ErrNoAnswer) {
		t.Errorf("got %v", err)
	}
	if got := product.Client().Get(t.Context(), "webhook:cs_live_1").Val(); got != "?" {
		t.Errorf("now %q is stored", got)
	}
}

// TestWriteRacesWithTheSite: the site writes concurrently. Its last value stays, and no
// member is lost.
func TestWriteRacesWithTheSite(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := Writer{Product: r, State: r}
		outcomes := map[bool]int{}
		for round := range 200 {
			id := fmt.Sprintf("cs_live_beside%d", round)
			put(t, client, id, values{sessionValue: storetest.FoxObject})
			kw := Writes(read(t, r, id), Update{Kind: UpdateProcessing, At: storetest.At})[0]
			site := strings.Replace(storetest.FoxObject, `"status":"pending"`, `"status":"processing","fileId":"s"`, 1)
			var err error
			var writers sync.WaitGroup
			writers.Go(func() { _, err = w.Write(t.Context(), kw, store.Digest([]byte(storetest.FoxObject))) })
			writers.Go(func() {
				for range round % 10 { // so that it comes before, between and after our steps
					client.Get(t.Context(), "session:"+id)
				}
				client.Set(t.Context(), "session:"+id, site, store.KeyLife)
			})
			writers.Wait()
			// The site does not compare: what it writes last stands, ours or not.
			if got := client.Get(t.Context(), "session:"+id).Val(); got != site {
				t.Fatalf("round %d: the site's value became %s", round, got)
			}
			if err != nil && !errors.Is(err, ErrChanged) {
				t.Fatal(err)
			}
			outcomes[err == nil]++
		}
		t.Logf("written before the site %d times, refused %d times", outcomes[true], outcomes[false])
	})
}

// TestTwoWritersRace: of two writers that expect the same value one succeeds.
func TestTwoWritersRace(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := Writer{Product: r, State: r}
		for round := range 200 {
			id := fmt.Sprintf("cs_live_writers%d", round)
			put(t, client, id, values{sessionValue: storetest.FoxObject})
			s := read(t, r, id)
			var errs [2]error
			var writers sync.WaitGroup
			for i := range errs {
				kw := Writes(s, Update{Kind: UpdateProcessing, At: storetest.At.Add(time.Duration(i) * time.Second)})[0]
				writers.Go(func() { _, errs[i] = w.Write(t.Context(), kw, s.SessionKey.Digest) })
			}
			writers.Wait()
			if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs[:]...), ErrChanged) {
				t.Fatalf("round %d: %v, %v", round, errs[0], errs[1])
			}
		}
	})
}

// TestLostAnswer: Redis executes the write, and its answer is lost. Reading again shows that
// it is done.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		down bool // nothing can be asked any more
		want error
	}{{"once", false, nil}, {"for good", true, rdb.ErrNoAnswer}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			line := rdbtest.NewLine(t, server.Addr())
			r := rdbtest.Open(t, "redis://"+line.Addr)
			w := Writer{Product: r, State: r}
			put(t, server.Client(), "cs_live_1", values{sessionValue: storetest.FoxObject})
			kw := Writes(storetest.Held("", "", storetest.FoxObject), Update{Kind: UpdateProcessing, At: storetest.At})[0]
			line.Lost = func() { line.Down.Store(c.down) }
			line.Lose.Store(1)
			after, err := w.Write(t.Context(), kw, store.Digest([]byte(storetest.FoxObject)))
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			stored := server.Client().Get(t.Context(), "session:cs_live_1").Val()
			if err == nil && after != store.Digest([]byte(stored)) || !strings.Contains(stored, `"status":"processing"`) {
				t.Errorf("%s is stored", stored)
			}
			line.Down.Store(false)
			testenv.Until(t, "who was silent is asked again", func() bool {
				after, err = w.Write(t.Context(), kw, store.Digest([]byte(storetest.FoxObject)))
				return !errors.Is(err, rdb.ErrNoAnswer)
			})
			if err != nil || after != store.Digest([]byte(stored)) {
				t.Errorf("again: %v", err)
			}
		})
	}
}

// TestLostAnswerAndTheSite: the answer is lost and the site writes before we can read: then
// the outcome is unknown.
func TestLostAnswerAndTheSite(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	line := rdbtest.NewLine(t, server.Addr())
	r := rdbtest.Open(t, "redis://"+line.Addr)
	w := Writer{Product: r, State: r}
	put(t, server.Client(), "cs_live_1", values{sessionValue: storetest.FoxObject})
	site := strings.Replace(storetest.FoxObject, "pending", "completed", 1)
	line.Lost = func() { put(t, server.Client(), "cs_live_1", values{sessionValue: site}) }
	line.Lose.Store(1)
	kw := Writes(storetest.Held("", "", storetest.FoxObject), Update{Kind: UpdateProcessing, At: storetest.At})[0]
	if _, err := w.Write(t.Context(), kw, store.Digest([]byte(storetest.FoxObject))); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v", err)
	}
	if got := server.Client().Get(t.Context(), "session:cs_live_1").Val(); got != site {
		t.Errorf("the site's value became %s", got)
	}
}
