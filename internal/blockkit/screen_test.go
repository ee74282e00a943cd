package blockkit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

const sessionID = "cs_live_a1EXAMPLEIlNpmmZenH75dh58rCJ8C36Ud3b2Yf6x9RI3vWcSxnQhQ0009"

func table(rows ...[]string) slack.Block {
	block, _ := blockkit.Table(rows[0], rows[1:], true)
	return block
}

// TestTablesFitTheScreen: cells are wrapped between words, an id is never broken,
// and a table that does not fit becomes lines.
func TestTablesFitTheScreen(t *testing.T) {
	t.Parallel()
	figures := table(
		[]string{"Time (UTC)", "Webhook success", "Redis memory"},
		[]string{"Last 24 h", "61.7% of 47 ▼ 21.6", "1.4 MB"},
		[]string{"日本", "no data", "no data"})
	ids := table([]string{"Session", "Prompt"}, []string{sessionID, "Un phare breton dans la tempête"})
	for _, c := range []struct {
		name  string
		block slack.Block
		width int
		want  string
	}{
		{"a pipe", figures, 0, `
Time (UTC)  Webhook success     Redis memory
Last 24 h   61.7% of 47 ▼ 21.6  1.4 MB
日本        no data             no data`},
		{"it fits", figures, 44, `
Time (UTC)  Webhook success     Redis memory
Last 24 h   61.7% of 47 ▼ 21.6  1.4 MB
日本        no data             no data`},
		{"it fits when broken", figures, 40, `
Time (UTC)  Webhook         Redis memory
            success
Last 24 h   61.7% of 47 ▼   1.4 MB
            21.6
日本        no data         no data`},
		{"a pipe with ids", ids, 0, `
Session                                                             Prompt
` + sessionID + `  Un phare breton dans la tempête`},
		{"no room next to an id", ids, 78, `
Session  ` + sessionID + `
Prompt   Un phare breton dans la tempête`},
		{"no room for an id", ids, 30, `
Session  ` + sessionID + `
Prompt   Un phare breton dans
         la tempête`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := blockkit.Screen{Width: c.width}.Text([]slack.Block{c.block})
			if got != strings.TrimPrefix(c.want, "\n") {
				t.Errorf("got\n%s", got)
			}
		})
	}
}

// TestTextFitsTheScreen: lines are wrapped between words, quotes are not.
func TestTextFitsTheScreen(t *testing.T) {
	t.Parallel()
	blocks := []slack.Block{
		blockkit.Paragraph(blockkit.L(blockkit.Bold("Paid, but no video was started.")), blockkit.Fact("Session", blockkit.Code(sessionID), blockkit.Plain(" live"))),
		blockkit.Quote("A sentence to be copied as it is."),
	}
	want := "Paid, but no video\nwas started.\nSession\n" + sessionID + "\nlive\n\n> A sentence to be copied as it is."
	if got := (blockkit.Screen{Width: 20}).Text(blocks); got != want {
		t.Errorf("got\n%q", got)
	}
	if got := (blockkit.Screen{Width: 200}).Text(blocks); got != blockkit.Text(blocks) {
		t.Errorf("got\n%q", got)
	}
}

// TestWideText: characters of two cells, at the very edge of the screen and beyond.
func TestWideText(t *testing.T) {
	t.Parallel()
	for width, want := range map[int]string{
		9: "日本 東京\n👩‍👩‍👧 ok", 6: "日本\n東京\n👩‍👩‍👧 ok", 1: "日本\n東京\n👩‍👩‍👧\nok", -5: "日本 東京 👩‍👩‍👧 ok", 0: "日本 東京 👩‍👩‍👧 ok",
		14: "日本 東京 👩‍👩‍👧\nok", 15: "日本 東京 👩‍👩‍👧 ok",
	} {
		blocks := []slack.Block{blockkit.Paragraph(blockkit.PlainLine("日本 東京 👩‍👩‍👧 ok"))}
		if got := (blockkit.Screen{Width: width}).Text(blocks); got != want {
			t.Errorf("%d cells: got\n%s", width, got)
		}
	}
}

// TestListFitsTheScreen: what goes on does so below the last column.
func TestListFitsTheScreen(t *testing.T) {
	t.Parallel()
	const list = "Commands:\n  debug  what happened to a session\n      --addr address  where to listen\n✗ slack  日本 is away. → Look.\n\nThe end of the list.\n"
	for width, want := range map[int]string{ // how it begins
		0:   list,
		200: list,
		-1:  list,
		24:  "Commands:\n  debug  what happened\n         to a session\n--addr address where to\nlisten\n✗ slack  日本 is away. →\n         Look.\n\nThe end of the list.\n",
		1:   "Commands:\ndebug\nwhat\nhappened\nto\na\nsession\n",
	} {
		if got := (blockkit.Screen{Width: width}).List(list); !strings.HasPrefix(got, want) {
			t.Errorf("%d cells: got\n%s", width, got)
		}
	}
}

// TestColour: it only adds escapes to what a pipe gets.
func TestColour(t *testing.T) {
	t.Parallel()
	blocks := []slack.Block{
		blockkit.Paragraph(blockkit.L(blockkit.Bold("Lost"), blockkit.Plain(" "), blockkit.Code("cs_1"))),
		table([]string{"A", "B"}, []string{"1", "2"}), blockkit.Context("as of now"),
	}
	want := "\x1b[1mLost\x1b[0m \x1b[36mcs_1\x1b[0m\n\n\x1b[1mA  B\x1b[0m\n1  2\n\n\x1b[2mas of now\x1b[0m"
	if got := (blockkit.Screen{Colour: true}).Text(blocks); got != want {
		t.Errorf("got %q", got)
	}
}

// TestScreenInItsOwnWords: a terminal shows local times with their offset, people and
// channels by name where that is known, and our own sentences in its words; what is
// quoted stays as it is.
func TestScreenInItsOwnWords(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 22, 46, 5, 0, time.UTC)
	line := blockkit.L(blockkit.Plain("run /session debug "), blockkit.Time(at, blockkit.TimeAgo, "14 min ago (22:46 UTC)"), blockkit.Plain(" "),
		blockkit.Time(at, blockkit.TimeSeconds, "22:46:05 UTC"), blockkit.Plain(" "), blockkit.Time(at, blockkit.TimeOfDay, "4 Mar 22:46 UTC"), blockkit.Plain(" by "),
		blockkit.User("U1"), blockkit.Plain(" in "), blockkit.Channel("C1"), blockkit.Plain(" and "), blockkit.User("U2"))
	blocks := []slack.Block{blockkit.Paragraph(line), blockkit.Context(blockkit.Mrkdwn(line)), blockkit.Quote("/session debug")}
	screen := blockkit.Screen{Zone: time.FixedZone("", 2*60*60), Names: map[string]string{"U1": "sam", "C1": "support\u202e"},
		Reword: func(text string) string { return strings.ReplaceAll(text, "/session", "sessionbot session") }}
	const said = "run sessionbot session debug 14 min ago (5 Mar 00:46 +02:00) 5 Mar 00:46:05 +02:00 5 Mar 00:46 +02:00 by @sam in #support and @U2"
	if got, want := screen.Text(blocks), said+"\n\n"+said+"\n\n> /session debug"; got != want {
		t.Errorf("it shows\n%s\nwant\n%s", got, want)
	}
	screen.Zone = time.UTC
	if got := screen.Text(blocks[:1]); !strings.Contains(got, "14 min ago (22:46 UTC) 22:46:05 UTC") {
		t.Errorf("in UTC it shows %q", got)
	}
}
