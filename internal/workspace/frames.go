package workspace

import (
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxFrames    = 300
	maxFrameBody = 16 << 10 // bytes
	frameLife    = 10 * time.Minute
)

// Frame is a Socket Mode frame or a Web API call.
type Frame struct {
	At        time.Time
	Direction string // "in" towards the workspace, "out" towards the app
	Kind      string // "frame" or "call"
	Title     string
	Body      string // JSON, cut where it is long
}

// frames are those of the last minutes.
type frames struct {
	now  func() time.Time
	told func() // called after each new one
	mu   sync.Mutex
	all  []Frame
}

func newFrames(now func() time.Time, told func()) *frames { return &frames{now: now, told: told} }

func (f *frames) add(direction, kind, title string, body []byte) {
	text := string(body)
	if len(text) > maxFrameBody {
		text = strings.ToValidUTF8(text[:maxFrameBody], "") + "…"
	}
	defer f.told()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) >= maxFrames {
		f.all = slices.Delete(f.all, 0, maxFrames/10)
	}
	f.all = append(f.all, Frame{At: f.now(), Direction: direction, Kind: kind, Title: title, Body: text})
}

// Frames lists the frames and calls of the last minutes, oldest first.
func (s *Server) Frames() []Frame { return s.frames.recent() }

// recent lists those of the last minutes, oldest first.
func (f *frames) recent() []Frame {
	f.mu.Lock()
	defer f.mu.Unlock()
	since := f.now().Add(-frameLife)
	first := slices.IndexFunc(f.all, func(frame Frame) bool { return frame.At.After(since) })
	if first < 0 {
		return nil
	}
	return slices.Clone(f.all[first:])
}
