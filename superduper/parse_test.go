package superduper

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/superduperai/sessionbot/store"
)

// TestMalformedFile: what cannot be read is not in progress, or a second video
// might be generated in addition to a finished one.
func TestMalformedFile(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","url":{}}`, `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","url":5}`, `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","tasks":"rubbish"}`, `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","tasks":[null]}`, `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","tasks":[7]}`, `{"id":"a"}`, `{"id":"../../balance"}`, `{}`, `[]`,
	} {
		if _, file, err := parseFile([]byte(body)); err == nil {
			t.Errorf("%s was read as %s", body, file.State)
		}
	}
}

func TestFileState(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       store.FileState
		url        string
	}{
		{"no tasks yet", `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","url":null}`, store.FileInProgress, ""},
		{"tasks are null", `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","tasks":null}`, store.FileInProgress, ""},
		{"in progress", `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","tasks":[{"status":"in_progress"}]}`, store.FileInProgress, ""},
		{"a status is null", `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","tasks":[{"status":null}]}`, store.FileInProgress, ""},
		{"one task of two is done", `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","tasks":[{"status":"completed"},{"status":"pending"}]}`, store.FileInProgress, ""},
		{"done, no address", `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","url":"","tasks":[{"status":"completed"}]}`, store.FileFinalizing, ""},
		{"error", `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","tasks":[{"status":"completed"},{"status":"error"}]}`, store.FileFailed, ""},
		{"failed", `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","tasks":[{"status":"FAILED"}]}`, store.FileFailed, ""},
		{"finished", `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","url":"https://cdn.example.com/a.mp4","tasks":[{"status":"error"}]}`, store.FileCompleted, "https://cdn.example.com/a.mp4"},
		{"an address that nobody is sent to is one", `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","url":"javascript:alert(1)"}`, store.FileCompleted, ""},
		{"nor with a password", `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","url":"https://u:p@example.com/a.mp4"}`, store.FileCompleted, ""},
		{"a path alone", `{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","url":"/a.mp4"}`, store.FileCompleted, ""},
	}
	for _, test := range tests {
		_, file, err := parseFile([]byte(test.body))
		if err != nil || file.State != test.want || file.URL != test.url {
			t.Errorf("%s: state %s, url %q, error %v; want %s, %q", test.name, file.State, file.URL, err, test.want, test.url)
		}
	}
}

func TestParseFile(t *testing.T) {
	t.Parallel()
	id, got, err := parseFile([]byte(`{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","url":null,"thumbnail_url":"http://example.com/a.png","type":"video",
		"duration":8,"tasks":[{"type":"video-generation-flow","status":"in_progress","id":"t"}],"more":{"x":1}}`))
	want := store.File{State: store.FileInProgress, ThumbnailURL: "http://example.com/a.png", Type: "video"}
	if err != nil || id != fileID || got != want {
		t.Errorf("%s: %+v, error %v; want %+v", id, got, err, want)
	}
}

// TestFileError: the reason is found in whatever object it is wrapped.
func TestFileError(t *testing.T) {
	t.Parallel()
	for member, want := range map[string]string{
		`"The prompt was\u0000 refused\nby <!channel>"`:             "The prompt was refused by <!channel>",
		`"` + strings.Repeat("ж", 900) + `"`:                        strings.Repeat("ж", 300) + "…",
		`{"code":7,"message":"Out of credits","detail":"x"}`:        "Out of credits",
		`{"message":"","detail":{},"reason":"Blocked by a filter"}`: "Blocked by a filter",
		`{"error":"Too long"}`:                                      "Too long",
		`{"code":7}`:                                                "",
		`["Out of credits"]`:                                        "",
		`null`:                                                      "",
		`7`:                                                         "",
	} {
		_, file, err := parseFile([]byte(`{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","tasks":[{"status":"error"}],"error":` + member + `}`))
		if err != nil || file.Error != want || file.State != store.FileFailed {
			t.Errorf("%.60s: %q, state %s, error %v; want %q", member, file.Error, file.State, err, want)
		}
	}
}

func TestParseSessionStatus(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		want       store.Site
		fails      bool
	}{
		{name: "a missing key", body: `{"status":"pending","message":"Session not found or processing not yet started"}`,
			want: store.Site{Status: "pending"}},
		{name: "really pending", body: `{"status":"pending","prompt":"x","timestamp":"t"}`, want: store.Site{Found: true, Status: "pending"}},
		{name: "pending without a prompt's text", body: `{"status":"pending","prompt":null}`, want: store.Site{Found: true, Status: "pending"}},
		{name: "pending with a file", body: `{"status":"pending","fileId":"f"}`, want: store.Site{Found: true, Status: "pending", FileID: "f"}},
		{name: "processing", body: `{"status":"processing","fileId":"f","prompt":"x"}`, want: store.Site{Found: true, Status: "processing", FileID: "f"}},
		{name: "error", body: `{"status":"error","error":"Failed\u0000 to\nstart","fileId":null}`, want: store.Site{Found: true, Status: "error"}},
		{name: "after an old repair", body: `{}`, want: store.Site{Found: true}},
		{name: "after an old repair, with a file", body: `{"fileId":"f"}`, want: store.Site{Found: true, FileID: "f"}},
		{name: "status is a number", body: `{"status":7}`, fails: true},
		{name: "file is an object", body: `{"status":"completed","fileId":{}}`, fails: true},
		{name: "an array", body: `[]`, fails: true},
		{name: "null", body: `null`, fails: true},
		{name: "HTML", body: `<html>`, fails: true},
	}
	for _, test := range tests {
		got, err := parseSessionStatus([]byte(test.body))
		if (err != nil) != test.fails || got != test.want {
			t.Errorf("%s: %+v, error %v; want %+v", test.name, got, err, test.want)
		}
	}
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(`{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","url":"https://example.com","duration":8.5,"tasks":[{"status":"completed"}]}`))
	f.Add([]byte(`[{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","tasks":[null,7,{"status":"error","id":"\u202e"}]}]`))
	f.Add([]byte(`{"id":"6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0015","tasks":[{"status":"failed"}],"error":{"message":"a\u202e\nb"}}`))
	f.Add([]byte("{\"id\":\"\xff\",\"url\":\"http:\"}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if id, err := parseStarted(raw); err == nil && (id == "" || !json.Valid(raw)) {
			t.Fatalf("the id %q out of %q", id, raw)
		}
		_, file, err := parseFile(raw)
		if err != nil {
			return
		}
		for _, link := range []string{file.URL, file.ThumbnailURL} {
			if u, err := url.Parse(link); link != "" && (err != nil || u.Host == "" || !strings.HasPrefix(u.Scheme, "http")) {
				t.Errorf("kept the address %q", link)
			}
		}
		if !utf8.ValidString(file.Error) || utf8.RuneCountInString(file.Error) > 301 || strings.ContainsAny(file.Error, "\n\x00\x1b\u202e") {
			t.Errorf("unclean text %q", file.Error)
		}
		switch file.State {
		case store.FileInProgress, store.FileFinalizing, store.FileCompleted, store.FileFailed:
		default:
			t.Errorf("state %q", file.State)
		}
	})
}

func FuzzSessionStatus(f *testing.F) {
	f.Add([]byte(`{"status":"pending","message":"not found"}`))
	f.Add([]byte(`{"status":"error","error":"x","prompt":null,"fileId":"f"}`))
	f.Add([]byte(`{"status":null,"fileId":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		status, err := parseSessionStatus(raw)
		if err != nil {
			return
		}
		if !status.Found && (status.Status != "pending" || status.FileID != "") {
			t.Errorf("not found, and yet %+v", status)
		}
		for _, s := range []string{status.Status, status.FileID} {
			if !utf8.ValidString(s) || utf8.RuneCountInString(s) > 301 || strings.ContainsAny(s, "\n\x00\x1b") {
				t.Errorf("unclean text %q", s)
			}
		}
	})
}

func FuzzRefusal(f *testing.F) {
	f.Add([]byte(`{"detail":[{"loc":["body",0],"msg":"x"}]}`))
	f.Add([]byte(`{"detail":"x","error":"y"}`))
	f.Add([]byte("\x00\xff<html>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		fields, detail := parseRefusal(raw, "")
		if len(fields) > 10 || utf8.RuneCountInString(detail) > 301 || len(fields) > 0 && detail != "" {
			t.Errorf("%d fields together with %q", len(fields), detail)
		}
	})
}
