package superduper

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// WebhookStatus is what the site tells the customer's page of a session.
type WebhookStatus struct {
	Found  bool   // false: "not found or processing not yet started"
	Status string // as answered, 40 runes at most; empty where an old repair left none
	FileID string // empty = none
	Error  string // the site's words for the customer, 300 runes at most
}

// WebhookStatus asks the site for a session's status. The token of the API is
// not sent there.
func (c *Client) WebhookStatus(ctx context.Context, id string) (WebhookStatus, error) {
	segment, err := escape(id)
	if err != nil {
		return WebhookStatus{}, err
	}
	raw, err := c.call(ctx, http.MethodGet, c.site+"/api/webhook-status/"+segment, nil, "")
	if err != nil {
		return WebhookStatus{}, err
	}
	status, err := parseWebhookStatus(raw)
	if err != nil {
		return WebhookStatus{}, &Error{Kind: Malformed, Status: http.StatusOK, Err: err}
	}
	return status, nil
}

// parseWebhookStatus reads the site's answer. A session that it does not know
// is answered as pending, too; what tells them apart is that a known one has
// the member prompt, be it null.
func parseWebhookStatus(raw []byte) (WebhookStatus, error) {
	members, err := object(raw)
	if err != nil {
		return WebhookStatus{}, err
	}
	status, ok := nullable(members["status"])
	if !ok {
		return WebhookStatus{}, errors.New("status is not a string")
	}
	file, ok := nullable(members["fileId"])
	if !ok || len(file) > 200 {
		return WebhookStatus{}, errors.New("fileId is not an id")
	}
	_, prompted := members["prompt"]
	return WebhookStatus{
		Found:  status != "pending" || prompted || file != "",
		Status: clean(status, 40),
		FileID: clean(file, 200),
		Error:  clean(text(members["error"]), 300),
	}, nil
}

// nullable reads a string that may be null or absent; ok is false for another
// type.
func nullable(raw json.RawMessage) (s string, ok bool) {
	return s, len(raw) == 0 || json.Unmarshal(raw, &s) == nil
}
