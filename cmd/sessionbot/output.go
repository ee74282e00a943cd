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

// screenOf returns the width and colour of an output: only a terminal has them, and
// NO_COLOR disables colour. Times are local.
func screenOf(w io.Writer) (screen blockkit.Screen, isTerminal bool) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return blockkit.Screen{Zone: time.Local}, false
	}
	columns, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || columns < 1 {
		if columns, _, err = term.GetSize(int(file.Fd())); err != nil || columns < 1 {
			columns = 80
		}
	}
	return blockkit.Screen{Width: columns, Zone: time.Local, Colour: os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}, true
}

// visibleJSON escapes the characters that JSON may hold unescaped and a terminal
// would obey, or not show. Each write is a whole document.
type visibleJSON struct{ io.Writer }

// Write implements io.Writer.
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

// maxHeld is the size of the log lines that wait for the answer, in bytes.
const maxHeld = 64 << 10

// heldLog holds log lines back until the answer has been printed.
type heldLog struct {
	out io.Writer

	mu   sync.Mutex
	held strings.Builder
	live bool
}

// Write implements io.Writer.
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

// release writes what was held; from now on lines are written at once.
func (l *heldLog) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.out, l.held.String()) // the exit code says the same
	l.held.Reset()
	l.live = true
}
