package store

import (
	"strings"
	"testing"
)

func TestParseValue(t *testing.T) {
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
		{strings.Repeat("[", 20000), false, faultSyntax},
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
	v, _, fault := ParseValue([]byte(`{"prompt":"A fox","status":"done","fileId":"f","error":7}`))
	if fault == "" || v.Prompt == nil || *v.Prompt != "A fox" || v.FileID == nil || *v.FileID != "f" || v.Error != nil {
		t.Errorf("got %+v, %q", v, fault)
	}
}

func FuzzParseValue(f *testing.F) {
	f.Add([]byte(`{"prompt":"A fox","timestamp":"2026-03-04T10:00:00.000Z"}`))
	f.Add([]byte(`{"status":"processing","fileId":null,"error":{}}`))
	f.Add([]byte(`[{"status":`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, full, fault := ParseValue(raw)
		if fault == "" && v.Status != nil && !Status(*v.Status).written() {
			t.Fatalf("status %q passed", *v.Status)
		}
		if fault == "" && full != (v.Prompt != nil || v.Status != nil) {
			t.Fatalf("full is %v of %+v", full, v)
		}
		key := Key{Exists: true, Kind: "session", Value: v, Full: full, Fault: fault}
		if d := Diagnose(Evidence{Session: Session{Lookup: key}}, at, limits); (d.Verdict == VerdictCorrupt) != (fault != "") {
			t.Fatalf("fault %q, and the verdict is %s", fault, d.Verdict)
		}
	})
}
