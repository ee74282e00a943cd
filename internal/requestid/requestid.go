// Package requestid identifies a request from its envelope to its reply: a short
// id, on every log line about the request and in what people see.
package requestid

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
)

// New returns an id short enough to read out, such as k3f9-2d.
func New() string {
	text := strings.ToLower(rand.Text())
	return text[:4] + "-" + text[4:6]
}

type contextKey struct{}

// NewContext returns a copy of ctx that carries the request's id.
func NewContext(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, contextKey{}, id)
}

// FromContext returns the id of the request that ctx belongs to, "" if there is
// none.
func FromContext(ctx context.Context) string {
	id, _ := ctx.Value(contextKey{}).(string)
	return id
}

// attrKey is the attribute that carries the id on a log line.
const attrKey = "ref"

// NewHandler returns a handler that adds the context's request id to every
// record that does not carry one already.
func NewHandler(next slog.Handler) slog.Handler { return handler{next, false} }

type handler struct {
	slog.Handler
	hasID bool
}

// Handle implements [slog.Handler].
func (h handler) Handle(ctx context.Context, record slog.Record) error {
	if id := FromContext(ctx); id != "" && !h.hasID && !hasID(record) {
		record = record.Clone()
		record.AddAttrs(slog.String(attrKey, id))
	}
	return h.Handler.Handle(ctx, record)
}

func hasID(record slog.Record) bool {
	found := false
	record.Attrs(func(a slog.Attr) bool {
		found = a.Key == attrKey
		return !found
	})
	return found
}

// WithAttrs implements [slog.Handler].
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		h.hasID = h.hasID || a.Key == attrKey
	}
	return handler{h.Handler.WithAttrs(attrs), h.hasID}
}

// WithGroup implements [slog.Handler].
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.hasID}
}
