package superduper

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/superduperai/sessionbot/store"
)

// SessionStatus asks the site for a session's status (webhook-status). The token
// of the API is not sent there.
func (c *Client) SessionStatus(ctx context.Context, id string) (store.Site, error) {
	if id == "" || id == "." || id == ".." || len(id) > 200 { // another path, or no id
		return store.Site{}, &Error{Kind: Rejected, Err: errors.New("not an id")}
	}
	raw, err := c.call(ctx, http.MethodGet, c.site+"/api/webhook-status/"+url.PathEscape(id), nil, "")
	if err != nil {
		return store.Site{}, err
	}
	status, err := parseSessionStatus(raw)
	if err != nil {
		return store.Site{}, &Error{Kind: Malformed, Status: http.StatusOK, Err: err}
	}
	return status, nil
}

// parseSessionStatus reads the site's answer. A session that it does not know is
// answered as pending, too; only a known one has the member prompt, be it null.
func parseSessionStatus(raw []byte) (store.Site, error) {
	members, err := object(raw)
	if err != nil {
		return store.Site{}, err
	}
	status, ok := nullable(members["status"])
	if !ok {
		return store.Site{}, errors.New("status is not a string")
	}
	file, ok := nullable(members["fileId"])
	if !ok || len(file) > 200 {
		return store.Site{}, errors.New("fileId is not an id")
	}
	_, known := members["prompt"]
	return store.Site{
		Found:  status != "pending" || known || file != "",
		Status: clean(status, 40),
		FileID: clean(file, 200),
	}, nil
}
