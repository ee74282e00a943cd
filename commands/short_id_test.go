package commands_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/internal/requestid"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
)

// TestShortIDs: what a shortened id means is found out, and never guessed.
func TestShortIDs(t *testing.T) {
	t.Parallel()
	const short = "cs_live_a1B2…0001" // of id
	twin := strings.Replace(id, "c3D4", "zzzz", 1)
	known := []string{id, strings.Replace(id, "0001", "0002", 1), strings.Replace(id, "a1B2", "b1B2", 1)}
	var crowd []string
	for _, middle := range "abcdef" {
		crowd = append(crowd, strings.Replace(id, "c3D4", string(middle), 1))
	}
	for _, c := range []struct {
		text    string
		known   []string
		name    string
		outcome commands.Outcome
		says    string
	}{
		{"debug " + short, known, "session debug", commands.Done, "Understood as /session debug " + id},
		{short, known, "session debug", commands.Done, "Understood as /session debug " + id},
		{"please look at `" + short + "`, it is urgent", known, "session debug", commands.Done, "Understood as /session debug " + id},
		{"find cs_live_a1B2...0001", known, "session debug", commands.Done, "Understood as /session debug " + id},
		{"help with _cs_live_a1B2…0001_?", known, "session debug", commands.Done, "Understood as /session debug " + id},
		{"history cs_live_a1B2&hellip;0001", known, "session history", commands.Done, "No history for " + id},
		{"generate " + short, known, "session generate", commands.Refused, "SUPERDUPERAI_TOKEN"},
		{"fix “" + short + "”", known, "session fix", commands.Refused, "Session  " + id},
		{"settle " + short + " 6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013", known, "session settle", commands.Refused, "nothing to settle"},
		{"settle " + short + " nonsense", known, "session settle", commands.Usage, "not the id of a file"},
		{"debug " + short + " (" + id + ")", nil, "session debug", commands.Done, id}, // nobody has to be asked
		{"debug " + short + " --limit 3", known, "session debug", commands.Usage, "--limit cannot be used here"},
		{"debug " + short, nil, "session debug", commands.Usage, "No session is known with the short id " + short + ".\n→ Paste the whole id"},
		{"debug " + short, append(known, twin), "session debug", commands.Usage, "2 sessions have the short id " + short + ".\n→ Paste the whole id of the one that you mean:\n" + id + "\n" + twin},
		{"generate " + short, append(known, twin), "session generate", commands.Usage, "2 sessions have the short id"},
		{"fix cs_live_a1B2…", crowd, "session fix", commands.Usage, "More than 5 sessions have the short id cs_live_a1B2…."},
		{short + " or cs_live_a1B2…0002", known, "session debug", commands.Usage, "several ids"},
		{"debug " + short + " " + known[1], known, "session debug", commands.Usage, "several ids"},
	} {
		t.Run(c.text, func(t *testing.T) {
			answer := registry(&world{matching: c.known}).Parse(commands.Request{Command: "/session", Text: c.text}).Run(t.Context())
			text := blockkit.Text(answer.Blocks)
			if answer.Name != c.name || answer.Outcome != c.outcome || !strings.Contains(text, c.says) {
				t.Errorf("%q %s:\n%s\nwant %q %s saying %q", answer.Name, answer.Outcome, text, c.name, c.outcome, c.says)
			}
		})
	}
}

// TestRefusedShortIDs: a repair that somebody may not ask for is on record as they
// named it, since nothing is looked up for them.
func TestRefusedShortIDs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"fix cs_live_a1B2...0001": "cs_live_a1B2…0001", "generate " + id: id, "fix nonsense": "", "debug cs_live_a1B2…0001": "",
	} {
		if call := registry(&world{matching: []string{id}}).Parse(commands.Request{Command: "/session", Text: text}); call.Session != want {
			t.Errorf("%q is on record as %q, want %q", text, call.Session, want)
		}
	}
}

// TestShortIDsWithoutRedis: where not all could be asked, nothing is guessed either.
func TestShortIDsWithoutRedis(t *testing.T) {
	t.Parallel()
	for err, says := range map[error]string{
		rdb.ErrNoAnswer:          "Redis did not answer. Try again in a minute; if it still does not answer, check that Redis is up and that REDIS_URL is right (sessionbot doctor, on the bot's host, checks it). Nothing was changed.",
		context.DeadlineExceeded: "That took too long",
	} {
		for _, command := range []string{"debug", "settle"} {
			answer := registry(&world{matching: []string{id}, err: err}).Parse(commands.Request{Command: "/session",
				Text: command + " cs_live_a1B2…0001 6f1c2a52-0c7e-4d1a-9a53-2f7f0d3b0013"}).Run(requestid.NewContext(t.Context(), "k3f9-2d"))
			if text := blockkit.Text(answer.Blocks); answer.Outcome != commands.Failed || !strings.Contains(text, says) {
				t.Errorf("%s: %s: %s", err, answer.Outcome, text)
			}
		}
	}
}

// slow never answers.
type slow struct{}

func (slow) Matching(ctx context.Context, _ store.ShortID) ([]string, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestShortIDsTakeTooLong: a request does not wait for a Redis too big to look through.
func TestShortIDsTakeTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := commands.New(commands.Deps{Matchers: []commands.Matcher{&world{matching: []string{id}}, slow{}}})
		answer := r.Parse(commands.Request{Command: "/session", Text: "generate cs_live_a1B2…0001"}).Run(t.Context())
		if text := blockkit.Text(answer.Blocks); answer.Outcome != commands.Usage || !strings.Contains(text, "There was no time to search all sessions") {
			t.Errorf("%s: %s", answer.Outcome, text)
		}
	})
}
