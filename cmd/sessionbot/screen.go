package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf16"

	"golang.org/x/term"

	"github.com/superduperai/sessionbot/internal/blockkit"
)

// screenOf is what is known of where text goes: only a terminal has a width and
// colour, and NO_COLOR takes the colour away.
func screenOf(w io.Writer) (screen blockkit.Screen, isTerminal bool) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return blockkit.Screen{}, false
	}
	columns, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || columns < 1 {
		if columns, _, err = term.GetSize(int(file.Fd())); err != nil || columns < 1 {
			columns = 80
		}
	}
	return blockkit.Screen{Width: columns, Colour: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}, true
}

// visibleJSON escapes what JSON may hold as it is and a terminal would obey, or
// show as nothing. It is given whole documents.
type visibleJSON struct{ io.Writer }

// Write is io.Writer's.
func (v visibleJSON) Write(document []byte) (int, error) {
	var b strings.Builder
	for _, r := range string(document) {
		if r < 0x7f || !blockkit.Invisible(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			_, _ = fmt.Fprintf(&b, `\u%04x`, unit) // it never fails
		}
	}
	if _, err := io.WriteString(v.Writer, b.String()); err != nil {
		return 0, err
	}
	return len(document), nil
}

const (
	inPlaceEvery = 100 * time.Millisecond
	lineEvery    = 5 * time.Second
)

// meter shows how far something is: on a terminal in one place, else as a line
// now and then, and nothing of what is soon over.
type meter struct {
	out     io.Writer
	inPlace bool
	width   int

	mu    sync.Mutex
	last  time.Time
	shown bool
}

func newMeter(out io.Writer) *meter {
	screen, terminal := screenOf(out)
	return &meter{out: out, inPlace: terminal, width: screen.Width, last: time.Now()}
}

// keys tells how many keys were looked at.
func (m *meter) keys(scanned, all int64) {
	if all > 0 {
		m.say(fmt.Sprintf("Counting: %d of %d keys, %d%%", scanned, all, min(100, 100*scanned/all)))
	}
}

// say shows where it stands, if that was not shown just now.
func (m *meter) say(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	every := lineEvery
	if m.inPlace {
		every = inPlaceEvery
	}
	if time.Since(m.last) < every {
		return
	}
	m.last = time.Now()
	if !m.inPlace {
		_, _ = fmt.Fprintln(m.out, text) // who does not look misses nothing
		return
	}
	m.shown = true
	_, _ = fmt.Fprint(m.out, "\r\x1b[K", blockkit.Cut(text, max(m.width-1, 1))) // likewise
}

// clock shows each second what it was told last, and since when, until it is over.
func (m *meter) clock() (standing func(string), over func()) {
	began, heads, done := time.Now(), make(chan string, 1), make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		head := "Starting"
		for {
			select {
			case head = <-heads:
			case <-tick.C:
			case <-done:
				return
			}
			m.say(fmt.Sprintf("%s · %s", head, time.Since(began).Round(time.Second)))
		}
	})
	standing = func(head string) {
		select {
		case heads <- head:
		case <-done: // nobody looks any more
		}
	}
	return standing, sync.OnceFunc(func() { close(done); running.Wait() })
}

// clear makes room for what comes next.
func (m *meter) clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.shown {
		_, _ = fmt.Fprint(m.out, "\r\x1b[K") // likewise
		m.shown = false
	}
}

// maxHeld bounds the log lines that wait for the answer.
const maxHeld = 64 << 10

// heldLog keeps log lines back until the answer is there, which people came for.
type heldLog struct {
	out io.Writer

	mu   sync.Mutex
	held strings.Builder
	live bool
}

// Write is io.Writer's.
func (l *heldLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live {
		return l.out.Write(line)
	}
	if l.held.Len()+len(line) <= maxHeld {
		l.held.Write(line)
	}
	return len(line), nil
}

// release shows what was held, and from now on everything at once.
func (l *heldLog) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.out, l.held.String()) // the answer is there; its exit code too
	l.held.Reset()
	l.live = true
}
