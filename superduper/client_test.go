package superduper

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	token  = "example_token_0123456789_0123456789"
	prompt = "A fox runs <through> fresh & deep snow"
	fileID = "6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015"
)

// serve starts a server and a client that uses it as both API and site.
func serve(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return New(Config{BaseURL: server.URL, Token: token, SiteURL: server.URL})
}

func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // a client that hung up notices by itself
	}
}

func TestErrorKinds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		handler   http.HandlerFunc
		get, post Kind
		want      Error // Fields, RetryAfter and Detail
	}{
		{"401", answer(401, `{"detail":"Could not validate credentials"}`), Unauthorised, Unauthorised,
			Error{Status: 401, Detail: "Could not validate credentials"}},
		{"403", answer(403, `no`), Forbidden, Forbidden, Error{Status: 403, Detail: "no"}},
		{"404", answer(404, ``), NotFound, NotFound, Error{Status: 404}},
		{"400 of the site", answer(400, `{"error":"bad id"}`), Rejected, Rejected, Error{Status: 400, Detail: "bad id"}},
		{"422", answer(422, `{"detail":[{"loc":["body","config","duration",0],"msg":"too long","type":"x","input":"`+prompt+`"}]}`),
			Rejected, Rejected, Error{Status: 422, Fields: []Field{{"body.config.duration.0", "too long"}}}},
		{"429 in seconds", answer(429, `slow down`, "Retry-After", "7"), RateLimited, RateLimited,
			Error{Status: 429, RetryAfter: 7 * time.Second, Detail: "slow down"}},
		{"429 by date", answer(429, ``, "Date", "Mon, 02 Jan 2006 15:04:05 GMT", "Retry-After", "Mon, 02 Jan 2006 15:04:35 GMT"),
			RateLimited, RateLimited, Error{Status: 429, RetryAfter: 30 * time.Second}},
		{"429 for a century", answer(429, ``, "Retry-After", "2147483647"), RateLimited, RateLimited,
			Error{Status: 429, RetryAfter: time.Hour}},
		{"429 before now", answer(429, ``, "Retry-After", "-5"), RateLimited, RateLimited, Error{Status: 429}},
		{"500 in HTML", answer(500, "<h1>Oops</h1>\n\x00\x1b[31m"), Unavailable, Unavailable,
			Error{Status: 500, Detail: "<h1>Oops</h1> [31m"}},
		{"503", answer(503, ``, "Retry-After", "3"), Unavailable, Unavailable, Error{Status: 503, RetryAfter: 3 * time.Second}},
		{"502 of a gateway", answer(502, ``), Unavailable, Unclear, Error{Status: 502}},
		{"504 of a gateway", answer(504, ``), Unavailable, Unclear, Error{Status: 504}},
		{"a redirect", answer(302, ``, "Location", "/elsewhere"), Malformed, Malformed, Error{Status: 302}},
		{"a body that repeats the token", answer(500, token+"!"), Unavailable, Unavailable, Error{Status: 500, Detail: "[token]!"}},
		{"a long body", answer(500, strings.Repeat("ж", 900)), Unavailable, Unavailable,
			Error{Status: 500, Detail: strings.Repeat("ж", 300) + "…"}},
		{"200 and HTML", answer(200, "<html>"), Malformed, Unclear, Error{Status: 200}},
		{"200 and nothing", answer(200, ""), Malformed, Unclear, Error{Status: 200}},
		{"200 and null", answer(200, "null"), Malformed, Unclear, Error{Status: 200}},
		{"200 and no id", answer(200, `{"url":null}`), Malformed, Unclear, Error{Status: 200}},
		{"200 and no file", answer(200, `[]`), Malformed, Unclear, Error{Status: 200}},
		{"over a megabyte", answer(200, `{"id":"`+fileID+`","x":"`+strings.Repeat("x", bodyLimit)+`"}`), Malformed, Unclear,
			Error{Status: 200}},
		{"a cut body", answer(200, `{"id":`, "Content-Length", "100"), Unavailable, Unclear, Error{Status: 200}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client := serve(t, test.handler)
			_, getErr := client.File(t.Context(), fileID)
			_, postErr := client.Generate(t.Context(), Request{Prompt: prompt})
			check(t, getErr, test.get, test.want)
			check(t, postErr, test.post, test.want)
		})
	}
}

func check(t *testing.T, err error, kind Kind, want Error) {
	t.Helper()
	var got *Error
	if !errors.As(err, &got) || !errors.Is(err, kind) {
		t.Fatalf("got %v, want kind %s", err, kind)
	}
	seen := Error{Status: got.Status, Fields: got.Fields, RetryAfter: got.RetryAfter, Detail: got.Detail}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	for _, secret := range []string{token, prompt, fileID, "Oops", "127.0.0.1"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error's text contains %q: %s", secret, err)
		}
	}
}

func TestNoToken(t *testing.T) {
	t.Parallel()
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(server.Close)
	client := New(Config{BaseURL: server.URL})
	_, err := client.File(t.Context(), fileID)
	check(t, err, NoToken, Error{})
	_, err = client.Generate(t.Context(), Request{Image: true, Prompt: prompt})
	check(t, err, NoToken, Error{})
	if asked {
		t.Error("something was sent")
	}
}

// TestInvalidIDs: an id comes from Redis, which others can write, and the token is sent with
// the request.
func TestInvalidIDs(t *testing.T) {
	t.Parallel()
	asked := ""
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.EscapedPath()
		w.WriteHeader(http.StatusNotFound)
	})
	for _, id := range []string{
		"", ".", "..", strings.Repeat("x", 201), "../../../v1/balance?x", "../../x?y#z", "..%2f..%2fbalance", `..\..\balance`, fileID + "/../../balance",
		fileID + "?x", " " + fileID, fileID + "\n", strings.ReplaceAll(fileID, "-", ""), "{" + fileID + "}", "urn:uuid:" + fileID, "file", "0",
	} {
		if _, err := client.File(t.Context(), id); !errors.Is(err, Rejected) || asked != "" {
			t.Errorf("id %q: error %v, asked for %q", id, err, asked)
		}
	}
	if _, err := client.File(t.Context(), fileID); !errors.Is(err, NotFound) || asked != "/api/v1/file/"+fileID {
		t.Errorf("error %v, asked for %q", err, asked)
	}
	asked = ""
	for _, id := range []string{"", ".", "..", strings.Repeat("x", 201)} {
		if _, err := client.SessionStatus(t.Context(), id); !errors.Is(err, Rejected) || asked != "" {
			t.Errorf("session %q: error %v, asked for %q", id, err, asked)
		}
	}
	if _, err := client.SessionStatus(t.Context(), "../../x?y#z"); !errors.Is(err, NotFound) || asked != "/api/webhook-status/..%2F..%2Fx%3Fy%23z" {
		t.Errorf("error %v, asked for %q", err, asked)
	}
}

func TestConnectionRefused(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	client := New(Config{BaseURL: address, Token: token})
	if err := client.Ping(t.Context()); !errors.Is(err, Unavailable) {
		t.Errorf("ping: %v", err)
	}
	// Refused before anything was sent: it can safely be retried.
	if _, err := client.Generate(t.Context(), Request{}); !errors.Is(err, Unavailable) {
		t.Errorf("generate: %v", err)
	}
}

func TestCutAfterSendingIsUnclear(t *testing.T) {
	t.Parallel()
	client := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if _, err := client.Generate(t.Context(), Request{}); !errors.Is(err, Unclear) {
		t.Errorf("generate: %v", err)
	}
	if _, err := client.File(t.Context(), fileID); !errors.Is(err, Unavailable) {
		t.Errorf("file: %v", err)
	}
}

func TestCancelledAfterSendingIsUnclear(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	client := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices a hang-up only behind the body
		cancel()
		<-r.Context().Done()
	})
	_, err := client.Generate(ctx, Request{})
	if !errors.Is(err, Unclear) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want unclear, cancelled", err)
	}
}

func TestDeadlines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		given, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		tests := []struct {
			name   string
			ctx    context.Context
			method string
			want   time.Duration
		}{
			{"a read has its own", t.Context(), http.MethodGet, readTimeout},
			{"a generation has its own", t.Context(), http.MethodPost, writeTimeout},
			{"the caller's stands", given, http.MethodGet, time.Hour},
		}
		for _, test := range tests {
			ctx, cancel := withDeadline(test.ctx, test.method)
			defer cancel()
			at, ok := ctx.Deadline()
			if left := time.Until(at); !ok || left != test.want {
				t.Errorf("%s: %v left, want %v", test.name, left, test.want)
			}
		}
	})
}

func TestInvalidCertificate(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(answer(200, `{}`))
	server.Config.ErrorLog = nil
	t.Cleanup(server.Close)
	client := New(Config{BaseURL: server.URL, Token: token})
	for name, err := range map[string]error{
		"ping":     client.Ping(t.Context()),
		"generate": func() error { _, err := client.Generate(t.Context(), Request{}); return err }(),
	} {
		if !errors.Is(err, Certificate) {
			t.Errorf("%s: got %v, want a certificate error", name, err)
		}
	}
}

func TestGenerateRequests(t *testing.T) {
	t.Parallel()
	var path, auth string
	var body map[string]any
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		path, auth = r.URL.Path, r.Header.Get("Authorization")
		body = nil
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
			t.Error(err)
		}
		file := `{"id":"` + fileID + `","url":null,"type":"video","tasks":[{"status":"pending"}]}`
		if strings.HasSuffix(path, "image") {
			file = "[" + file + "]"
		}
		_, _ = io.WriteString(w, file)
	})
	video, err := client.Generate(t.Context(), Request{
		Prompt: prompt, Model: "google-cloud/veo3-text2video", Duration: 8, Width: 1280, Height: 720, Seed: 42,
	})
	if err != nil || video != fileID {
		t.Fatalf("video: %+v, %v", video, err)
	}
	want := map[string]any{"config": map[string]any{
		"prompt": prompt, "negative_prompt": "", "width": 1280.0, "height": 720.0, "aspect_ratio": "16:9",
		"duration": 8.0, "seed": 42.0, "generation_config_name": "google-cloud/veo3-text2video", "frame_rate": 30.0,
		"batch_size": 1.0, "references": []any{},
	}}
	if diff := cmp.Diff(want, body); diff != "" || path != "/api/v1/file/generate-video" || auth != "Bearer "+token {
		t.Errorf("%s, authorization right: %t, body (-want +got):\n%s", path, auth == "Bearer "+token, diff)
	}
	image, err := client.Generate(t.Context(), Request{Image: true, Prompt: prompt, Model: "m", Width: 1024, Height: 1024})
	if err != nil || image != fileID {
		t.Fatalf("image: %+v, %v", image, err)
	}
	want = map[string]any{"config": map[string]any{
		"prompt": prompt, "negative_prompt": "", "width": 1024.0, "height": 1024.0, "aspect_ratio": "1:1",
		"seed": 0.0, "generation_config_name": "m", "batch_size": 1.0, "references": []any{},
	}}
	if diff := cmp.Diff(want, body); diff != "" || path != "/api/v1/file/generate-image" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
	if got := aspectRatio(720, 1280); got != "9:16" {
		t.Errorf("upright: %s", got)
	}
}

func TestTokenIsNotSentToTheSite(t *testing.T) {
	t.Parallel()
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("the token was sent to the site")
		}
		_, _ = io.WriteString(w, `{}`)
	})
	if _, err := client.SessionStatus(t.Context(), "cs_live_x"); err != nil {
		t.Error(err)
	}
}
