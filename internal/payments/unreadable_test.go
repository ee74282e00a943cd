package payments

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// odd are objects that cannot be read.
var odd = map[string]string{
	"null":              `null`,
	"a number":          `7`,
	"no id":             `{"object":"checkout.session","status":"complete","payment_status":"paid"}`,
	"an amount in text": strings.Replace(object("cs_odd", "paid"), `"amount_total":100`, `"amount_total":"`+email+`"`, 1),
	"a time in text":    strings.Replace(object("cs_odd", "paid"), `"livemode":true`, `"created":"`+email+`"`, 1),
	"text":              `"cs_odd"`,
	"a list":            `[{"id":"cs_odd"}]`,
	"an amount of 1e2":  strings.Replace(object("cs_odd", "paid"), `"amount_total":100`, `"amount_total":1e2`, 1),
	"beyond 64 bits":    strings.Replace(object("cs_odd", "paid"), `"amount_total":100`, `"amount_total":9223372036854775808`, 1),
	"an unknown state":  object("cs_odd", email),
	"metadata in a row": strings.Replace(object("cs_odd", "paid"), `"livemode":true`, `"metadata":["`+email+`"]`, 1),
}

// logged returns a reader of a Stripe with one answer, and its log.
func logged(t *testing.T, body string) (*Reader, *bytes.Buffer) {
	t.Helper()
	server := httptest.NewServer(answer(http.StatusOK, body))
	t.Cleanup(server.Close)
	var log bytes.Buffer
	return New(Config{Key: key, BaseURL: server.URL, Now: func() time.Time { return now }, Log: slog.New(slog.NewTextHandler(&log, nil))}), &log
}

// checkLog: one line with the count, and nothing of the object.
func checkLog(t *testing.T, name string, log *bytes.Buffer, list string) {
	t.Helper()
	if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "skipped\" component=payments list="+list+" count=1\n") || strings.Contains(text, email) {
		t.Errorf("%s: logged %q", name, text)
	}
}

func TestUnreadableSessionSkipped(t *testing.T) {
	t.Parallel()
	for name, odd := range odd {
		reader, log := logged(t, list(false, object("cs_live_1", "paid"), odd, object("cs_live_2", "paid")))
		var got []string
		err := reader.PaidSessions(t.Context(), now, func(page []store.Paid) error {
			for _, s := range page {
				got = append(got, s.Payment.SessionID)
			}
			return nil
		})
		if err != nil || !slices.Equal(got, []string{"cs_live_1", "cs_live_2"}) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		checkLog(t, name, log, sessionsPath)
		log.Reset()
		found, more, err := reader.Find(t.Context(), email, 3)
		if err != nil || len(found) != 2 || !more {
			t.Errorf("%s: found %+v, more %t, %v", name, found, more, err)
		}
		checkLog(t, name, log, sessionsPath)
	}
	reader, _ := logged(t, list(false, "null"))
	if _, _, err := reader.Find(t.Context(), email, 2); !errors.Is(err, store.StripeFault) {
		t.Errorf("nothing that can be read: %v, want a fault", err)
	}
}

// TestSkippedLoggedOnce per operation, until the number changes.
func TestSkippedLoggedOnce(t *testing.T) {
	t.Parallel()
	reader, log := logged(t, "")
	for _, count := range []int{1, 1, 2, 0, 2, 2} {
		reader.logSkipped(t.Context(), eventsPath, "paid", count)
		reader.logSkipped(t.Context(), eventsPath, "undelivered", 1)
	}
	var counts []string
	for line := range strings.Lines(log.String()) {
		counts = append(counts, strings.TrimSpace(line[strings.Index(line, "count="):]))
	}
	if want := []string{"count=1", "count=1", "count=2", "count=2"}; !slices.Equal(counts, want) {
		t.Errorf("logged %q, want %q", counts, want)
	}
}

func TestUnreadableEventSkipped(t *testing.T) {
	t.Parallel()
	for name, odd := range odd {
		reader, log := logged(t, list(false, paidEvent("evt_1", object("cs_live_1", "paid")), paidEvent("evt_odd", odd), paidEvent("evt_2", object("cs_live_2", "paid"))))
		var got []string
		err := reader.PaidEvents(t.Context(), now, now, func(page []store.Paid) error {
			for _, e := range page {
				got = append(got, e.EventID)
			}
			return nil
		})
		if err != nil || !slices.Equal(got, []string{"evt_1", "evt_2"}) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		checkLog(t, name, log, eventsPath)
	}
}

// TestUnreadableEventProvesNothing: absence from the list proves nothing then.
func TestUnreadableEventProvesNothing(t *testing.T) {
	t.Parallel()
	for name, odd := range map[string]string{
		"null": `null`, "no object": `{"id":"evt_x","data":null}`, "an id that is none": paidEvent("evt_x", `{"id":7}`),
		"an object of text": paidEvent("evt_x", `"cs_live_9"`), "data of text": `{"id":"evt_x","data":"cs_live_9"}`, "an object in a list": paidEvent("evt_x", `[{"id":"cs_live_9"}]`),
		"a type that is none": strings.Replace(paidEvent("evt_x", object("cs_x", "paid")), `"checkout.session.completed"`, `7`, 1),
	} {
		reader, log := logged(t, list(false, odd, paidEvent("evt_1", object("cs_live_1", "paid"))))
		ids, whole, err := reader.Undelivered(t.Context(), now, now)
		if err != nil || whole || !ids["cs_live_1"] || len(ids) != 1 {
			t.Errorf("%s: %v, whole %t, %v", name, ids, whole, err)
		}
		checkLog(t, name, log, eventsPath)
		if got, err := reader.Event(t.Context(), store.Payment{SessionID: liveID, ChargedAt: now}); err != nil || got != (store.Event{}) {
			t.Errorf("%s: %+v, %v; want nothing reported", name, got, err)
		}
		if got, err := reader.Event(t.Context(), store.Payment{SessionID: "cs_live_1", ChargedAt: now}); err != nil || got.State != store.EventPending {
			t.Errorf("%s: %+v, %v; want the other one", name, got, err)
		}
	}
}

// TestOldEventFormat: only the members that are read have to be as expected. Old
// versions of the API wrote request as a string.
func TestOldEventFormat(t *testing.T) {
	t.Parallel()
	event := paidEvent("evt_1", object(liveID, "paid"))
	for _, old := range []string{
		strings.Replace(event, `{"id":null}`, `"req_1"`, 1),
		strings.Replace(event, `"livemode":true`, `"livemode":true,"total_details":[],"shipping_options":"x","expires_at":"soon","url":7`, 1),
	} {
		reader, log := logged(t, list(false, old))
		got, err := reader.Event(t.Context(), store.Payment{SessionID: liveID, ChargedAt: now})
		if err != nil || got.State != store.EventPending || log.Len() > 0 {
			t.Errorf("%+v, %v; logged %q", got, err, log)
		}
		paid := 0
		if err := reader.PaidEvents(t.Context(), now, now, func(page []store.Paid) error { paid += len(page); return nil }); err != nil || paid != 1 || log.Len() > 0 {
			t.Errorf("%s: %d paid, %v; logged %q", old, paid, err, log)
		}
	}
}

// TestPagingAfterUnreadableObject, which may be the last of its page.
func TestPagingAfterUnreadableObject(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ last, after string }{
		"with an id":    {strings.Replace(object("cs_odd", "paid"), `"amount_total":100`, `"amount_total":"100"`, 1), "cs_odd"},
		"without an id": {`null`, "cs_live_1"},
	} {
		reader := serve(t, func(w http.ResponseWriter, r *http.Request) {
			body := list(true, object("cs_live_1", "paid"), c.last)
			if after := r.URL.Query().Get("starting_after"); after == c.after {
				body = list(false, object("cs_live_2", "paid"))
			} else if after != "" {
				t.Errorf("%s: it goes on after %s", name, after)
			}
			_, _ = fmt.Fprint(w, body) // a client that hung up notices by itself
		})
		n := 0
		err := reader.PaidSessions(t.Context(), now, func(page []store.Paid) error { n += len(page); return nil })
		if err != nil || n != 2 {
			t.Errorf("%s: %d sessions, %v", name, n, err)
		}
	}
	for name, body := range map[string]string{"a whole page without ids": list(true, "null"), "no list": `{}`, "null": `null`,
		"data of null": `{"object":"list","has_more":false,"data":null}`, "data of text": `{"data":"x"}`, "an empty page that goes on": list(true),
		"the same page over and over": list(true, object("cs_live_1", "paid"))} {
		err := serve(t, answer(http.StatusOK, body)).PaidSessions(t.Context(), now, func([]store.Paid) error { return nil })
		if !errors.Is(err, store.StripeFault) {
			t.Errorf("%s: %v, want a fault", name, err)
		}
	}
}
