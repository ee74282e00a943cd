// Package refs names a request, from the envelope to the reply: one short name,
// on every line of the log that is about it and in what people see.
package refs

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
)

// New is a name short enough to read out, such as k3f9-2d.
func New() string {
	text := strings.ToLower(rand.Text())
	return text[:4] + "-" + text[4:6]
}

type key struct{}

// With names the request that is served under ctx.
func With(ctx context.Context, ref string) context.Context {
	return context.WithValue(ctx, key{}, ref)
}

// Of is the name of the request that is served under ctx, "" = none.
func Of(ctx context.Context) string {
	ref, _ := ctx.Value(key{}).(string) // nil where nothing is served
	return ref
}

// attribute is what the name is called on a line of the log.
const attribute = "ref"

// Log puts the name on every line that is logged under the request's context,
// unless somebody did already.
func Log(next slog.Handler) slog.Handler { return handler{next, false} }

type handler struct {
	slog.Handler
	named bool
}

// Handle is slog.Handler's.
func (h handler) Handle(ctx context.Context, line slog.Record) error {
	if name := Of(ctx); name != "" && !h.named && !names(line) {
		line = line.Clone()
		line.AddAttrs(slog.String(attribute, name))
	}
	return h.Handler.Handle(ctx, line)
}

func names(line slog.Record) bool {
	found := false
	line.Attrs(func(a slog.Attr) bool {
		found = a.Key == attribute
		return !found
	})
	return found
}

// WithAttrs is slog.Handler's.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		h.named = h.named || a.Key == attribute
	}
	return handler{h.Handler.WithAttrs(attrs), h.named}
}

// WithGroup is slog.Handler's.
func (h handler) WithGroup(name string) slog.Handler {
	return handler{h.Handler.WithGroup(name), h.named}
}
