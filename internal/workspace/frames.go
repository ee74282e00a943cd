package workspace

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/internal/workspace/page"
)

const (
	maxFrames    = 300
	maxFrameBody = 16 << 10 // bytes
	frameLife    = 10 * time.Minute
)

// frames are the frames and calls of the last minutes.
type frames struct {
	now     func() time.Time
	onFrame func() // called after each new one
	mu      sync.Mutex
	all     []page.Frame
}

func (f *frames) add(direction, kind, title string, body []byte) {
	text := string(body)
	if len(text) > maxFrameBody {
		text = strings.ToValidUTF8(text[:maxFrameBody], "") + "…"
	}
	defer f.onFrame()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) >= maxFrames {
		f.all = slices.Delete(f.all, 0, maxFrames/10)
	}
	f.all = append(f.all, page.Frame{At: f.now(), Direction: direction, Kind: kind, Title: title, Body: text})
}

// recent lists the frames of the last minutes, oldest first.
func (f *frames) recent() []page.Frame {
	f.mu.Lock()
	defer f.mu.Unlock()
	since := f.now().Add(-frameLife)
	first := slices.IndexFunc(f.all, func(frame page.Frame) bool { return frame.At.After(since) })
	if first < 0 {
		return nil
	}
	return slices.Clone(f.all[first:])
}
