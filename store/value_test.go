package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestParseValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw   string
		full  bool
		fault Fault
	}{
		{`{}`, false, ""},
		{` {"fileId":"f"} `, false, ""},
		{`{"prompt":null,"status": null }`, false, ""},
		{`{"prompt":""}`, true, ""},
		{`{"status":"pending","duration":"eight","videoCount":1.5,"imageFile":[]}`, true, ""},
		{``, false, faultSyntax},
		{`{"status":"proc`, false, faultSyntax},
		{`{} {}`, false, faultSyntax},
		{strings.Repeat("[", 20_000), false, faultSyntax},
		{strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), false, faultSyntax},
		{`{"prompt":"A fox","x":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, false, faultSyntax},
		{`{"prompt":"A fox","x":` + strings.Repeat(`{"x":`, 20_000) + "7" + strings.Repeat("}", 20_000) + `}`, false, faultSyntax},
		{`{"prompt":"A fox","x":` + strings.Repeat("[", 9_000) + strings.Repeat("]", 9_000) + `}`, true, ""},
		{`{"prompt":7,"prompt":"A fox"}`, true, ""},
		{`{"prompt":"A fox","prompt":7}`, true, "its prompt is not a string"},
		{`{"prompt":"A fox","prompt":null}`, false, ""},
		{`{"prom\u0070t":"A fox"}`, true, ""},
		{"{\"prompt\":\"A \xff fox\"}", true, ""},
		{"{\"prompt\":\"A \x00 fox\"}", false, faultSyntax},
		{"\ufeff{}", false, faultSyntax},
		{`[]`, false, faultNoObject},
		{`null`, false, faultNoObject},
		{`"text"`, false, faultNoObject},
		{`7`, false, faultNoObject},
		{`{"prompt":7}`, true, "its prompt is not a string"},
		{`{"status":{}}`, true, "its status is not a string"},
		{`{"fileId":false}`, false, "its fileId is not a string"},
		{`{"error":[]}`, false, "its error is not a string"},
		{`{"timestamp":1}`, false, "its timestamp is not a string"},
		{`{"createdAt":1}`, false, "its createdAt is not a string"},
		{`{"status":"done"}`, true, "its status is none of pending, processing, completed and error"},
		{`{"status":""}`, true, "its status is none of pending, processing, completed and error"},
		{`{"Status":"done","PROMPT":7}`, false, ""},
	} {
		_, full, fault := ParseValue([]byte(c.raw))
		if full != c.full || fault != c.fault {
			t.Errorf("ParseValue(%.40s) = full %v, %q; want %v, %q", c.raw, full, fault, c.full, c.fault)
		}
	}
}

func TestParseValueKeepsWhatIsReadable(t *testing.T) {
	t.Parallel()
	v, _, fault := ParseValue([]byte(`{"prompt":"A fox","status":"done","fileId":"f","error":7}`))
	if fault == "" || v.Prompt == nil || *v.Prompt != "A fox" || v.FileID == nil || *v.FileID != "f" || v.Error != nil {
		t.Errorf("got %+v, %q", v, fault)
	}
}

func TestParseValueRepairsText(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"{\"prompt\":\"a\xffb\"}": "a\ufffdb", `{"prompt":"\ud800"}`: "\ufffd", `{"prompt":"\ud83e\udd8a"}`: "🦊",
		`{"prompt":"\u0000"}`: "\x00", "{\"prompt\":\"\xe2\x82\"}": "\ufffd\ufffd",
	} {
		if v, _, fault := ParseValue([]byte(raw)); fault != "" || v.Prompt == nil || *v.Prompt != want {
			t.Errorf("%q: %+v, %q", raw, v.Prompt, fault)
		}
	}
}

// valueByStandard is ParseValue with encoding/json.
func valueByStandard(raw []byte) (v Value, full bool, fault Fault) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if !json.Valid(raw) {
		return v, false, faultSyntax
	}
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return v, false, faultNoObject
	}
	last := map[string]any{}
	for d.More() {
		name, err := d.Token()
		var value any
		if err = errors.Join(err, d.Decode(&value)); err != nil {
			return v, false, faultSyntax
		}
		last[name.(string)] = value
	}
	if _, err := d.Token(); err != nil {
		return v, false, faultSyntax
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, false, faultSyntax
	}
	text := func(name string) *string {
		if s, ok := last[name].(string); ok {
			return &s
		}
		return nil
	}
	optional := func(name string) string { s, _ := last[name].(string); return s }
	number := func(name string) float64 {
		n, _ := last[name].(json.Number)
		f, err := strconv.ParseFloat(n.String(), 64)
		if math.IsInf(f, 0) && err != nil {
			return math.Copysign(math.MaxFloat64, f)
		}
		return f
	}
	v = Value{Prompt: text("prompt"), Status: text("status"), FileID: text("fileId"), Error: text("error"), TimestampText: text("timestamp"),
		Timestamp: parseTime(optional("timestamp")), CreatedAt: parseTime(optional("createdAt")), ToolSlug: optional("toolSlug"),
		ToolTitle: optional("toolTitle"), Resolution: optional("resolution"), GenerationType: optional("generationType"),
		ModelName: optional("modelName"), ModelType: optional("modelType"),
		Duration: number("duration"), Width: number("width"), Height: number("height")}
	if n := number("videoCount"); n == math.Trunc(n) && math.Abs(n) < 1<<31 {
		v.VideoCount = int(n)
	}
	for n, name := range []string{"prompt", "videoCount", "duration", "resolution", "style", "toolSlug", "toolTitle", "createdAt", "status", "timestamp"} {
		if last[name] != nil {
			v.OrderMembers |= 1 << n
		}
	}
	for _, name := range stringMembers {
		if last[name] != nil && text(name) == nil {
			v.NotStrings = append(v.NotStrings, name)
		}
	}
	switch {
	case len(v.NotStrings) > 0:
		fault = Fault("its " + v.NotStrings[0] + " is not a string")
	case v.Status != nil && !slices.Contains([]string{"pending", "processing", "completed", "error"}, *v.Status):
		fault = "its status is none of pending, processing, completed and error"
	}
	return v, last["prompt"] != nil || last["status"] != nil, fault
}

func checkValue(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, raw []byte) {
	t.Helper()
	before := slices.Clone(raw)
	v, full, fault := ParseValue(raw)
	if !bytes.Equal(raw, before) {
		t.Fatalf("%q was changed into %q", before, raw)
	}
	want, wantFull, wantFault := valueByStandard(raw)
	if diff := cmp.Diff(want, v); diff != "" || full != wantFull || fault != wantFault {
		t.Fatalf("%q: full %v, fault %q; want %v, %q (-want +got):\n%s", raw, full, fault, wantFull, wantFault, diff)
	}
}

// TestValuesReadAsTheStandardReads them: objects of the members that are read,
// with all that JSON allows around them and some of what it does not.
func TestValuesReadAsTheStandardReads(t *testing.T) {
	t.Parallel()
	names := rapid.SampledFrom(append(stringMembers[:], "toolSlug", "toolTitle", "generationType", "modelName", "modelType", "duration", "resolution", "width", "height", "videoCount",
		"style", "Prompt", "STATUS", "fileid", "", `prom\u0070t`, `st\u0061tus`, "status\xff", `\"`))
	values := rapid.OneOf(
		rapid.SampledFrom([]string{`"completed"`, `"pending"`, `"done"`, `""`, `"2025-07-24T10:00:00.000Z"`, `"2025-07-24T10:00:00+02:00"`, `"yesterday"`,
			`null`, `true`, `0`, `8`, `007`, `-1`, `-0`, `1.5`, `1e3`, `1e999`, `-1e999`, `1e-999`, `2147483648`, `-2147483648`, `12345678901234567890123`,
			`{"a":"b"}`, `{"status":"error"}`, `[1]`, `[`, `{"a":1,"a":2}`, `"a\"b"`, `"\u0041"`, `"\ud800"`, `"\ud83e\udd8a"`, `"\udd8a\ud83e"`,
			"\"a\tb\"", "\"\xff\"", "\"\xe2\x82\"", `"ж🦊"`, "\"\x00\"", ``, `"a`, ` "x" `, `nul`, `NaN`}),
		rapid.Map(rapid.String(), func(s string) string { raw, _ := json.Marshal(s); return string(raw) }))
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SampledFrom([]string{"{", "{", "{", " \n{", "", "[", "\ufeff{"}).Draw(t, "begin")
		for i := range rapid.IntRange(0, 6).Draw(t, "members") {
			if i > 0 {
				raw += rapid.SampledFrom([]string{",", ",", ",", ",", ", ", ""}).Draw(t, "comma")
			}
			raw += `"` + names.Draw(t, "name") + `"` + rapid.SampledFrom([]string{":", ":", ":", " : ", ""}).Draw(t, "colon") + values.Draw(t, "value")
		}
		raw += rapid.SampledFrom([]string{"}", "}", "}", "}", "", "}}", "}\r\n ", ",}", "}{}"}).Draw(t, "end")
		checkValue(t, []byte(raw))
	})
}

func FuzzParseValue(f *testing.F) {
	f.Add([]byte(`{"prompt":"A fox","timestamp":"2026-03-04T10:00:00.000Z"}`))
	f.Add([]byte(`{"status":"processing","fileId":null,"error":{}}`))
	f.Add([]byte(`[{"status":`))
	f.Add([]byte(`{"st\u0061tus":"error","status":null,"Status":7,"duration":1e999}`))
	f.Add([]byte(`{"prompt":"A fox","modelType":"image","width":1024,"height":1e999}`))
	f.Add([]byte("{\"prompt\":\"\xff\\ud800\",\"status\xff\":\"error\"}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		checkValue(t, raw)
		v, full, fault := ParseValue(raw)
		if fault == "" && v.Status != nil && !Status(*v.Status).written() {
			t.Fatalf("status %q passed", *v.Status)
		}
		if fault == "" && full != (v.Prompt != nil || v.Status != nil) {
			t.Fatalf("full is %v of %+v", full, v)
		}
		key := Key{Exists: true, Kind: "session", Value: v, Full: full, Fault: fault}
		if _, corrupt := (Session{SessionKey: key}).CorruptKey(); corrupt != (fault != "") {
			t.Fatalf("fault %q, and corrupt is %v", fault, corrupt)
		}
	})
}
