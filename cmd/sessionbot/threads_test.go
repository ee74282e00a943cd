package main

import (
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/internal/workspace/wstest"
	"github.com/superduperai/sessionbot/store"
)

const customersAddress = "ann@example.com"

// TestThreadsStory: two replicas answer once in each thread with a question, also
// after a restart, and never with the customer's address. That the customer was informed is
// ticked in one thread, shown in all, and on record; the digest lists who was not.
func TestThreadsStory(t *testing.T) {
	t.Parallel()
	s := watched(newStage(t))
	s.env["OPERATORS"] = "S0OPS"
	first := s.replicas()
	for n := range 2 {
		s.stored(watchID(n), pastGrace())
		sale := paid(watchID(n), pastGrace(), store.EventDelivered)
		sale.Email = customersAddress
		s.stripe.Put(sale)
	}
	sam, lea := s.workspace.As("U0SUPPORT"), s.workspace.As("U0LEAD")
	here, alerts := sam.In("C0SUPPORT"), lea.In("C0ALERTS")
	alert := alerts.ExpectMessage(containing("paid session"))
	if !containing(watchID(0), watchID(1))(alert) {
		alert = alerts.ExpectUpdate(alert, containing(watchID(0), watchID(1)))
	}
	asks := func(n int) wstest.Message {
		t.Helper()
		ts, err := s.server.Write("U0SUPPORT", "C0SUPPORT", "", "<@U0BOT> what about "+watchID(n)+"?")
		if err != nil {
			t.Fatal(err)
		}
		here.ExpectMessage(all(inThread(wstest.Message{TS: ts}), withText("Orphaned: paid, but no video was started.")))
		return here.ExpectMessage(func(m wstest.Message) bool { return m.TS == ts })
	}
	asked, other := asks(0), asks(1)
	here.Type("/session debug " + watchID(0))
	here.Click(here.ExpectMessage(containing(customersAddress)), "session.share")
	shared := here.ExpectMessage(containing("shared by"))

	if code := first.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	s.files.Put("6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013", store.FileCompleted)
	s.webhook(watchID(0), store.StatusCompleted)
	ready := containing("Video ready: ", "U0SUPPORT", "Your video is ready: ", "customer.informed")
	answer := here.ExpectMessage(all(inThread(asked), ready))
	again := here.ExpectMessage(all(inThread(shared), ready))
	alert = alerts.ExpectUpdate(alert, containing("1 webhook came late"))
	alerts.Choose(alert, "session.menu", "dismiss:"+watchID(1))
	alerts.ExpectMessage(containing("Handled: "))
	handled := here.ExpectMessage(all(inThread(other), containing("Handled elsewhere: ", "U0LEAD", "We have taken care of your order.")))
	alerts.ExpectUpdate(alert, containing("Resolved after"))

	here.Click(answer, "customer.informed")
	ticked := func(m wstest.Message) bool {
		return containing("Customer informed by", "U0SUPPORT")(m) && !containing("customer.informed")(m)
	}
	answer = here.ExpectUpdate(answer, ticked)
	again = here.ExpectUpdate(again, ticked)
	if code := s.bot.stop(); code != 0 {
		t.Errorf("asked to stop, it exited with %d", code)
	}
	digestNow(s)
	s.startBot()
	digest := alerts.ExpectMessage(containing("Digest of", "1 customer not informed yet"))
	if id := watchID(1); !containing(id[len(id)-4:], "handled elsewhere")(digest) {
		t.Errorf("the digest lists %s", digest.Text)
	}
	s.workspace.ExpectNothingElse()
	if history := s.ask("/session history " + watchID(0)); !strings.Contains(history.Text, "customer informed, by @U0SUPPORT") {
		t.Errorf("on record is %s", history.Text)
	}
	for _, m := range []wstest.Message{answer, again, handled, shared, digest} {
		if strings.Contains(m.Text+string(m.Blocks), customersAddress) {
			t.Errorf("others read an address: %s", m)
		}
	}
	s.expectCleanLog(customersAddress)
}
