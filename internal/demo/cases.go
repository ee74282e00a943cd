package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// Case is one row of a decision table in JSON: a session and what is expected
// of its diagnosis.
type Case struct {
	Name      string
	ID        string
	Redis     map[string]Value
	StripeKey bool // a key is configured
	Expect    Expect

	stripe, file json.RawMessage
}

// Expect is what a case's diagnosis has to be.
type Expect struct {
	Verdict diagnosis.Verdict  `json:"verdict"`
	Layout  store.Layout       `json:"layout"`
	Payment store.PaymentState `json:"payment"`
	Allowed []store.Action     `json:"allowed"`
}

var (
	textTime = regexp.MustCompile(`\{\{-([0-9a-z]+)\}\}`)
	unixTime = regexp.MustCompile(`"\{\{unix-([0-9a-z]+)\}\}"`)
)

// Cases reads a decision table, in which {{-14m}} stands for the time fourteen
// minutes before now and "{{unix-14m}}" for the same in Unix seconds. A value
// of Redis is a text, or {"@hash": {…}}.
func Cases(table []byte, now time.Time) ([]Case, error) {
	var wrong error
	replace := func(pattern *regexp.Regexp, text []byte, format func(time.Time) string) []byte {
		return pattern.ReplaceAllFunc(text, func(match []byte) []byte {
			text := string(pattern.FindSubmatch(match)[1])
			days, err := strconv.Atoi(strings.TrimSuffix(text, "d"))
			age := time.Duration(days) * 24 * time.Hour
			if !strings.HasSuffix(text, "d") {
				age, err = time.ParseDuration(text)
			}
			if err != nil {
				wrong = err
			}
			return []byte(format(now.Add(-age)))
		})
	}
	table = replace(unixTime, table, func(at time.Time) string { return fmt.Sprint(at.Unix()) })
	table = replace(textTime, table, func(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") })
	if wrong != nil {
		return nil, fmt.Errorf("decision table: %w", wrong)
	}
	var read struct {
		Cases []struct {
			Name   string                     `json:"name"`
			ID     string                     `json:"id"`
			Redis  map[string]json.RawMessage `json:"redis"`
			Stripe json.RawMessage            `json:"stripe"`
			File   json.RawMessage            `json:"file"`
			Expect Expect                     `json:"expect"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(table, &read); err != nil {
		return nil, fmt.Errorf("decision table: %w", err)
	}
	cases := make([]Case, 0, len(read.Cases))
	for _, row := range read.Cases {
		c := Case{
			Name: row.Name, ID: row.ID, Redis: map[string]Value{}, Expect: row.Expect,
			StripeKey: string(row.Stripe) != "null", stripe: row.Stripe, file: row.File,
		}
		for key, raw := range row.Redis {
			v, err := caseValue(raw)
			if err != nil {
				return nil, fmt.Errorf("decision table: %s: %s: %w", row.Name, key, err)
			}
			c.Redis[key] = v
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func caseValue(raw json.RawMessage) (Value, error) {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return Value{Text: text}, nil
	}
	var other struct {
		Hash map[string]string `json:"@hash"`
	}
	err := json.Unmarshal(raw, &other)
	return Value{Hash: other.Hash}, err
}

// Example is the case as far as Load needs it.
func (c Case) Example() Example {
	return Example{ID: c.ID, Title: c.Name, Redis: c.Redis, Verdict: c.Expect.Verdict}
}

// Put puts the payment and the file of the case into the fakes. Its file's id is read off
// the values in Redis where the table does not name it.
func (c Case) Put(stripe *Stripe, files *SuperDuper) error {
	if err := c.putPayment(stripe); err != nil {
		return fmt.Errorf("%s: stripe: %w", c.Name, err)
	}
	if err := c.putFile(files); err != nil {
		return fmt.Errorf("%s: file: %w", c.Name, err)
	}
	return nil
}

func (c Case) putPayment(stripe *Stripe) error {
	switch string(c.stripe) {
	case "", "null", `"missing"`:
		return nil
	case `"unavailable"`:
		stripe.BreakFor(c.ID, Fault{Status: http.StatusServiceUnavailable, Body: `{"error":{"type":"api_error"}}`})
		return nil
	}
	var s struct {
		Status         string  `json:"status"`
		PaymentStatus  string  `json:"payment_status"`
		AmountTotal    int64   `json:"amount_total"`
		Currency       string  `json:"currency"`
		Created        int64   `json:"created"`
		CustomerEmail  *string `json:"customer_email"`
		AmountRefunded int64   `json:"amount_refunded"`
		ChargeCreated  int64   `json:"charge_created"`
	}
	if err := json.Unmarshal(c.stripe, &s); err != nil {
		return err
	}
	cs := CheckoutSession{
		ID: c.ID, Status: s.Status, PaymentStatus: s.PaymentStatus, Amount: s.AmountTotal, Currency: s.Currency,
		Refunded: s.AmountRefunded, Created: time.Unix(s.Created, 0),
	}
	if s.ChargeCreated != 0 {
		cs.ChargedAt = time.Unix(s.ChargeCreated, 0)
	}
	if s.CustomerEmail != nil {
		cs.Email = *s.CustomerEmail
	}
	stripe.Put(cs)
	return nil
}

func (c Case) putFile(files *SuperDuper) error {
	switch string(c.file) {
	case "", "null", `"missing"`:
		return nil
	case `"unavailable"`:
		for _, id := range c.fileIDs() {
			files.BreakFor(id, Fault{Status: http.StatusInternalServerError, Body: "Internal Server Error"})
		}
		return nil
	}
	var f struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(c.file, &f); err != nil {
		return err
	}
	files.PutAnswer(f.ID, c.file)
	return nil
}

// fileIDs are those that the values in Redis name.
func (c Case) fileIDs() []string {
	var ids []string
	for _, v := range c.Redis {
		var named struct {
			FileID string `json:"fileId"`
		}
		if json.Unmarshal([]byte(v.Text), &named) == nil && named.FileID != "" {
			ids = append(ids, named.FileID)
		}
	}
	return ids
}
