package payments

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/form"
)

const (
	sessionsPath = "/v1/checkout/sessions"
	eventsPath   = "/v1/events"
)

// page is a page of a list. Its objects are decoded one by one: stripe-go decodes
// all of them at once, and an unreadable one would hide the others for ever.
type page struct {
	stripe.APIResource
	Data    []json.RawMessage `json:"data"`
	HasMore bool              `json:"has_more"`
}

// listParams are the parameters of any list.
type listParams interface {
	stripe.ParamsContainer
	stripe.ListParamsContainer
}

// page requests one page of a list.
func (r *Reader) page(path string, params listParams) (page, error) {
	query := &form.Values{}
	form.AppendTo(query, params)
	var p page
	if err := r.api.Events.B.CallRaw(http.MethodGet, path, r.key, query, params.GetParams(), &p); err != nil {
		return page{}, classify(err)
	}
	if p.Data == nil {
		return page{}, fault("the answer is no list")
	}
	return p, nil
}

// pages passes on a list page by page until each returns false or an error.
func (r *Reader) pages(path string, params listParams, each func(page) (more bool, err error)) error {
	for {
		p, err := r.page(path, params)
		if err != nil {
			return err
		}
		if more, err := each(p); err != nil || !more || !p.HasMore {
			return err
		}
		last := p.lastID()
		if last == "" {
			return fault("the list goes on after an object without an id")
		}
		params.GetListParams().StartingAfter = stripe.String(last)
	}
}

// lastID returns the id after which the list goes on, "" if no object has one.
func (p page) lastID() string {
	for _, raw := range slices.Backward(p.Data) {
		if id := idOf(raw); id != "" {
			return id
		}
	}
	return ""
}

// idOf returns the id of an object, "" if it has none.
func idOf(raw json.RawMessage) string {
	var object struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &object) != nil {
		return ""
	}
	return object.ID
}

// logSkipped logs how many objects of a list could not be read. The same count as
// the last time is logged for debugging only: the watch reads the same objects
// again on every pass.
func (r *Reader) logSkipped(ctx context.Context, path, operation string, count int) {
	before, _ := r.skipped.Swap(operation, count)
	if count == 0 {
		return
	}
	level := slog.LevelWarn
	if before == count {
		level = slog.LevelDebug
	}
	r.log.Log(ctx, level, "unreadable objects in a Stripe list skipped", "list", path, "count", count)
}
