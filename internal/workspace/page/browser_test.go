package page

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// browser is one Chromium window on a served page.
type browser struct {
	t     *testing.T
	ctx   context.Context
	url   string
	world *world
}

// patience is how long one step may take; the machine may be busy.
const patience = 30 * time.Second

func openBrowser(t *testing.T) *browser {
	t.Helper()
	chromium := testenv.Need(t, "chromium", "chromium-browser", "google-chrome")
	w := newWorld(t)
	hints := []Hint{{"An orphaned session", "/session debug cs_live_a1B20001"}, {"Statistics", "/redis stats"}, {"By e-mail", "/session find ann@example.com"}}
	server := httptest.NewServer(New(w, Options{Hints: hints, Now: func() time.Time { return noon }}))
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true), chromedp.WindowSize(1280, 860),
	)
	allocator, cancelAllocator := chromedp.NewExecAllocator(t.Context(), flags...)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		cancel()
		cancelAllocator()
		server.CloseClientConnections() // the event stream never ends by itself
		server.Close()
	})
	b := &browser{t: t, ctx: ctx, url: server.URL, world: w}
	b.do(chromedp.Navigate(b.url), chromedp.WaitReady("#composer-text"))
	return b
}

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	// The first run starts the browser, which must outlive the step.
	if chromedp.FromContext(b.ctx).Browser == nil {
		if err := chromedp.Run(b.ctx); err != nil {
			b.t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.shot("failed")
		b.t.Fatal(err)
	}
}

// until waits for a JavaScript condition.
func (b *browser) until(condition string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.Poll(condition, nil, chromedp.WithPollingInterval(20*time.Millisecond))); err != nil {
		b.shot("failed")
		b.t.Fatalf("never true: %s: %v", condition, err)
	}
}

// shot writes a screenshot to the folder SHOTS, else to one that is thrown away.
func (b *browser) shot(name string) {
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

func colours(scheme string) chromedp.Action {
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}})
}

// TestLook writes the screenshots that people look at.
func TestLook(t *testing.T) {
	b := openBrowser(t)
	for _, scheme := range []string{"light", "dark"} {
		b.do(colours(scheme), chromedp.EmulateViewport(1280, 860), chromedp.Navigate(b.url), chromedp.WaitReady("#composer-text"))
		b.until(`document.querySelector("#scroll").scrollTop > 0`)
		b.shot(scheme)
		b.do(chromedp.Evaluate(`document.querySelector("[data-ts='2.2']").scrollIntoView({block: "center"})`, nil))
		b.shot(scheme + "-answer")
		b.do(chromedp.SendKeys("#composer-text", "/session"))
		b.until(`!document.querySelector("#completions").hidden`)
		b.shot(scheme + "-completion")
		b.do(chromedp.SendKeys("#composer-text", kb.Escape), chromedp.Click("a.replies"), chromedp.WaitVisible("#reply-text"))
		b.shot(scheme + "-thread")
		b.do(chromedp.Click("a.tool"), chromedp.WaitVisible(".frame"), chromedp.Click(".frames li:nth-child(2) summary"))
		b.shot(scheme + "-frames")
		b.do(chromedp.Click(`[data-action="confirm.approve"]`), chromedp.WaitVisible("#confirm[open]"))
		b.shot(scheme + "-confirm")
		b.do(chromedp.KeyEvent(kb.Escape), chromedp.Click(".you-button"), chromedp.WaitVisible("#people"))
		b.shot(scheme + "-people")
		b.do(chromedp.EmulateViewport(390, 844), chromedp.Navigate(b.url+"/?channel=C0SUPPORT"), chromedp.WaitReady("#composer-text"))
		b.shot(scheme + "-narrow")
		b.do(chromedp.Click("#menu"), chromedp.WaitVisible(".channels a"))
		b.until(`document.getAnimations().length === 0`)
		b.shot(scheme + "-narrow-drawer")
		b.do(chromedp.Navigate(b.url+"/?panel=thread&ts=2.1"), chromedp.WaitVisible("#reply-text"))
		b.shot(scheme + "-narrow-thread")
	}
}
