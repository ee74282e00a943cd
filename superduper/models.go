package superduper

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// Models lists the names of the models. complete is false if the API
// returned one page of several.
func (c *Client) Models(ctx context.Context) (names []string, complete bool, err error) {
	raw, err := c.call(ctx, http.MethodGet, c.base+"/api/v1/generation-config", nil, c.token)
	if err != nil {
		return nil, false, err
	}
	names, complete, err = parseModels(raw)
	if err != nil {
		return nil, false, &Error{Kind: Malformed, Status: http.StatusOK, Err: err}
	}
	return names, complete, nil
}

// parseModels reads a list of objects with a name, bare or as the items of a page.
func parseModels(raw []byte) (names []string, complete bool, err error) {
	var list []struct {
		Name string `json:"name"`
	}
	complete = json.Unmarshal(raw, &list) == nil
	if !complete {
		members, err := object(raw)
		if err != nil {
			return nil, false, err
		}
		if json.Unmarshal(members["items"], &list) != nil {
			return nil, false, errors.New("no list of models")
		}
	}
	for _, model := range list {
		names = append(names, clean(model.Name, 100))
	}
	return names, complete, nil
}
