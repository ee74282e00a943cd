package store

import (
	"encoding/hex"
	"errors"
	"regexp"
	"strings"
	"testing"
)

func TestFindID(t *testing.T) {
	t.Parallel()
	const id = "cs_live_a1B2c3D4"
	for _, c := range []struct {
		name, text, want string
		err              error
	}{
		{"bare", id, id, nil},
		{"test mode", "cs_test_X9", "cs_test_X9", nil},
		{"underscores in the tail", "cs_test_a_b_1", "cs_test_a_b_1", nil},
		{"spaces around", " \t" + id + "\n", id, nil},
		{"backticks", "`" + id + "`", id, nil},
		{"quotes", `"` + id + `"`, id, nil},
		{"typographic quotes", "“" + id + "”", id, nil},
		{"guillemets", "«" + id + "»", id, nil},
		{"Slack's bold and italics", "*_" + id + "_*", id, nil},
		{"a trailing full stop", "It is " + id + ".", id, nil},
		{"a trailing ellipsis", id + "…", "", ShortID{id, ""}},
		{"a Redis key", "webhook:" + id, id, nil},
		{"a link", "https://superduperai.co/en/session/" + id + "?from=mail#top", id, nil},
		{"a link of Stripe's checkout", "https://checkout.stripe.com/c/pay/" + id + "#fidkdWxOYHwnPyd1blpxYHZxWjA0", id, nil},
		{"a Slack link without a label", "<https://superduperai.co/session/" + id + ">", id, nil},
		{"percent-encoded", "https://mail.example/?u=https%3A%2F%2Fsuperduperai.co%2Fsession%2Fcs%5Flive%5Fa1B2c3D4%3Fy", id, nil},
		{"percent-encoded twice", "cs%255Flive%255Fa1B2c3D4", id, nil},
		{"a percent sign that encodes nothing", "100% " + id + " 5%zz", id, nil},
		{"zero-width spaces", "\u200bcs_live_\u200ba1B2\u2060c3D4\ufeff", id, nil},
		{"a variation selector and a filler", "cs_live_a1B2\ufe0f\u3164c3D4", id, nil},
		{"an encoded zero-width space", "cs_live_a1B2%E2%80%8Bc3D4", id, nil},
		{"the same twice", id + " and " + id, id, nil},
		{"two", id + " cs_live_other", "", ErrSeveralIDs},
		{"live and test", "cs_live_a cs_test_a", "", ErrSeveralIDs},
		{"after an ellipsis", "hm…" + id + " or...", id, nil},
		{"shortened as in our own messages", "cs_live_a1B2…0001", "", ShortID{"cs_live_a1B2", "0001"}},
		{"shortened with three dots", "is cs_live_a1B2...0001 paid?", "", ShortID{"cs_live_a1B2", "0001"}},
		{"shortened in a code span", "`cs_live_a1B2…0001`", "", ShortID{"cs_live_a1B2", "0001"}},
		{"shortened in Slack's italics", "_cs_live_a1B2…0001_", "", ShortID{"cs_live_a1B2", "0001"}},
		{"shortened, struck and bold", "~*cs_test_a1B2…0001*~", "", ShortID{"cs_test_a1B2", "0001"}},
		{"shortened and percent-encoded", "cs_live_a1B2%E2%80%A60001", "", ShortID{"cs_live_a1B2", "0001"}},
		{"shortened, with a centred ellipsis", "cs_live_a1B2⋯0001", "", ShortID{"cs_live_a1B2", "0001"}},
		{"shortened, with an invisible mark", "cs_live_a1B2\u2060…\u200b0001", "", ShortID{"cs_live_a1B2", "0001"}},
		{"shortened to its end", "cs_live_…0001", "", ShortID{"cs_live_", "0001"}},
		{"shortened twice the same", "cs_live_a1B2…0001, cs_live_a1B2...0001", "", ShortID{"cs_live_a1B2", "0001"}},
		{"two shortened ones", "cs_live_a1B2…0001 cs_live_a1B2…0002", "", ErrSeveralIDs},
		{"a plan: the short form and the whole", "Generate for cs_live_a1B2…c3D4? Session: cs_live_a1B2c3c3D4", "cs_live_a1B2c3c3D4", nil},
		{"a short form and another's whole", "cs_live_a1B2…0001 " + id, "", ErrSeveralIDs},
		{"a short form that overlaps itself", "cs_live_a1B2c3…c3D4 " + id, "", ErrSeveralIDs},
		{"an ellipsis in place of an id", "/session debug cs_live_…", "", ErrNoID},
		{"shortened inside another word", "xcs_live_a1…0001", "", ErrNoID},
		{"nothing", "", "", ErrNoID},
		{"the prefix alone", "cs_live_", "", ErrNoID},
		{"another mode", "cs_demo_a1", "", ErrNoID},
		{"another kind of id", "pi_3NqXa", "", ErrNoID},
		{"inside another word", "xcs_live_a1", "", ErrNoID},
		{"the longest", "cs_live_" + strings.Repeat("a", 247), "cs_live_" + strings.Repeat("a", 247), nil},
		{"too long", "cs_live_" + strings.Repeat("a", 248), "", ErrNoID},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := FindID(c.text)
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("FindID(%q) = %q, %v; want %q, %v", c.text, got, err, c.want, c.err)
			}
		})
	}
}

func TestSessionOf(t *testing.T) {
	t.Parallel()
	longest := "cs_live_" + strings.Repeat("a", 247)
	for key, want := range map[string]string{
		"prompt:cs_live_a1B2": "cs_live_a1B2", "webhook:cs_test_9": "cs_test_9", "session:cs_live_Z": "cs_live_Z",
		"session:" + longest: longest,

		"session:" + longest + "a": "", "prompt:cs_live_": "", "prompt:cs_test_": "", "prompt:": "", "prompt": "", "": "",
		"session:cs_live_a_b": "", "session:cs_live__a": "", "session:cs_live_cs_test_a": "", "session:cs_live_cs_live_a": "",
		"session:cs_live_a ": "", "session: cs_live_a": "", "session:cs_live_a:b": "", "session:cs_live_a-b": "", "session:cs_live_ä": "",
		"session:cs_live_a\x00": "", "session:cs_live_a\xff": "", "session:cs_live_[": "", "session:cs_live_@": "", "session:cs_live_`": "",
		"session:cs_live_{a": "", "session:cs_demo_a": "", "session:CS_LIVE_a": "", "session:cs_livea": "", "session:xcs_live_a": "",
		"webhook:evt:6": "", "webhook:evt_1": "", "session:job-5": "", "session:pi_1": "", "session:session:cs_live_a": "",
		"Session:cs_live_a": "", "sessions:cs_live_a": "", "balance:cs_live_a": "", "cs_live_a": "",
		"sessionbot:{watch}:paid:cs_live_x": "", "sessionbot:job:cs_live_x": "",
	} {
		id, ok := SessionOf(key)
		if ok != (want != "") || ok && id != want {
			t.Errorf("SessionOf(%q) = %q, %v; want %q", key, id, ok, want)
		}
		if bare, found := strings.CutPrefix(key, "session:"); found && IsSessionID(bare) != ok {
			t.Errorf("IsSessionID(%q) is %v", bare, !ok)
		}
	}
}

// FuzzIsSessionID holds the loop against a regular expression.
func FuzzIsSessionID(f *testing.F) {
	f.Add("cs_live_a1")
	f.Add("cs_test_a_b")
	known := regexp.MustCompile(`^cs_(live|test)_[A-Za-z0-9]{1,247}$`)
	f.Fuzz(func(t *testing.T, text string) {
		if want := known.MatchString(text); IsSessionID(text) != want {
			t.Fatalf("IsSessionID(%q) is not %v", text, want)
		}
	})
}

func FuzzFindID(f *testing.F) {
	f.Add("cs_live_a1")
	f.Add("<https://x/session/cs_live_x?y|label>")
	f.Add("%2563s_live_%5f__cs_test_b…c")
	f.Add("_cs_live_a1...0001_ cs_live_a1xx0001")
	known := regexp.MustCompile(`^cs_(live|test)_[A-Za-z0-9_]{1,247}$`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := FindID(text)
		if (err == nil) != known.MatchString(got) {
			t.Fatalf("FindID(%q) = %q, %v", text, got, err)
		}
		var short ShortID
		switch {
		case err == nil:
			for _, text := range []string{got, "`" + got + "`"} {
				if again, err := FindID(text); again != got || err != nil {
					t.Fatalf("FindID(%q) = %q, %v: not the same again", text, again, err)
				}
			}
		case errors.As(err, &short):
			checkShortID(t, text, short)
		}
	})
}

// checkShortID checks what holds for every short form that was found.
func checkShortID(t *testing.T, text string, short ShortID) {
	t.Helper()
	var again ShortID
	if _, err := FindID(short.Text()); !errors.As(err, &again) || again != short {
		t.Fatalf("FindID(%q) found %v, and in that %v", text, short, err)
	}
	if strings.ContainsAny(short.KeyPattern()[1:], `?[]\^-{}`) || strings.Count(short.KeyPattern(), "*") != 2 {
		t.Fatalf("FindID(%q): SCAN would take %q for another pattern", text, short.KeyPattern())
	}
	whole := short.head + short.tail
	got, err := FindID("`" + whole + "` " + short.Text())
	if !short.Matches(whole) || (got != whole || err != nil) && len(whole) <= maxID {
		t.Fatalf("FindID(%q): %q with %v is %q, %v", text, whole, short, got, err)
	}
}

func TestFileUUID(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0a1b2c3d-89ab-4cde-8f01-0123456789AB": "0a1b2c3d89ab4cde8f010123456789ab", "0a1b2c3d89ab4cde8f010123456789ab": "",
		"0a1b2c3d-89ab-4cde-8f01-0123456789ag": "", "0a1b2c3d-89ab-4cde-8f010-123456789ab": "", "": "", "f": "",
		"0a1b2c3d-89ab-4cde-8f01-0123456789ab ": "", "------------------------------------": "",
		"0a1b2c3d-89ab-4cde-8f01-0123456789-b": "", "0a1b2c3d-89ab-4cde-8f01-0123456789\xc3\xa4": "",
	} {
		id, ok := FileUUID(text)
		if ok != (want != "") || ok && hex.EncodeToString(id[:]) != want {
			t.Errorf("FileUUID(%q) = %x, %v", text, id, ok)
		}
	}
}
