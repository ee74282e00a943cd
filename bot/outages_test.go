package bot_test

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/superduperai/sessionbot"
	"github.com/superduperai/sessionbot/bot"
	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store/rdb"
)

// outageAlerts are the alerts of one replica in a workspace.
func outageAlerts(t *testing.T, ws *workspace.Server) bot.Alerts {
	t.Helper()
	b, err := bot.New(bot.Config{
		AppToken: ws.AppToken(), BotToken: ws.BotToken(), APIURL: ws.APIURL(), Timings: quick, Deadlines: bot.NewDeadlines(patient),
		Processes: singleProcess{}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	testenv.Must(t, err)
	return bot.Alerts{Bot: b, Channel: "C0ALERTS", Mention: "U0ONCALL"}
}

func alertWorkspace(t *testing.T) *workspace.Server {
	t.Helper()
	ws, err := workspace.Start(workspace.Config{Addr: "127.0.0.1:0", Manifest: sessionbot.Manifest})
	testenv.Must(t, err)
	t.Cleanup(func() { _ = ws.Close() }) // nothing hangs on it any more
	return ws
}

// TestOutageNotesOfReplicas: of notes that are posted at the same moment one stays,
// every replica finds it, and it is resolved in place.
func TestOutageNotesOfReplicas(t *testing.T) {
	t.Parallel()
	ws := alertWorkspace(t)
	first, second := outageAlerts(t, ws), outageAlerts(t, ws)
	since := time.Now().Add(-time.Minute).Truncate(time.Second)
	o := watch.Outage{Since: since, Cause: rdb.ErrNoAnswer}
	var posting sync.WaitGroup
	for _, a := range []bot.Alerts{first, second} {
		posting.Go(func() {
			if _, err := a.PostOutage(t.Context(), o); err != nil {
				t.Error(err)
			}
		})
	}
	posting.Wait()
	channel := wstest.New(t, ws.URL(), ws.ControlKey()).As("U0ONCALL").In("C0ALERTS")
	var open watch.Outage
	for _, a := range []bot.Alerts{first, second} {
		var found bool
		var err error
		if open, found, err = a.FindOutage(t.Context()); err != nil || !found || !open.Since.Equal(since) {
			t.Fatalf("found %t %+v, %v", found, open, err)
		}
	}
	shown := func() (texts []string) {
		for _, m := range channel.All() {
			if !m.Deleted {
				texts = append(texts, m.Text)
			}
		}
		return texts
	}
	if texts := shown(); len(texts) != 1 || !strings.Contains(texts[0], "Redis has been unavailable since") ||
		!strings.Contains(texts[0], "Redis did not answer") || !strings.Contains(texts[0], "<@U0ONCALL>") {
		t.Fatalf("shown: %q", texts)
	}
	open.Until = since.Add(270 * time.Second)
	testenv.Must(t, second.ResolveOutage(t.Context(), open))
	if texts := shown(); len(texts) != 1 || !strings.Contains(texts[0], "Redis is available again after 4 min.") {
		t.Errorf("shown: %q", texts)
	}
	if _, found, err := first.FindOutage(t.Context()); err != nil || found {
		t.Errorf("a resolved note is found: %t, %v", found, err)
	}
}

// TestStaleOutageNotes: neither a note that can no longer be resolved nor one of another
// day prevents a new one.
func TestStaleOutageNotes(t *testing.T) {
	t.Parallel()
	ws := alertWorkspace(t)
	a := outageAlerts(t, ws)
	_, err := a.PostOutage(t.Context(), watch.Outage{Since: time.Now().Add(-25 * time.Hour)})
	testenv.Must(t, err)
	if _, found, err := a.FindOutage(t.Context()); err != nil || found {
		t.Errorf("yesterday's note is found: %t, %v", found, err)
	}
	gone := watch.Outage{Since: time.Now(), Until: time.Now()}
	gone.Note.TS = "1.000001" // Slack lets nobody change it
	testenv.Must(t, a.ResolveOutage(t.Context(), gone))
	channel := wstest.New(t, ws.URL(), ws.ControlKey()).As("U0ONCALL").In("C0ALERTS")
	if all := channel.All(); len(all) != 2 || !strings.Contains(all[1].Text, "available again") {
		t.Errorf("shown: %+v", all)
	}
}

// TestOutageNotesOutOfReach: a lasting refusal of the channel is distinguished from one that may
// go away.
func TestOutageNotesOutOfReach(t *testing.T) {
	t.Parallel()
	ws := alertWorkspace(t)
	a := outageAlerts(t, ws)
	a.Channel = "C0NOWHERE"
	if _, _, err := a.FindOutage(t.Context()); !errors.Is(err, watch.ErrHistoryForbidden) {
		t.Errorf("no such channel: %v", err)
	}
	_ = ws.Close() // on purpose
	var failure *watch.DeliveryError
	if _, _, err := a.FindOutage(t.Context()); !errors.As(err, &failure) || failure.NeedsPerson {
		t.Errorf("no answer: %v", err)
	}
}
