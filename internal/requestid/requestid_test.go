package requestid_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"regexp"
	"testing"

	"github.com/superduperai/sessionbot/internal/requestid"
)

func TestNew(t *testing.T) {
	t.Parallel()
	a, b := requestid.New(), requestid.New()
	if !regexp.MustCompile(`^[a-z2-7]{4}-[a-z2-7]{2}$`).MatchString(a) || a == b {
		t.Errorf("%s, %s", a, b)
	}
}

// TestHandler: a record carries the id once, even if it was added twice.
func TestHandler(t *testing.T) {
	t.Parallel()
	served := requestid.NewContext(context.Background(), "k3f9-2d")
	for _, c := range []struct {
		name string
		log  func(*slog.Logger)
		want any
	}{
		{"under the request's context", func(l *slog.Logger) { l.InfoContext(served, "x") }, "k3f9-2d"},
		{"under a part of it", func(l *slog.Logger) { l.With("a", 1).InfoContext(context.WithoutCancel(served), "x") }, "k3f9-2d"},
		{"named already", func(l *slog.Logger) { l.InfoContext(served, "x", "ref", "other") }, "other"},
		{"named before", func(l *slog.Logger) { l.With("ref", "other").InfoContext(served, "x") }, "other"},
		{"about no request", func(l *slog.Logger) { l.InfoContext(context.Background(), "x") }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			c.log(slog.New(requestid.NewHandler(slog.NewJSONHandler(&out, nil))))
			var line map[string]any
			if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["ref"] != c.want || bytes.Count(out.Bytes(), []byte(`"ref"`)) > 1 {
				t.Errorf("%s: %v", out.Bytes(), err)
			}
		})
	}
}
