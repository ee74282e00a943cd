package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

// TestMeter: a pipe gets a line now and then, and nothing if the work is soon done; on a
// terminal one line is rewritten, and removed at the end.
func TestMeter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		inPlace bool
		want    string
	}{
		{"a pipe", false, "Counting: 50 of 100 keys, 50%\nCounting: 100 of 100 keys, 100%\n"},
		{"a terminal", true, strings.Join([]string{"", "Counting: 10 of 100 keys, 10%", "Counting: 50 of 100 keys, 50%", "Counting: 100 of 100 keys, 100%", ""}, "\r\x1b[K")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				m := newMeter(&out)
				m.inPlace, m.screen.Width = c.inPlace, 80
				for _, step := range []struct {
					after time.Duration
					n     int64
				}{{time.Second, 10}, {time.Millisecond, 20}, {5 * time.Second, 50}, {5 * time.Second, 100}} {
					time.Sleep(step.after)
					m.counted(step.n, 100)
				}
				m.clear()
				if out.String() != c.want {
					t.Errorf("%q", out.String())
				}
			})
		})
	}
}

// TestClock shows the elapsed time each second.
func TestClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m := newMeter(&out)
		m.inPlace, m.screen.Width = true, 80
		set, stop := m.clock()
		set("Generating")
		time.Sleep(2500 * time.Millisecond)
		stop()
		stop()
		if want := "\r\x1b[KGenerating · 1s\r\x1b[KGenerating · 2s"; out.String() != want {
			t.Errorf("%q", out.String())
		}
	})
}

// TestHeldLog: log lines wait for the answer.
func TestHeldLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := &heldLog{out: &out}
	write := func(line string) {
		if n, err := log.Write([]byte(line)); n != len(line) || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	}
	write("one\n")
	write(strings.Repeat("x", maxHeld) + "\n")
	if out.Len() > 0 {
		t.Errorf("before the answer: %q", out.String())
	}
	log.release()
	write("two\n")
	if out.String() != "one\ntwo\n" {
		t.Errorf("%q", out.String())
	}
}

// TestJSONShowsWhatItHolds: control and invisible characters are escaped, and the value is
// the same.
func TestJSONShowsWhatItHolds(t *testing.T) {
	t.Parallel()
	const prompt = "a\u009b31mb\x7f\u0085\u202ec\u2066\u200b\u200d\ufeff\U000e0041\u2028 жé👩\n\"\\"
	var out strings.Builder
	if err := json.NewEncoder(visibleJSON{&out}).Encode(map[string]string{"prompt": prompt}); err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSuffix(out.String(), "\n")
	if i := strings.IndexFunc(text, blockkit.Invisible); i >= 0 {
		t.Errorf("%q reaches the terminal", text[i:])
	}
	var back map[string]string
	if err := json.Unmarshal([]byte(text), &back); err != nil || back["prompt"] != prompt {
		t.Errorf("%s reads %q, %v", text, back["prompt"], err)
	}
	if !strings.Contains(text, "жé👩") {
		t.Errorf("what can be read is escaped: %s", text)
	}
}

// TestErrorsHoldNothingInvisible: arguments and variables are shown in errors without
// control characters.
func TestErrorsHoldNothingInvisible(t *testing.T) {
	t.Parallel()
	const odd = "x\u009b31m\u202e\u2028\ufff9\u180ey\x7f"
	nowhere := map[string]string{"REDIS_URL": "redis://127.0.0.1:1", "SITE_URL": "http://127.0.0.1:1", "SUPERDUPERAI_URL": "http://127.0.0.1:1"}
	for _, c := range []struct {
		variable string
		args     []string
	}{
		{"", []string{odd}}, {"", []string{"--" + odd}}, {"", []string{"doctor", "--" + odd}}, {"", []string{"demo", "--addr", odd}},
		{"", []string{"session", odd}}, {"", []string{"redis", "prompts", "--limit", odd}},
		{"SUPERDUPERAI_URL", []string{"redis", "ping"}}, {"SUPERDUPERAI_URL", []string{"doctor"}}, {"SUPERDUPERAI_URL", []string{"doctor", "--json"}},
		{"REDIS_URL", []string{"redis", "ping"}}, {"SITE_LAYOUT", []string{"redis", "ping"}}, {"STRIPE_SECRET_KEY_FILE", []string{"redis", "ping"}},
	} {
		env := maps.Clone(nowhere)
		if c.variable != "" {
			env[c.variable] = "https://host.invalid/" + odd
		}
		p := run(t, env, c.args...)
		if code := p.exitCode(); code == 0 {
			t.Errorf("%q with %q exits with 0", c.args, c.variable)
		}
		text := p.log.String()
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && blockkit.Invisible(r) }); i >= 0 || text == "" {
			t.Errorf("%q with %q says %q", c.args, c.variable, text)
		}
	}
}
