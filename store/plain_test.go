package store

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestPlainValuesReadTheSame holds the short way against the long one.
func TestPlainValuesReadTheSame(t *testing.T) {
	names := rapid.SampledFrom([]string{"prompt", "status", "fileId", "error", "timestamp", "createdAt", "toolSlug", "toolTitle",
		"generationType", "modelName", "duration", "resolution", "videoCount", "style", "Prompt", ""})
	values := rapid.OneOf(
		rapid.SampledFrom([]string{`"completed"`, `"pending"`, `"done"`, `""`, `"2025-07-24T10:00:00.000Z"`, `null`, `true`, `0`, `8`, `007`, `-1`,
			`1.5`, `1e3`, `1234567890123`, `{"a":"b"}`, `[1]`, `"a\"b"`, `"\u0041"`, "\"a\tb\"", "\"\xff\"", `"ж🦊"`, `"` + "\x00" + `"`, ``, `" "`, `"a`, ` "x" `}),
		rapid.Map(rapid.String(), func(s string) string { raw, _ := json.Marshal(s); return string(raw) }))
	rapid.Check(t, func(t *rapid.T) {
		raw := "{"
		for i := range rapid.IntRange(0, 6).Draw(t, "members") {
			if i > 0 {
				raw += rapid.SampledFrom([]string{",", ",", ",", ",", ", ", ""}).Draw(t, "comma")
			}
			raw += `"` + names.Draw(t, "name") + `":` + values.Draw(t, "value")
		}
		raw += rapid.SampledFrom([]string{"}", "}", "}", "}", "", "}}", "} ", ",}"}).Draw(t, "end")
		samePlain(t, raw)
	})
}

func FuzzPlainValue(f *testing.F) {
	f.Add(`{"prompt":"A fox","videoCount":1,"status":"completed","timestamp":"2025-07-24T10:00:00.000Z"}`)
	f.Add(`{"a":0}`)
	f.Fuzz(func(t *testing.T, raw string) { samePlain(t, raw) })
}

func samePlain(t interface {
	Fatalf(format string, args ...any)
}, raw string) {
	v, full, ok := plainValue([]byte(raw))
	if !ok {
		return
	}
	slow, slowFull, fault := parseValue([]byte(raw))
	if diff := cmp.Diff(slow, v); diff != "" || full != slowFull || fault != "" {
		t.Fatalf("%q is no plain value: fault %q, full %v and %v\n%s", raw, fault, full, slowFull, diff)
	}
}

func TestTailStatus(t *testing.T) {
	for tail, want := range map[string]Status{
		`"5","status":"completed","fileId":"f","timestamp":"t"}`:         StatusCompleted,
		`"5","status":"error","error":"no"}`:                             StatusError,
		`,"status":"completed"}}`:                                        StatusNone, // of an object within
		`,"status":"completed","imageFile":{"name":"x"}}`:                StatusNone, // the whole has to be read
		`,"status":"completed"},"prompt":"x"}`:                           StatusNone,
		`","prompt":"they say ,\"status\":\"completed\"}`:                StatusNone,
		`,"status":"completed","fileId":null}`:                           StatusNone,
		`"createdAt":"x"}`:                                               StatusNone,
		`,"status":"com`:                                                 StatusNone,
		`,"status":"completed","status":"processing"}`:                   StatusProcessing,
		`,"status":"completed","status":"processing","timestamp":"now"}`: StatusProcessing,
		`,"status":"done"}`:                                              StatusNone,
		``:                                                               StatusNone,
	} {
		if got := tailStatus([]byte(tail)); got != want {
			t.Errorf("%s: %q, want %q", tail, got, want)
		}
	}
}
