package payments

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"time"

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
	if err := r.backend.CallRaw(http.MethodGet, path, r.key, query, params.GetParams(), &p); err != nil {
		return page{}, classify(err)
	}
	if p.Data == nil {
		return page{}, fault("the answer is not a list")
	}
	return p, nil
}

// read passes on the objects of a list page by page, until turn returns false or
// an error. Objects that parse cannot read are skipped, and their number is
// logged and returned: they would hold up all others for ever. timeout is that
// of a context without a deadline.
func (r *Reader) read(ctx context.Context, timeout time.Duration, operation, path string, params listParams,
	parse func(json.RawMessage) error, turn func(hasMore bool) (more bool, err error)) (skipped int, err error) {
	if err := r.checkKey(""); err != nil {
		return 0, err
	}
	defer func() { r.logSkipped(ctx, path, operation, skipped) }()
	limited, cancel := withDefaultTimeout(ctx, timeout)
	defer cancel()
	params.GetListParams().Context = limited
	for {
		p, err := r.page(path, params)
		if err != nil {
			return skipped, err
		}
		for _, raw := range p.Data {
			if parse(raw) != nil {
				skipped++
			}
		}
		if more, err := turn(p.HasMore); err != nil || !more || !p.HasMore {
			return skipped, err
		}
		last := p.lastID()
		switch {
		case last == "":
			return skipped, fault("the list continues after an object without an id")
		case last == stripe.StringValue(params.GetListParams().StartingAfter):
			return skipped, fault("the list repeats the previous page") // for ever
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
