package superduper

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// VideoRequest asks for a video made from a text.
type VideoRequest struct {
	Prompt        string
	Model         string // such as google-cloud/veo3-text2video
	Duration      int    // seconds
	Width, Height int    // pixels
	Seed          int    // 0–999999
}

// ImageRequest asks for an image made from a text.
type ImageRequest struct {
	Prompt        string
	Model         string // such as azure-openai/gpt-image-1
	Width, Height int    // pixels
	Seed          int    // 0–999999
}

// config is the body's one member, as the API names things. Videos alone have a
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

// GenerateVideo starts a video and returns its file, which is still to be made.
// It costs money with every call. Sent once, never repeated here; an error of
// kind Unclear means that the video may be in the making all the same.
func (c *Client) GenerateVideo(ctx context.Context, r VideoRequest) (File, error) {
	return c.generate(ctx, "/api/v1/file/generate-video", config{
		Prompt: r.Prompt, Width: r.Width, Height: r.Height, AspectRatio: aspectRatio(r.Width, r.Height),
		Duration: r.Duration, Seed: r.Seed, Model: r.Model, FrameRate: 30, BatchSize: 1, References: []any{},
	})
}

// GenerateImage starts an image, like GenerateVideo.
func (c *Client) GenerateImage(ctx context.Context, r ImageRequest) (File, error) {
	return c.generate(ctx, "/api/v1/file/generate-image", config{
		Prompt: r.Prompt, Width: r.Width, Height: r.Height, AspectRatio: aspectRatio(r.Width, r.Height),
		Seed: r.Seed, Model: r.Model, BatchSize: 1, References: []any{},
	})
}

func (c *Client) generate(ctx context.Context, path string, cfg config) (File, error) {
	if c.token == "" {
		return File{}, &Error{Kind: NoToken}
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(map[string]config{"config": cfg}); err != nil {
		return File{}, &Error{Kind: Rejected, Err: err}
	}
	raw, err := c.call(ctx, http.MethodPost, c.base+path, body.Bytes(), c.token)
	if err != nil {
		return File{}, err
	}
	file, err := parseStarted(raw)
	if err != nil { // something was started, but its id is not known
		return File{}, &Error{Kind: Unclear, Status: http.StatusOK, Err: err}
	}
	return file, nil
}

// parseStarted reads what a generation answers: one file object for a video,
// an array of them for an image.
func parseStarted(raw []byte) (File, error) {
	if !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("[")) {
		return parseFile(raw)
	}
	var files []json.RawMessage
	if err := json.Unmarshal(raw, &files); err != nil {
		return File{}, errors.New("not JSON")
	}
	if len(files) == 0 {
		return File{}, errors.New("no file in the answer")
	}
	return parseFile(files[0])
}

// aspectRatio is the nearest of the three that the API knows.
func aspectRatio(width, height int) string {
	switch {
	case width > height:
		return "16:9"
	case width < height:
		return "9:16"
	}
	return "1:1"
}
