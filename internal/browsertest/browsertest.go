// Package browsertest lets tests use the page in a real Chromium as a person
// does. What is on the page is not known here.
package browsertest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// patience is how long one step may take; the machine may be busy.
const patience = 30 * time.Second

// Browser is one Chromium window.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// Open starts Chromium with an empty profile. It ends with the test.
func Open(t testing.TB) *Browser {
	t.Helper()
	chromium := testenv.Need(t, "chromium", "chromium-browser", "google-chrome")
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true), chromedp.WindowSize(1280, 860),
	)
	allocator, cancelAllocator := chromedp.NewExecAllocator(t.Context(), flags...)
	quiet := chromedp.WithErrorf(func(string, ...any) {}) // it tells of events that are newer than itself
	ctx, cancel := chromedp.NewContext(allocator, quiet)
	t.Cleanup(func() {
		cancel()
		cancelAllocator()
	})
	// The first run starts the browser, which must outlive the steps.
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return &Browser{t: t, ctx: ctx}
}

// Do carries out the actions, or fails the test with a screenshot.
func (b *Browser) Do(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.Shot("failed")
		b.t.Fatal(err)
	}
}

// Until waits for a JavaScript condition.
func (b *Browser) Until(condition string) {
	b.t.Helper()
	b.UntilWithin(patience, condition)
}

// UntilWithin is Until for what takes its time.
func (b *Browser) UntilWithin(most time.Duration, condition string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, most)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.Poll(condition, nil, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(most))); err != nil {
		b.Shot("failed")
		b.t.Fatalf("never true: %s: %v", condition, err)
	}
}

// mostTabs is how often Tab is pressed before something counts as out of reach.
const mostTabs = 200

// TabTo presses Tab, or Shift and Tab, until a JavaScript condition holds of
// what has the focus.
func (b *Browser) TabTo(condition string, back bool) {
	b.t.Helper()
	var modifiers []chromedp.KeyOption
	if back {
		modifiers = append(modifiers, chromedp.KeyModifiers(input.ModifierShift))
	}
	for range mostTabs {
		there := false
		b.Do(chromedp.KeyEvent(kb.Tab, modifiers...), chromedp.Evaluate(condition, &there))
		if there {
			return
		}
	}
	b.Shot("failed")
	b.t.Fatalf("out of the keyboard's reach: %s", condition)
}

// Shot writes a screenshot to the folder SHOTS, else to one that is thrown away.
func (b *Browser) Shot(name string) {
	b.t.Helper()
	folder := os.Getenv("SHOTS")
	if folder == "" {
		folder = b.t.TempDir()
	}
	var png []byte
	if err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot(&png)); err != nil {
		b.t.Errorf("no screenshot %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600); err != nil {
		b.t.Error(err)
	}
}

// Colours makes the page believe that the person prefers light or dark.
func Colours(scheme string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}})
}

// Enter presses Enter as a keyboard does. The driver's own Enter is typed even
// where the page has taken the key for itself.
func Enter() chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		for _, half := range []*input.DispatchKeyEventParams{
			input.DispatchKeyEvent(input.KeyDown).WithText("\r"), input.DispatchKeyEvent(input.KeyUp),
		} {
			if err := half.WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13).Do(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}
