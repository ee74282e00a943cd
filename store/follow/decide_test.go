package follow

import (
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/storetest"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// TestEndOf: a finished file takes precedence over a refund, and that over an operator's
// word.
func TestEndOf(t *testing.T) {
	t.Parallel()
	seen := func(state store.FileState) diagnosis.Evidence {
		status, file := "processing", storetest.File1
		return diagnosis.Evidence{File: store.File{State: state}, Session: store.Session{Webhook: store.Key{Kind: "webhook", Exists: true, Value: store.Value{Status: &status, FileID: &file}}}}
	}
	for name, c := range map[string]struct {
		e       diagnosis.Evidence
		d       diagnosis.Diagnosis
		handled bool
		want    End
		file    string
	}{
		"orphaned":                            {d: diagnosis.Diagnosis{Verdict: diagnosis.VerdictOrphaned}},
		"being made":                          {e: seen(store.FileInProgress), d: diagnosis.Diagnosis{Verdict: diagnosis.VerdictProcessing}},
		"completed":                           {e: seen(store.FileCompleted), d: diagnosis.Diagnosis{Verdict: diagnosis.VerdictCompleted}, want: Ready, file: storetest.File1},
		"completed, its file not seen":        {e: seen(store.FileUnknown), d: diagnosis.Diagnosis{Verdict: diagnosis.VerdictCompleted}},
		"undelivered":                         {d: diagnosis.Diagnosis{Verdict: diagnosis.VerdictUndelivered, Deliver: "f2"}, want: Ready, file: "f2"},
		"unclear, its file finished":          {e: seen(store.FileCompleted), d: diagnosis.Diagnosis{Verdict: diagnosis.VerdictUnclear}},
		"refunded":                            {d: diagnosis.Diagnosis{Verdict: diagnosis.VerdictRefunded}, want: Refunded},
		"refunded and handled":                {d: diagnosis.Diagnosis{Verdict: diagnosis.VerdictRefunded}, handled: true, want: Refunded},
		"handled":                             {d: diagnosis.Diagnosis{Verdict: diagnosis.VerdictOrphaned}, handled: true, want: Handled},
		"handled, then completed":             {e: seen(store.FileCompleted), d: diagnosis.Diagnosis{Verdict: diagnosis.VerdictCompleted}, handled: true, want: Ready, file: storetest.File1},
		"failed, marked as error by a repair": {d: diagnosis.Diagnosis{Verdict: diagnosis.VerdictFailed}},
	} {
		if got, file := EndOf(c.e, c.d, c.handled), FileOf(c.e, c.d); got != c.want || file != c.file {
			t.Errorf("%s: %q with the file %q, want %q with %q", name, got, file, c.want, c.file)
		}
	}
}

// TestDecide: a thread is answered once, with what is news to the person who asked.
func TestDecide(t *testing.T) {
	t.Parallel()
	claimed := func(ago time.Duration) *Answer { return &Answer{End: Ready, Claimed: noon.Add(-ago)} }
	posted := &Answer{End: Handled, Claimed: noon, Posted: noon}
	for name, c := range map[string]struct {
		t      Thread
		end    End
		act    Act
		reason Reason
	}{
		"nothing happened":                  {Thread{}, Open, None, NotEnded},
		"the video is ready":                {Thread{}, Ready, Post, "ready"},
		"refunded":                          {Thread{}, Refunded, Post, "refunded"},
		"handled":                           {Thread{}, Handled, Post, "handled"},
		"ready when asked":                  {Thread{Before: Ready}, Ready, None, KnownThen},
		"ready when asked, refunded later":  {Thread{Before: Ready}, Refunded, None, KnownThen},
		"refunded when asked, ready later":  {Thread{Before: Refunded}, Ready, None, KnownThen},
		"handled when asked":                {Thread{Before: Handled}, Handled, None, KnownThen},
		"handled when asked, ready later":   {Thread{Before: Handled}, Ready, Post, "ready"},
		"handled when asked, open again":    {Thread{Before: Handled}, Open, None, NotEnded},
		"answered":                          {Thread{Answer: posted}, Handled, None, Answered},
		"answered, and ended otherwise":     {Thread{Answer: posted}, Ready, None, Answered},
		"just claimed":                      {Thread{Answer: claimed(claimLife - time.Second)}, Ready, None, BeingPosted},
		"claimed by a process that died":    {Thread{Answer: claimed(claimLife)}, Ready, Find, NotConfirmed},
		"claimed, and not ended any more":   {Thread{Answer: claimed(claimLife)}, Open, Find, NotConfirmed},
		"refused a moment ago":              {Thread{Tries: 1, NextTry: noon.Add(time.Second)}, Ready, None, RetriedLater},
		"refused, and it is time once more": {Thread{Tries: 1, NextTry: noon}, Ready, Post, "ready"},
	} {
		if act, reason := Decide(c.t, c.end, noon); act != c.act || reason != c.reason {
			t.Errorf("%s: %d (%s), want %d (%s)", name, act, reason, c.act, c.reason)
		}
	}
}

// TestAwaited: no answer is to follow if the end is known, or without an order.
func TestAwaited(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verdict diagnosis.Verdict
		end     End
		want    bool
	}{
		{diagnosis.VerdictOrphaned, Open, true}, {diagnosis.VerdictOrphaned, Handled, true}, {diagnosis.VerdictProcessing, Open, true}, {diagnosis.VerdictUnpaid, Open, true},
		{diagnosis.VerdictCompleted, Ready, false}, {diagnosis.VerdictRefunded, Refunded, false}, {diagnosis.VerdictNotFound, Open, false}, {diagnosis.VerdictAbandoned, Open, false},
	} {
		if got := Awaited(c.verdict, c.end); got != c.want {
			t.Errorf("%s, %q: %v", c.verdict, c.end, got)
		}
	}
}

// threadOf is a thread with a question.
func threadOf(ts string, answer *Answer) Thread {
	return Thread{Message: store.Message{Channel: "C1", TS: ts}, By: "U1", At: noon, Answer: answer}
}

// TestAsk: a thread is followed once at a time, and so many threads at most.
func TestAsk(t *testing.T) {
	t.Parallel()
	var s Session
	ask := func(name, ts string, want bool, wantErr error) {
		t.Helper()
		if added, err := s.Ask(threadOf(ts, nil)); added != want || err != wantErr { //nolint:errorlint // it is returned as it is
			t.Errorf("%s: %v, %v", name, added, err)
		}
	}
	ask("the first", "0", true, nil)
	ask("the same again", "0", false, nil)
	s.Threads[0].Answer = &Answer{Claimed: noon}
	ask("while it is being answered", "0", false, nil)
	s.Threads[0].Answer.Posted = noon
	ask("after it was answered", "0", true, nil)
	for n := range maxThreads - 1 {
		ask("another", string(rune('a'+n)), true, nil)
	}
	ask("one too many", "z", false, ErrFull)
	s.Threads[3].Answer = &Answer{Posted: noon}
	ask("in place of one that was answered", "z", true, nil)
	if len(s.Threads) != maxThreads || s.Threads[3].Message.TS != "z" || s.Threads[3].Answer != nil {
		t.Errorf("followed: %+v", s.Threads)
	}
}

// TestInform: of the last answer, once; a later answer is news again.
func TestInform(t *testing.T) {
	t.Parallel()
	s := Session{Threads: []Thread{threadOf("1", nil), threadOf("2", &Answer{End: Ready, Claimed: noon})}}
	if s.Inform("U1", noon) || s.Informed != nil {
		t.Errorf("informed before anything was posted: %+v", s.Informed)
	}
	s.Threads[0].Answer = &Answer{End: Handled, Posted: noon}
	if a := s.Uninformed(); a == nil || a.End != Handled {
		t.Errorf("not informed of %+v", a)
	}
	if !s.Inform("U1", noon) || s.Inform("U2", noon.Add(time.Second)) || *s.Informed != (Informed{By: "U1", At: noon, End: Handled}) || s.Uninformed() != nil {
		t.Errorf("informed: %+v", s.Informed)
	}
	s.Threads[1].Answer.Posted = noon.Add(time.Hour)
	if a := s.Uninformed(); a == nil || a.End != Ready {
		t.Errorf("not informed of %+v", a)
	}
	if s.InformedOf(*s.Threads[0].Answer) == nil || s.InformedOf(*s.Threads[1].Answer) != nil {
		t.Error("who informed of what is mixed up")
	}
	if !s.Inform("U2", noon.Add(2*time.Hour)) || s.Informed.By != "U2" {
		t.Errorf("informed: %+v", s.Informed)
	}
}
