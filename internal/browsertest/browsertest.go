// Package browsertest lets tests use a page in a real Chromium as a person does.
package browsertest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// chromium is the browser that tests share while they run in parallel.
var chromium struct {
	sync.Mutex
	users int
	ctx   context.Context
	end   func()
}

// headlessShell is Chromium without a window around its pages, which takes half the processor
// time. The script of that name on the PATH would end without it.
const headlessShell = "/usr/lib/chromium/chromium-headless-shell"

// Browser is one Chromium window.
type Browser struct {
	t   testing.TB
	ctx context.Context
}

// Open opens a window with an empty profile, which ends with the test.
func Open(t testing.TB) *Browser {
	t.Helper()
	browser := start(t)
	// chromedp would open a tab, for which a new profile has no window yet.
	direct := cdp.WithExecutor(browser, chromedp.FromContext(browser).Browser)
	profile, err := target.CreateBrowserContext().Do(direct)
	if err != nil {
		t.Fatal(err)
	}
	window, err := target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(direct)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithTargetID(window))
	t.Cleanup(func() {
		cancel()
		_ = target.DisposeBrowserContext(profile).Do(direct) // the browser ends soon
	})
	// The first run attaches to the window, and must outlive the steps.
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return &Browser{t: t, ctx: ctx}
}

// start returns the browser that runs, or starts it. It ends with the last test
// that uses it.
func start(t testing.TB) context.Context {
	t.Helper()
	program := testenv.Need(t, headlessShell, "chromium", "chromium-browser", "google-chrome")
	chromium.Lock()
	defer chromium.Unlock()
	if chromium.users == 0 {
		launch(t, program)
	}
	chromium.users++
	t.Cleanup(func() {
		chromium.Lock()
		defer chromium.Unlock()
		if chromium.users--; chromium.users == 0 {
			chromium.end()
		}
	})
	return chromium.ctx
}

func launch(t testing.TB, program string) {
	t.Helper()
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.WSURLReadTimeout(testenv.Patience), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true), chromedp.WindowSize(1280, 860),
	)
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), flags...)
	quiet := chromedp.WithErrorf(func(string, ...any) {}) // it logs events that it does not know
	ctx, cancel := chromedp.NewContext(allocator, quiet)
	chromium.ctx, chromium.end = ctx, func() {
		cancel()
		cancelAllocator()
	}
	if err := chromedp.Run(ctx); err != nil {
		chromium.end()
		t.Fatal(err)
	}
}

// Do runs the actions, or fails the test with a screenshot.
func (b *Browser) Do(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, testenv.Patience)
	defer cancel()
	for _, action := range actions {
		err := chromedp.Run(ctx, action)
		for elementReplaced(err) {
			err = chromedp.Run(ctx, action)
		}
		if err != nil {
			b.fail("%v", err)
		}
	}
}

// elementReplaced reports whether the page replaced an element after it was found and before
// anything was done with it.
func elementReplaced(err error) bool {
	fault, ok := errors.AsType[*cdproto.Error](err)
	return ok && strings.Contains(fault.Message, "Could not find node")
}

// Until waits for a JavaScript condition.
func (b *Browser) Until(condition string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, testenv.Patience)
	defer cancel()
	poll := chromedp.Poll(condition, nil, chromedp.WithPollingInterval(20*time.Millisecond), chromedp.WithPollingTimeout(testenv.Patience))
	if err := chromedp.Run(ctx, poll); err != nil {
		b.fail("never true: %s: %v", condition, err)
	}
}

// TabTo presses Tab, or Shift and Tab, until a JavaScript condition about the
// focus holds.
func (b *Browser) TabTo(condition string, back bool) {
	b.t.Helper()
	var modifiers []chromedp.KeyOption
	if back {
		modifiers = append(modifiers, chromedp.KeyModifiers(input.ModifierShift))
	}
	for deadline := time.Now().Add(testenv.Patience); time.Now().Before(deadline); {
		reached := false
		b.Do(chromedp.KeyEvent(kb.Tab, modifiers...), chromedp.Evaluate(condition, &reached))
		if reached {
			return
		}
	}
	b.fail("unreachable by keyboard: %s", condition)
}

func (b *Browser) fail(format string, args ...any) {
	b.t.Helper()
	b.Shot("failed")
	b.t.Fatalf(format, args...)
}

// Shot writes a screenshot to the directory $SHOTS, if that is set.
func (b *Browser) Shot(name string) {
	b.t.Helper()
	dir := os.Getenv("SHOTS")
	if dir == "" {
		return
	}
	var png []byte
	if err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot(&png)); err != nil {
		b.t.Errorf("no screenshot %s: %v", name, err)
		return
	}
	small, err := shrink(png)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), small, 0o600)
	}
	if err != nil {
		b.t.Errorf("no screenshot %s: %v", name, err)
	}
}

// Colours sets the preferred colour scheme, light or dark.
func Colours(scheme string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}})
}

// Enter presses Enter as a keyboard does. chromedp's own Enter types it even where
// the page handled the key.
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
