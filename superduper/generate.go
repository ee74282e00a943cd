package superduper

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// Request describes the video, or the image, to generate from a text.
type Request struct {
	Image         bool
	Prompt        string
	Model         string // such as google-cloud/veo3-text2video
	Width, Height int    // pixels
	Duration      int    // seconds, of a video
	Seed          int    // 0–999999
}

// config is the body's one member, as the API names things. Only videos have a
// duration and a frame rate.
type config struct {
	Prompt         string `json:"prompt"`
	NegativePrompt string `json:"negative_prompt"`
	Width          int    `json:"width"`
	Height         int    `json:"height"`
	AspectRatio    string `json:"aspect_ratio"`
	Duration       int    `json:"duration,omitempty"`
	Seed           int    `json:"seed"`
	Model          string `json:"generation_config_name"`
	FrameRate      int    `json:"frame_rate,omitempty"`
	BatchSize      int    `json:"batch_size"`
	References     []any  `json:"references"`
}

// Generate starts a generation and returns the id of its file. Every call costs
// money, and is sent once. An error of kind Unclear means that the file may be
// generated all the same.
func (c *Client) Generate(ctx context.Context, r Request) (fileID string, err error) {
	if c.token == "" {
		return "", &Error{Kind: NoToken}
	}
	cfg := config{
		Prompt: r.Prompt, Width: r.Width, Height: r.Height, AspectRatio: aspectRatio(r.Width, r.Height),
		Seed: r.Seed, Model: r.Model, BatchSize: 1, References: []any{},
	}
	path := "/api/v1/file/generate-image"
	if !r.Image {
		path = "/api/v1/file/generate-video"
		cfg.Duration, cfg.FrameRate = r.Duration, 30
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(map[string]config{"config": cfg}); err != nil {
		return "", &Error{Kind: Rejected, Err: err}
	}
	raw, err := c.call(ctx, http.MethodPost, c.base+path, body.Bytes(), c.token)
	if err != nil {
		return "", err
	}
	fileID, err = parseStarted(raw)
	if err != nil { // something was started, but its id is not known
		return "", &Error{Kind: Unclear, Status: http.StatusOK, Err: err}
	}
	return fileID, nil
}

// parseStarted reads the id of the file from the answer: a file object for a
// video, an array of them for an image.
func parseStarted(raw []byte) (string, error) {
	if bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("[")) {
		var files []json.RawMessage
		if err := json.Unmarshal(raw, &files); err != nil {
			return "", errors.New("not JSON")
		}
		if len(files) == 0 {
			return "", errors.New("no file in the answer")
		}
		raw = files[0]
	}
	id, _, err := parseFile(raw)
	return id, err
}

// aspectRatio returns the nearest of the three that the API knows.
func aspectRatio(width, height int) string {
	switch {
	case width > height:
		return "16:9"
	case width < height:
		return "9:16"
	}
	return "1:1"
}
