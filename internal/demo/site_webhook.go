package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/stripe/stripe-go/v76"
	"github.com/stripe/stripe-go/v76/webhook"

	"github.com/superduperai/sessionbot/store"
)

// setStatus merges whatever object is posted into a session. The site does
// not authenticate its clients, so a customer can do it as well.
func (s *Site) setStatus(w http.ResponseWriter, r *http.Request) {
	var update object
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&update); err != nil {
		writeJSON(w, http.StatusBadRequest, object{"error": "Invalid JSON"})
		return
	}
	if err := s.merge(r.Context(), r.PathValue("id"), update); err != nil {
		writeJSON(w, http.StatusInternalServerError, object{"error": "Failed to update webhook status"})
		return
	}
	writeJSON(w, http.StatusOK, object{"success": true})
}

// merge updates a session that is there, without a lock: what others write
// between the reading and the writing is lost, as it is with the site.
func (s *Site) merge(ctx context.Context, id string, update object) error {
	session, err := s.read(ctx, id)
	if err != nil || session == nil {
		return err
	}
	maps.Copy(session, update)
	return s.cfg.Redis.Set(ctx, "session:"+id, value(session, 0).Text, store.KeyLife).Err()
}

// webhook takes Stripe's events. A generation that fails is noted in the
// session and answered with 200, so Stripe does not repeat the event.
func (s *Site) webhook(w http.ResponseWriter, r *http.Request) {
	event, err := s.event(r)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, object{"error": "Webhook signature verification failed"})
		return
	}
	ctx := context.WithoutCancel(r.Context()) // a started video is noted although Stripe has hung up
	id, err := s.sessionOf(ctx, event)
	if err == nil && id != "" {
		err = s.fulfil(ctx, id)
	}
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, object{"error": "Webhook handler failed"})
		return
	}
	writeJSON(w, http.StatusOK, object{"received": true})
}

// event reads the event that is posted, and checks its signature if there is a
// secret to check it with.
func (s *Site) event(r *http.Request) (stripe.Event, error) {
	payload, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return stripe.Event{}, err
	}
	if s.cfg.Secret == "" {
		var event stripe.Event
		err = json.Unmarshal(payload, &event)
		return event, err
	}
	return webhook.ConstructEventWithOptions(payload, r.Header.Get("Stripe-Signature"), s.cfg.Secret,
		webhook.ConstructEventOptions{IgnoreAPIVersionMismatch: true})
}

// sessionOf finds the Checkout Session of an event. It is empty for
// events that start no video.
func (s *Site) sessionOf(ctx context.Context, event stripe.Event) (string, error) {
	var about struct {
		ID string `json:"id"`
	}
	if event.Data != nil {
		if err := json.Unmarshal(event.Data.Raw, &about); err != nil {
			return "", err
		}
	}
	switch event.Type {
	case stripe.EventTypeCheckoutSessionCompleted:
		return about.ID, nil
	case stripe.EventTypePaymentIntentSucceeded:
		return s.paidBy(ctx, about.ID)
	}
	return "", nil
}

// paidBy asks Stripe for the session of a payment intent, which does not name it.
func (s *Site) paidBy(ctx context.Context, intent string) (string, error) {
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	err := s.call(ctx, http.MethodGet, s.cfg.StripeURL+"/v1/checkout/sessions?payment_intent="+url.QueryEscape(intent), nil, &list)
	if err != nil || len(list.Data) == 0 {
		return "", err
	}
	return list.Data[0].ID, nil
}

// fulfil starts the video of a session. It does not look whether one was
// started before: a second event makes a second video, and where that one
// fails, the error hides the first.
func (s *Site) fulfil(ctx context.Context, id string) error {
	session, err := s.read(ctx, id)
	if err != nil {
		return err
	}
	prompt, _ := session["prompt"].(string)
	if prompt == "" {
		return nil
	}
	file, err := s.generate(ctx, prompt)
	update := object{"status": store.StatusProcessing, "fileId": file}
	if err != nil {
		update = object{"status": store.StatusError, "error": errorText(err)}
	}
	update["timestamp"] = s.cfg.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	return s.merge(ctx, id, update)
}

// errorText is what the customer reads of a generation that failed. After a
// time-out the video may be there all the same.
func errorText(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "The operation was aborted due to timeout"
	}
	return "SuperDuperAI API failed: " + err.Error()
}

// generate starts a video and returns the id of its file.
func (s *Site) generate(ctx context.Context, prompt string) (string, error) {
	var file struct {
		ID string `json:"id"`
	}
	body := value(object{"config": object{
		"prompt": prompt, "negative_prompt": "", "width": 1280, "height": 720, "aspect_ratio": "16:9", "duration": 8, "seed": 1,
		"generation_config_name": "google-cloud/veo3-text2video", "frame_rate": 30, "batch_size": 1, "references": []string{},
	}}, 0).Text
	err := s.call(ctx, http.MethodPost, s.cfg.FilesURL+"/api/v1/file/generate-video", strings.NewReader(body), &file)
	if err == nil && file.ID == "" {
		err = errors.New("no file ID returned")
	}
	return file.ID, err
}

// call calls another service, whose fake accepts any token.
func (s *Site) call(ctx context.Context, method, address string, body io.Reader, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer example")
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.cfg.Client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // what was read is all that counts
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%d - %s", resp.StatusCode, raw)
	}
	return json.Unmarshal(raw, into)
}
