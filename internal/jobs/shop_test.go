package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/jobs"
	"github.com/superduperai/sessionbot/internal/payments"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/sessions"
	"github.com/superduperai/sessionbot/store/sweep"
	"github.com/superduperai/sessionbot/superduper"
)

// shop is one customer's checkout with a site that reads one key, Stripe,
// SuperDuperAI and the bot. Several share a Redis.
type shop struct {
	*bench
	id     string
	videos *videos
	stripe *demo.Stripe
	paid   demo.CheckoutSession
	site   demo.SiteConfig
	cfg    jobs.Config
	bot    diagnosis.Examiner
	ago    atomic.Int64 // how far the site's clock is behind
}

// newShop returns one where the customer paid an hour ago. Nothing is stored yet, and
// the site's clock shows that hour.
func newShop(t *testing.T, shared *bench, name string) *shop {
	t.Helper()
	s := &shop{bench: &bench{t: t, client: shared.client, product: shared.product, ledger: shared.ledger}, id: "cs_live_" + name, stripe: demo.NewStripe()}
	s.ago.Store(int64(time.Hour))
	s.videos = &videos{SuperDuper: demo.NewSuperDuper(s.now, 0), names: map[string]string{}}
	s.pays(demo.CheckoutSession{ID: s.id, Status: "complete", PaymentStatus: "paid", Amount: 2400, Currency: "usd",
		IntentID: "pi_" + name, Created: s.now(), Event: store.EventDelivered})
	serve := func(handler http.Handler) string {
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		return server.URL
	}
	s.site = demo.SiteConfig{Redis: shared.client, FilesURL: serve(s.videos), StripeURL: serve(s.stripe), Now: s.now}
	siteURL := serve(demo.NewSite(s.site))
	client := superduper.New(superduper.Config{BaseURL: s.site.FilesURL, Token: token, SiteURL: siteURL,
		WebhookURL: siteURL + webhookPath, WebhookSecret: webhookSecret})
	reads := bothAPIs{client, payments.New(payments.Config{Key: "rk_live_shop", BaseURL: s.site.StripeURL})}
	files := sweep.NewFiles(shared.product, time.Now)
	s.bot = diagnosis.Examiner{Redis: sessions.Reader{Redis: shared.product}, Payments: reads, Files: reads, Records: files, Site: reads, Jobs: shared.ledger,
		Proven:     func(context.Context, time.Time) bool { return false },
		SiteLayout: func(context.Context) store.Layout { return store.LayoutOneKey },
		Limits:     limits, Deadlines: patient, Now: time.Now}
	s.cfg = config(shared.product, shared.ledger, s.site.FilesURL)
	s.cfg.Files, s.cfg.Site, s.cfg.Timings.Poll = files, reads, time.Millisecond
	s.cfg.Webhook, s.cfg.Events = client, reads.stripe
	s.cfg.Examine = func(ctx context.Context, id, job string) diagnosis.Examination {
		without := s.bot
		without.Jobs = diagnosis.Excluding(shared.ledger, job)
		return without.Examine(ctx, id)
	}
	return s
}

func (s *shop) now() time.Time { return time.Now().Add(-time.Duration(s.ago.Load())) }

func (s *shop) pays(paid demo.CheckoutSession) {
	s.paid = paid
	s.stripe.Put(paid)
}

// undelivered makes Stripe hold an event that an endpoint did not accept.
func (s *shop) undelivered() { s.paid.Event = store.EventFailed; s.pays(s.paid) }

func (s *shop) refunded() { s.paid.Refunded = s.paid.Amount; s.pays(s.paid) }

// holds stores a value; AT is the site's time.
func (s *shop) holds(kind, value string) {
	s.t.Helper()
	s.set(kind+":"+s.id, strings.ReplaceAll(value, "AT", s.now().UTC().Format("2006-01-02T15:04:05.000Z")))
}

// checkout stores what the site does before the customer pays.
func (s *shop) checkout() {
	s.t.Helper()
	s.holds("session", `{"prompt":"A fox","videoCount":1,"duration":8,"resolution":"1280x720","status":"pending","createdAt":"AT","timestamp":"AT"}`)
}

// threeKeys stores what an older site did before the customer paid.
func (s *shop) threeKeys() { s.t.Helper(); s.holds("prompt", `{"prompt":"A fox","timestamp":"AT"}`) }

// script stores what the old script did that generated a file.
func (s *shop) script(file string) {
	s.t.Helper()
	s.threeKeys()
	s.holds("webhook", `{"status":"processing","fileId":"`+file+`","timestamp":"AT"}`)
	s.holds("session", `{"fileId":"`+file+`","timestamp":"AT"}`)
}

func (s *shop) ask(site demo.SiteConfig, method, path, body string) string {
	s.t.Helper()
	recorder := httptest.NewRecorder()
	demo.NewSite(site).ServeHTTP(recorder, httptest.NewRequest(method, path, strings.NewReader(body)))
	if recorder.Code != http.StatusOK {
		s.t.Fatalf("%s %s: HTTP %d %s", method, path, recorder.Code, recorder.Body)
	}
	return recorder.Body.String()
}

// deliver makes Stripe deliver checkout.session.completed, and deliverIntent the
// event of the payment intent.
func (s *shop) deliver() { s.t.Helper(); s.post(s.site, "checkout.session.completed", s.id) }
func (s *shop) deliverIntent() {
	s.t.Helper()
	s.post(s.site, "payment_intent.succeeded", s.paid.IntentID)
}

func (s *shop) post(site demo.SiteConfig, event, about string) {
	s.t.Helper()
	s.ask(site, http.MethodPost, "/api/webhooks/stripe", fmt.Sprintf(`{"type":%q,"data":{"object":{"id":%q}}}`, event, about))
}

// twice has both events start a video; the watch saw the first finished, and the
// second stays in a state.
func (s *shop) twice(second store.FileState) {
	s.t.Helper()
	s.checkout()
	s.deliver()
	s.watched()
	s.deliverIntent()
	s.is(second)
}

// refused makes SuperDuperAI refuse everything while an event is delivered.
func (s *shop) refused(delivered func()) {
	s.videos.BreakFor("generate-video", demo.Fault{Status: http.StatusTooManyRequests, Body: "later"})
	delivered()
	s.videos.Heal()
}

// timedOut delivers an event; the site times out before SuperDuperAI answers.
func (s *shop) timedOut(event, about string) {
	s.t.Helper()
	site := s.site
	site.Client = &http.Client{Transport: tooLate{}}
	s.post(site, event, about)
}

// tooLate sends requests, and loses their answers.
type tooLate struct{}

func (tooLate) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	return nil, errors.Join(context.DeadlineExceeded, resp.Body.Close())
}

// unnamed generates a video that no session names, and returns its file.
func (s *shop) unnamed() string {
	s.t.Helper()
	site := superduper.New(superduper.Config{BaseURL: s.site.FilesURL, Token: "example"})
	file, err := site.Generate(s.t.Context(), superduper.Request{Prompt: "A fox", Model: "google-cloud/veo3-text2video", Duration: 8, Width: 1280, Height: 720})
	if err != nil {
		s.t.Fatal(err)
	}
	return file
}

// outside posts an update as anyone on the internet can.
func (s *shop) outside(update string) {
	s.t.Helper()
	s.ask(s.site, http.MethodPost, "/api/webhook-status/"+s.id, update)
}

// watched makes the bot remember that the session's file is finished.
func (s *shop) watched() {
	s.t.Helper()
	if err := s.cfg.Files.Save(s.t.Context(), s.session().FileRef(time.Now()), store.FileCompleted); err != nil {
		s.t.Fatal(err)
	}
}

// proven makes the bot know that SuperDuperAI knows the files of later sessions.
func (s *shop) proven() { s.bot.Proven = func(context.Context, time.Time) bool { return true } }

// is sets the state of the session's file.
func (s *shop) is(state store.FileState) { s.t.Helper(); s.videos.Put(s.session().FileID(), state) }

func (s *shop) session() store.Session {
	s.t.Helper()
	session, err := (sessions.Reader{Redis: s.product}).Session(s.t.Context(), s.id)
	if err != nil {
		s.t.Fatal(err)
	}
	return session
}

var heading = regexp.MustCompile(`<h1>(.*)</h1>(?:<p><a href='/en/file/(.*)'>)?`)

// seen is what the customer's page shows, and how many videos were paid for.
func (s *shop) seen() string {
	s.t.Helper()
	m := heading.FindStringSubmatch(s.ask(s.site, http.MethodGet, "/en/session/"+s.id, ""))
	text := "error: " + html.UnescapeString(m[1])
	switch {
	case m[2] != "":
		text = s.videos.name(m[2])
	case m[1] == "FILE NOT FOUND":
		text = "not found"
	case strings.HasPrefix(m[1], "Your video is being prepared"):
		text = "waiting"
	}
	return fmt.Sprintf("%s (%d)", text, s.videos.Started())
}
