package storybook

import (
	"regexp"
	"strings"
	"testing"

	"github.com/superduperai/sessionbot/commands"
	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/incident"
)

// TestEndsAgree: a repair's message and the line in its thread give the same verdict and
// the same step, and neither says that nothing was charged beside a video that may exist.
func TestEndsAgree(t *testing.T) {
	t.Parallel()
	registry := registryOf(&world{})
	for _, e := range endings {
		for _, cause := range e.causes {
			if e.outcome == "" {
				continue
			}
			p := progress(planOf(e.action), e.outcome, cause)
			shown, posted := blockkit.Text(registry.ProgressBlocks(p)), blockkit.Text(registry.EndReply(p))
			posted = strings.ReplaceAll(strings.TrimPrefix(posted, "@U0LEAD "), " above", "")
			if want, got := firstLines(shown), firstLines(posted); want != got {
				t.Errorf("%s %s %s: the message says\n%s\nand its thread\n%s", e.action, e.outcome, cause, want, got)
			}
			doubt := regexp.MustCompile(`may exist|may be (ready|charged)|may have been charged`).MatchString(firstLines(shown))
			if free := strings.Contains(firstLines(shown), "charged us nothing") || strings.Contains(firstLines(shown), "nothing was charged"); free && doubt {
				t.Errorf("%s %s %s contradicts itself:\n%s", e.action, e.outcome, cause, firstLines(shown))
			}
		}
	}
}

// firstLines are the verdict and the step.
func firstLines(text string) string {
	lines := strings.SplitN(text, "\n", 3)
	return strings.Join(lines[:min(len(lines), 2)], "\n")
}

// TestNothingIsLeftOpen: every place for a word in a text of ours is filled in.
func TestNothingIsLeftOpen(t *testing.T) {
	t.Parallel()
	place := regexp.MustCompile(`\{[A-Za-z_]+( [a-z]+)*\}`)
	for _, s := range Stories() {
		if found := place.FindString(blockkit.Text(s.Blocks)); found != "" {
			t.Errorf("%s: %s says %s", s.Chapter, s.Title, found)
		}
	}
}

// TestHomeAgrees: beside an open incident the figures do not say that there is no problem.
func TestHomeAgrees(t *testing.T) {
	t.Parallel()
	for n, want := range []bool{true, false} {
		w := world{figures: ordinary()}
		for range n {
			w.incidents = append(w.incidents, newIncident(incident.Kind(diagnosis.VerdictOrphaned), 2))
		}
		home, err := registryOf(&w).Home(t.Context(), commands.Home{})
		if err != nil {
			t.Fatal(err)
		}
		text := blockkit.Text(home.Blocks("U0LEAD", nil, noon))
		if got := strings.Contains(text, "No problems found"); got != want {
			t.Errorf("with %d incidents it says that there are no problems: %v\n%s", n, got, text)
		}
	}
}
