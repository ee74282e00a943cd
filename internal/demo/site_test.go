package demo_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/superduper"
)

// siteWorld is the site with a Redis of its own and the fakes of its services.
type siteWorld struct {
	redis  *miniredis.Miniredis
	files  *demo.SuperDuper
	stripe *demo.Stripe
	config demo.SiteConfig
}

func newSiteWorld(t *testing.T) *siteWorld {
	t.Helper()
	w := &siteWorld{
		redis: miniredis.RunT(t), stripe: demo.NewStripe(),
		files: demo.NewSuperDuper(func() time.Time { return now }, 10*time.Minute),
	}
	rdb := redis.NewClient(&redis.Options{Addr: w.redis.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	stripe, files := httptest.NewServer(w.stripe), httptest.NewServer(w.files)
	t.Cleanup(stripe.Close)
	t.Cleanup(files.Close)
	w.config = demo.SiteConfig{Redis: rdb, FilesURL: files.URL, StripeURL: stripe.URL}
	return w
}

// set writes a value that has been there for a day.
func (w *siteWorld) set(t *testing.T, key, text string) {
	t.Helper()
	if err := w.redis.Set(key, text); err != nil {
		t.Fatal(err)
	}
	w.redis.SetTTL(key, store.KeyLife-24*time.Hour)
}

// call asks the site and returns what it answers.
func (w *siteWorld) call(method, path, body string, header ...string) (status int, answer string) {
	recorder, req := httptest.NewRecorder(), httptest.NewRequest(method, path, strings.NewReader(body))
	if len(header) > 0 {
		req.Header.Set("Stripe-Signature", header[0])
	}
	demo.NewSite(w.config).ServeHTTP(recorder, req)
	return recorder.Code, recorder.Body.String()
}

// What Redis holds of a session, what webhook-status answers and what the
// customer's page says.
func TestSite(t *testing.T) {
	t.Parallel()
	w := newSiteWorld(t)
	w.files.Put("ready", store.FileCompleted)
	w.files.Put("slow", store.FileInProgress)
	w.files.Put("broken", store.FileFailed)
	const (
		unknown  = `{"message":"Session not found or processing not yet started","status":"pending"}`
		prepared = "Your video is being prepared…"
		ready    = "Your video is ready."
		notFound = "FILE NOT FOUND"
		failed   = "Something went wrong. Please contact support."
	)
	for i, test := range []struct {
		name, session, answer, page string
	}{
		{"nothing", "", unknown, notFound},
		{"pending", `{"prompt":"p","status":"pending","videoCount":3}`, `{"prompt":"p","status":"pending"}`, prepared},
		{"pending without a prompt", `{"prompt":null,"status":"pending"}`, `{"prompt":null,"status":"pending"}`, notFound},
		{"processing", `{"prompt":"p","status":"processing","fileId":"slow","toolSlug":"s","toolTitle":"t","timestamp":"at"}`,
			`{"fileId":"slow","prompt":"p","status":"processing","timestamp":"at","toolSlug":"s","toolTitle":"t"}`, prepared},
		{"processing for ever", `{"prompt":"p","status":"processing","fileId":"ready"}`, `{"fileId":"ready","prompt":"p","status":"processing"}`, ready},
		{"processing, failed", `{"prompt":"p","status":"processing","fileId":"broken"}`, `{"fileId":"broken","prompt":"p","status":"processing"}`, prepared},
		{"processing, file unknown", `{"prompt":"p","status":"processing","fileId":"../ping"}`, `{"fileId":"../ping","prompt":"p","status":"processing"}`, prepared},
		{"processing without a file", `{"prompt":"p","status":"processing"}`, `{"prompt":"p","status":"processing"}`, notFound},
		{"completed", `{"prompt":"p","status":"completed","fileId":"slow"}`, `{"fileId":"slow","prompt":"p","status":"completed"}`, ready},
		{"error", `{"prompt":"p","status":"error","error":"so <sorry>"}`, `{"error":"so \u003csorry\u003e","prompt":"p","status":"error"}`, "so <sorry>"},
		{"error over a ready file", `{"prompt":"p","status":"error","error":"429","fileId":"ready"}`,
			`{"error":"429","fileId":"ready","prompt":"p","status":"error"}`, "429"},
		{"error without a text", `{"prompt":"p","status":"error"}`, `{"prompt":"p","status":"error"}`, failed},
		{"a mapping", `{"fileId":"ready","timestamp":"at"}`, `{"fileId":"ready"}`, notFound},
		{"a mapping without a file", `{"timestamp":"at"}`, `{}`, notFound},
		{"cut off", `{"status":`, `{"error":"Failed to get webhook status"}`, failed},
	} {
		id := fmt.Sprint("cs_live_", i)
		w.set(t, "prompt:"+id, `{"prompt":"of the three-key layout"}`)
		w.set(t, "webhook:"+id, `{"status":"completed","fileId":"ready"}`)
		if test.session != "" {
			w.set(t, "session:"+id, test.session)
		}
		if _, answer := w.call(http.MethodGet, "/api/webhook-status/"+id, ""); answer != test.answer {
			t.Errorf("%s: answers %s, want %s", test.name, answer, test.answer)
		}
		if _, page := w.call(http.MethodGet, "/en/session/"+id, ""); !strings.Contains(page, "<h1>"+html.EscapeString(test.page)+"</h1>") {
			t.Errorf("%s: the page does not say %q: %s", test.name, test.page, page)
		} else if strings.Contains(page, "Watch it") != (test.page == ready) || strings.Contains(page, "Pay for a new") != strings.Contains(test.session, `"status":"error"`) {
			t.Errorf("%s: the page offers something else: %s", test.name, page)
		}
	}
	if _, page := w.call(http.MethodGet, "/en/file/ready", ""); !strings.Contains(page, "<svg") {
		t.Errorf("no video on the page of a file: %s", page)
	}
}

// The site's answers as the product reads them.
func TestClientReadsTheDemoSite(t *testing.T) {
	t.Parallel()
	w := newSiteWorld(t)
	w.set(t, "session:full", `{"prompt":"p","status":"processing","fileId":"f"}`)
	w.set(t, "session:mapping", `{"fileId":"f","timestamp":"at"}`)
	server := httptest.NewServer(demo.NewSite(w.config))
	t.Cleanup(server.Close)
	client := superduper.New(superduper.Config{SiteURL: server.URL})
	for id, want := range map[string]store.Site{
		"full":    {Found: true, Status: "processing", FileID: "f"},
		"mapping": {Found: true, FileID: "f"},
		"missing": {Status: "pending"},
	} {
		if got, err := client.SessionStatus(t.Context(), id); err != nil || got != want {
			t.Errorf("%s: %+v, error %v; want %+v", id, got, err, want)
		}
	}
}

// Anybody may post a status: it is merged, and lives for thirty days again.
func TestSiteTakesAnyStatus(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, session, body, want string
		status                    int
	}{
		{"a claim", `{"prompt":"a <fox>","status":"pending","extra":{"a":1}}`, `{"status":"completed","fileId":"mine"}`,
			`{"extra":{"a":1},"fileId":"mine","prompt":"a <fox>","status":"completed"}`, 200},
		{"over a mapping", `{"fileId":"f"}`, `{"status":"error"}`, `{"fileId":"f","status":"error"}`, 200},
		{"no such session", "", `{"status":"completed"}`, "", 200},
		{"no object", `{"prompt":"p"}`, `["completed"]`, `{"prompt":"p"}`, 400},
		{"over a value cut off", `{"prompt`, `{"status":"error"}`, `{"prompt`, 500},
	} {
		w := newSiteWorld(t)
		if test.session != "" {
			w.set(t, "session:x", test.session)
		}
		status, answer := w.call(http.MethodPost, "/api/webhook-status/x", test.body)
		got, _ := w.redis.Get("session:x") // a missing key is an empty text
		if got != test.want || status != test.status {
			t.Errorf("%s: HTTP %d %s, then %s; want HTTP %d, %s", test.name, status, answer, got, test.status, test.want)
		}
		if life := w.redis.TTL("session:x"); test.status == 200 && test.want != "" && life != store.KeyLife {
			t.Errorf("%s: it lives for %v, want %v", test.name, life, store.KeyLife)
		}
	}
}
