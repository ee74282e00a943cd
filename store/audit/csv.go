package audit

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// columns are the header of the CSV. Their names are public.
var columns = []string{"at", "event", "action", "session", "plan", "who", "terminal", "where", "detail", "cents", "before", "after"}

// dropped is the event of the CSV's first row where earlier entries were dropped.
const dropped = "dropped"

// WriteCSV writes entries since a time, zero = all, for a spreadsheet. Where entries of
// that time were dropped the first row says how many, and until when.
func WriteCSV(w io.Writer, entries []Entry, since time.Time, x Extent) error {
	out := csv.NewWriter(w)
	rows := [][]string{columns}
	if detail := x.DroppedText(); detail != "" && since.Before(x.Oldest) {
		rows = append(rows, []string{timeText(x.Oldest), dropped, "", "", "", "", "", "", detail, "", "", ""})
	}
	for _, e := range entries {
		cents := ""
		if e.Cents != 0 {
			cents = strconv.Itoa(e.Cents)
		}
		rows = append(rows, []string{timeText(e.At), string(e.Event), string(e.Action), e.Session, e.Plan, e.Who.ID, strconv.FormatBool(e.Who.Terminal),
			e.Where, e.Detail, cents, digestsText(e.Before), digestsText(e.After)})
	}
	for _, row := range rows {
		for n := range row {
			row[n] = safeCell(row[n])
		}
		if err := out.Write(row); err != nil {
			return fmt.Errorf("write the audit trail: %w", err)
		}
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return fmt.Errorf("write the audit trail: %w", err)
	}
	return nil
}

// DroppedText says what was dropped, "" = nothing.
func (x Extent) DroppedText() string {
	switch {
	case x.Dropped == nil:
		return "earlier entries may have been dropped: this Redis does not count them"
	case *x.Dropped == 0:
		return ""
	}
	return fmt.Sprintf("%d earlier entries were dropped, all of them recorded before %s", *x.Dropped, timeText(x.Oldest))
}

func timeText(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

func digestsText(digests map[string]string) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(digests)) {
		parts = append(parts, kind+"="+digests[kind])
	}
	return strings.Join(parts, " ")
}

// safeCell makes a text safe for spreadsheets, which take a cell that begins with one of
// these signs for a formula, and for terminals.
func safeCell(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, text)
	if strings.ContainsAny(firstRune(strings.TrimSpace(text)), "=+-@＝＋－＠") {
		return "'" + text
	}
	return text
}

func firstRune(text string) string {
	for _, r := range text {
		return string(r)
	}
	return ""
}
