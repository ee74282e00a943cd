package diagnosis

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestExamineOtherFiles: another key, or the site, names one that is
// finished.
func TestExamineOtherFiles(t *testing.T) {
	t.Parallel()
	for name, session := range map[string]store.Session{
		"the site": storetest.Held(storetest.FoxPrompt, "", ""),
		"a key":    storetest.Held(storetest.FoxPrompt, `{"status":"processing","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Hour)+`"}`, `{"prompt":"A fox","status":"pending","timestamp":"`+storetest.Ago(time.Minute)+`"}`),
	} {
		s := working()
		s.redis.session, s.files.file = session, store.File{State: store.FileCompleted}
		if name == "a key" {
			s.site.site = store.Site{}
		}
		x := s.examiner().Examine(t.Context(), "cs_live_1")
		if x.Verdict != VerdictUndelivered || x.Deliver != storetest.File1 || s.files.asked != 1 {
			t.Errorf("%s: %s, delivers %q, asked %d times", name, x.Verdict, x.Deliver, s.files.asked)
		}
	}
}

// TestExamineCurrentFile: a status from the future does not.
func TestExamineCurrentFile(t *testing.T) {
	t.Parallel()
	s := working()
	s.redis.session = storetest.Held("", `{"status":"error","fileId":"other","timestamp":"`+storetest.Ago(-time.Hour)+`"}`,
		`{"prompt":"A fox","status":"processing","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Minute)+`"}`)
	x := s.examiner().Examine(t.Context(), "cs_live_1")
	if s.files.fileID != storetest.File1 || x.Verdict != VerdictProcessing {
		t.Errorf("asked for %q, and it is %s", s.files.fileID, x.Verdict)
	}
}

// TestExamineMissingFile: only where the API has to know it that is
// the session's fault.
func TestExamineMissingFile(t *testing.T) {
	t.Parallel()
	for proven, want := range map[bool]Verdict{true: VerdictStalled, false: VerdictUnclear} {
		s := working()
		s.redis.session = storetest.Held(storetest.FoxPrompt, `{"status":"processing","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Hour)+`"}`, "")
		s.files.err = &store.FileError{Trouble: store.FileNotFound, Err: errors.New("404")}
		x := s.examiner()
		x.Proven = func(_ context.Context, created time.Time) bool {
			if !created.Equal(storetest.At.Add(-2 * time.Hour)) {
				t.Errorf("created at %s", created)
			}
			return proven
		}
		if got := x.Examine(t.Context(), "cs_live_1"); got.Verdict != want || got.File.State != store.FileMissing || !errors.Is(got.FileErr, store.FileNotFound) {
			t.Errorf("proven %v: %+v", proven, got)
		}
	}
}

// finished is the file that was finished; without one the records break down.
type finished string

func (f finished) Known(_ context.Context, ref store.FileRef) (FileRecord, error) {
	switch {
	case f == "":
		return FileRecord{}, errors.New("rubbish")
	case ref.FileID != string(f):
		return FileRecord{File: store.File{State: store.FileUnchecked}}, nil
	}
	return FileRecord{File: store.File{State: store.FileCompleted}, Finished: []string{string(f)}}, nil
}

// TestExamineFinishedFile does not ask for it again, and asks where that
// is not known.
func TestExamineFinishedFile(t *testing.T) {
	t.Parallel()
	for records, asked := range map[finished]int{storetest.File1: 0, storetest.File2: 1, "": 1} {
		s := working()
		x := s.examiner()
		x.Records = records
		got := x.Examine(t.Context(), "cs_live_1")
		if s.files.asked != asked || (got.Verdict == VerdictCompleted) != (asked == 0) {
			t.Errorf("finished %q: asked %d times, %s", records, s.files.asked, got.Verdict)
		}
		x.Files = nil // the watch asks for files at its own pace
		want := map[finished]store.FileState{storetest.File1: store.FileCompleted, storetest.File2: store.FileUnchecked, "": store.FileUnknown}[records]
		if got := x.Examine(t.Context(), "cs_live_1"); got.File.State != want || (got.FileErr == nil) != (records != "") {
			t.Errorf("finished %q, and nobody to ask: %s, %v", records, got.File.State, got.FileErr)
		}
	}
}
