package demo

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// Example is a session as Redis, Stripe and SuperDuperAI hold it, with the
// verdict that is to be expected of it.
type Example struct {
	ID      string
	Title   string           // what happened, in a few words; empty for one among many
	Redis   map[string]Value // by key; what is not there is missing
	Payment *CheckoutSession // nil = Stripe does not know it
	FileID  string           // empty = none was started
	File    store.FileState  // of FileID
	Verdict diagnosis.Verdict
}

// Value is what one Redis key holds: a text, or a hash where there is one.
type Value struct {
	Text string
	Hash map[string]string
	Age  time.Duration // since the last write
}

// story is what an example is made of.
type story struct {
	number  int
	title   string
	mode    string // live or test
	email   string
	prompt  string
	tool    tool
	kind    string // empty = text-to-video
	now     time.Time
	age     time.Duration // since the payment
	payment payment
	status  store.Status // empty = no webhook came
	since   time.Duration
	error   string // the customer's sentence, with status error
	file    store.FileState
	verdict diagnosis.Verdict
}

// payment is how it went with the money.
type payment struct {
	status, paymentStatus string
	amount, refunded      int64
	event                 store.EventState
	missing               bool // Stripe does not know the session
}

// tool is the page of the site on which a session was begun.
type tool struct{ slug, title string }

// The values as the product lays them out.
type (
	promptValue struct {
		Prompt    string `json:"prompt"`
		Timestamp string `json:"timestamp"`
	}
	statusValue struct {
		Status    store.Status `json:"status"`
		FileID    string       `json:"fileId,omitempty"`
		Error     string       `json:"error,omitempty"`
		Timestamp string       `json:"timestamp"`
		ToolSlug  string       `json:"toolSlug"`
		ToolTitle string       `json:"toolTitle"`
	}
	mappingValue struct {
		FileID    string `json:"fileId,omitempty"`
		Timestamp string `json:"timestamp"`
	}
	fullValue struct {
		Prompt     *string      `json:"prompt"`
		VideoCount int          `json:"videoCount"`
		Duration   int          `json:"duration"`
		Resolution string       `json:"resolution"`
		Style      string       `json:"style"`
		ToolSlug   string       `json:"toolSlug"`
		ToolTitle  string       `json:"toolTitle"`
		CreatedAt  string       `json:"createdAt"`
		Status     store.Status `json:"status"`
		FileID     string       `json:"fileId,omitempty"`
		Error      string       `json:"error,omitempty"`
		Timestamp  string       `json:"timestamp"`

		GenerationType string `json:"generationType,omitempty"`
	}
)

// checkout is the time that a customer spends on Stripe's page.
const checkout = 40 * time.Second

// threeKey returns the example in the three-key layout.
func (s story) threeKey() Example {
	e := s.example()
	stored := s.age + checkout
	e.Redis["prompt:"+e.ID] = value(promptValue{s.prompt, s.ago(stored)}, stored)
	if s.status != "" {
		e.Redis["webhook:"+e.ID] = value(statusValue{
			Status: s.status, FileID: e.FileID, Error: s.error, Timestamp: s.ago(s.since),
			ToolSlug: s.tool.slug, ToolTitle: s.tool.title,
		}, s.since)
		e.Redis["session:"+e.ID] = value(mappingValue{e.FileID, s.ago(s.since)}, s.since)
	}
	return e
}

// oneKey returns the example in the one-key layout.
func (s story) oneKey() Example {
	e := s.example()
	status, since := s.status, s.since
	if status == "" {
		status, since = store.StatusPending, s.age+checkout
	}
	e.Redis["session:"+e.ID] = value(fullValue{
		Prompt: &s.prompt, VideoCount: 1, Duration: 8, Resolution: "1280x720", Style: "cinematic",
		ToolSlug: s.tool.slug, ToolTitle: s.tool.title, CreatedAt: s.ago(s.age + checkout),
		Status: status, FileID: e.FileID, Error: s.error, Timestamp: s.ago(since), GenerationType: s.kind,
	}, since)
	return e
}

// example is what both layouts have in common.
func (s story) example() Example {
	e := Example{
		ID: sessionID(s.mode, s.number), Title: s.title, Redis: map[string]Value{},
		File: s.file, Verdict: s.verdict,
	}
	if s.file != store.FileNone {
		e.FileID = fileID("file of " + e.ID)
	}
	if !s.payment.missing {
		e.Payment = &CheckoutSession{
			ID: e.ID, Status: s.payment.status, PaymentStatus: s.payment.paymentStatus,
			Amount: s.payment.amount, Refunded: s.payment.refunded, Currency: "usd", Email: s.email,
			Created: s.now.Add(-s.age - checkout), ChargedAt: s.now.Add(-s.age),
			VideoCount: 1, Event: s.payment.event,
		}
		if s.payment.status != "complete" {
			e.Payment.Email = "" // Stripe has it once the form is sent
		}
	}
	return e
}

func (s story) ago(age time.Duration) string {
	return s.now.Add(-age).UTC().Format("2006-01-02T15:04:05.000Z")
}

// value encodes one as the site does, which escapes no HTML.
func value(v any, age time.Duration) Value {
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // only the types above are encoded
	}
	return Value{Text: strings.TrimSuffix(text.String(), "\n"), Age: age}
}
