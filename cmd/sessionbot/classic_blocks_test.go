package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// TestClassicBlocksStory: a list, a plan with its details, a diagnosis, and the progress
// of a bulk repair arrive with the newest blocks, and then in a workspace that refuses all
// of them, with the same text and the same buttons.
func TestClassicBlocksStory(t *testing.T) {
	t.Parallel()
	newest := []string{"container", "data_table", "data_visualization", "plan", "tag"}
	has := func(m wstest.Message, kind string) bool {
		return strings.Contains(string(m.Blocks), `"type":"`+kind+`"`)
	}
	s := newStage(t)
	s.files = demo.NewSuperDuper(time.Now, time.Hour)
	outage(s, 8)
	s.startBot()
	support := s.workspace.As("U0SUPPORT").In("C0SUPPORT")
	asked := []struct{ command, kind, says, button string }{
		{"/redis prompts", "data_table", bulkID(0), "session.share"},
		{"/session debug " + bulkID(0), "tag", "Orphaned: paid", "session.generate"},
		{"/session generate " + bulkID(1), "container", "Settings", "confirm.approve"},
	}
	before := make([]wstest.Message, len(asked))
	for i, a := range asked {
		support.Type(a.command)
		before[i] = support.ExpectMessage(nil)
		if m := before[i]; !has(m, a.kind) || !strings.Contains(m.Text, a.says) || !strings.Contains(string(m.Blocks), a.button) {
			t.Errorf("%s: %s", a.command, m)
		}
	}
	s.workspace.RefuseBlocks(newest...)
	classic := func(m wstest.Message) bool {
		for _, kind := range newest {
			if has(m, kind) {
				t.Errorf("it has a %s: %s", kind, m)
			}
		}
		return true
	}
	for i, a := range asked {
		support.Type(a.command)
		m := support.ExpectMessage(classic)
		if !strings.Contains(string(m.Blocks), a.says) || !strings.Contains(string(m.Blocks), a.button) || !slices.Equal(beginnings(m.Text), beginnings(before[i].Text)) {
			t.Errorf("%s: %s\nwith the newest blocks: %s", a.command, m, before[i])
		}
	}
	lead := s.workspace.As("U0LEAD").In("C0SUPPORT")
	support.Type("/session bulk generate orphaned")
	plan := support.ExpectMessage(withText("Generate 8 videos?"))
	lead.Click(plan, "confirm.approve")
	running := lead.ExpectUpdate(plan, withText("Generating: 0 of 8 done"), withText("4 running"), classic) // nothing follows by itself
	for _, part := range []string{"Plan", "Generate 8 videos", "Running: ", "bulk.stop"} {
		if !strings.Contains(string(running.Blocks), part) {
			t.Errorf("the progress does not say %q: %s", part, running)
		}
	}
	lead.Click(running, "bulk.stop")
	lead.ExpectUpdate(running, withText("Stopping: "), classic)
	s.workspace.Optional(classic) // the button for a note may follow
	if n := strings.Count(s.bot.log.String(), "kind of block refused by Slack"); n < 3 || n > len(newest) {
		t.Errorf("%d lines in the log", n)
	}
}

// beginnings are the first words of a text's lines.
func beginnings(text string) (first []string) {
	for line := range strings.Lines(text) {
		word, _, _ := strings.Cut(line, " ")
		first = append(first, word)
	}
	return first
}
