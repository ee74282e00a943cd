package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack/socketmode"
)

// TestSlowConsumer: events wait in one channel of fifty. When it is full the Go
// library reads no PINGs any more and ends its own healthy connection; what was
// sent over it is gone.
func TestSlowConsumer(t *testing.T) {
	t.Parallel()
	const commands = 150
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		g := newGoClient(s, m, nil)
		g.run(t, func(ctx context.Context, e socketmode.Event) {
			g.acking(ctx, e)
			if e.Type == socketmode.EventTypeSlashCommand {
				time.Sleep(2 * time.Second)
			}
		})
		synctest.Wait()
		var typing sync.WaitGroup
		for range commands {
			typing.Go(func() { _ = typed(s) }) // operation_timeout, most of them
		}
		since, ended := elapsed(), time.Duration(0)
		for range 600 {
			time.Sleep(time.Second)
			if n, _ := s.sockets.count(); ended == 0 && n == 0 || len(g.did()) > 2 && ended == 0 {
				ended = since()
			}
		}
		typing.Wait()
		if ended < 30*time.Second || ended > time.Minute {
			t.Errorf("the connection ended after %v", ended)
		}
		seen := len(g.events(socketmode.EventTypeSlashCommand))
		t.Logf("ended after %v, %d of %d commands never seen", ended, commands-seen, commands)
		if lost := commands - seen; lost < 50 {
			t.Errorf("%d commands were never seen", lost)
		}
		if err := typed(s); err != nil {
			t.Errorf("typed after that: %v", err)
		}
	})
}

// TestSizeOfAcks: the Go library refuses an ack of 20 480 bytes, and the
// workspace takes one of a byte less.
func TestSizeOfAcks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		size int
		err  string // of the library
		want error  // of the command
	}{
		{maxAck - 1, "", nil},
		{maxAck, "meets or exceeds Slack's 20480-byte WebSocket limit", ErrOperationTimeout},
	} {
		inBubble(t, func(t *testing.T, s *Server, m *memory) {
			g := newGoClient(s, m, nil)
			acked := make(chan error, 1)
			g.run(t, func(ctx context.Context, e socketmode.Event) {
				if e.Type != socketmode.EventTypeSlashCommand {
					return
				}
				payload := map[string]string{"text": "hi", "pad": ""}
				bare, err := json.Marshal(socketmode.Response{EnvelopeID: e.Request.EnvelopeID, Payload: payload})
				if err != nil {
					t.Error(err)
				}
				payload["pad"] = strings.Repeat("x", c.size-len(bare))
				acked <- g.AckCtx(ctx, e.Request.EnvelopeID, payload)
			})
			synctest.Wait()
			if err := typed(s); !errors.Is(err, c.want) {
				t.Errorf("%d bytes: %v, want %v", c.size, err, c.want)
			}
			if err := <-acked; (err == nil) != (c.err == "") || (err != nil && !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%d bytes: the library says %v", c.size, err)
			}
		})
	}
}

// TestAckIsNoReceipt: an ack is only put in a queue of twenty. Into a dead
// socket it goes without an error; without a connection the twenty-first waits
// until its context ends.
func TestAckIsNoReceipt(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		g := newGoClient(s, m, nil)
		acked := make(chan error, 1)
		g.run(t, func(ctx context.Context, e socketmode.Event) {
			if e.Type == socketmode.EventTypeSlashCommand {
				fault(t, s, Fault{Kind: HalfOpen, Seconds: 5})
				acked <- g.AckCtx(ctx, e.Request.EnvelopeID, nil)
			}
		})
		synctest.Wait()
		if err := typed(s); !errors.Is(err, ErrOperationTimeout) {
			t.Errorf("into a dead socket: %v", err)
		}
		if err := <-acked; err != nil {
			t.Errorf("into a dead socket: the library says %v", err)
		}

		fault(t, s, Fault{Kind: DropConnections, Seconds: 3600})
		synctest.Wait()
		for i := range 20 {
			if err := g.AckCtx(t.Context(), "nobody-waits-for-this", nil); err != nil {
				t.Errorf("ack %d without a connection: %v", i+1, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		waited := elapsed()
		if err := g.AckCtx(ctx, "nor-for-this", nil); !errors.Is(err, context.DeadlineExceeded) || waited() != time.Minute {
			t.Errorf("the twenty-first: %v after %v", err, waited())
		}
	})
}

// TestPayloadsThatCannotBeDecoded reach the consumer and are not acknowledged;
// the id for the ack has to be read from the raw frame.
func TestPayloadsThatCannotBeDecoded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		acks bool
		want error
	}{{"left alone", false, ErrOperationTimeout}, {"acknowledged by hand", true, nil}} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *Server, m *memory) {
				g := newGoClient(s, m, nil)
				g.run(t, func(ctx context.Context, e socketmode.Event) {
					g.acking(ctx, e)
					bad, ok := e.Data.(*socketmode.ErrorBadMessage)
					if !ok || !c.acks {
						return
					}
					var frame struct {
						ID string `json:"envelope_id"`
					}
					if err := json.Unmarshal(bad.Message, &frame); err != nil {
						t.Error(err)
					}
					if err := g.AckCtx(ctx, frame.ID, nil); err != nil {
						t.Error(err)
					}
				})
				synctest.Wait()
				fault(t, s, Fault{Kind: Garble})
				if err := typed(s); !errors.Is(err, c.want) {
					t.Errorf("typed: %v, want %v", err, c.want)
				}
				if n := len(g.events(socketmode.EventTypeErrorBadMessage)); n != 1 {
					t.Errorf("%d bad messages were reported", n)
				}
				fault(t, s, Fault{Kind: Clear})
				if err := typed(s); err != nil || len(g.did()) != 2 {
					t.Errorf("after that: %v, it did %v", err, g.did())
				}
			})
		})
	}
}

// TestHandlerOfTheLibrary starts a goroutine for every event, as many as come.
func TestHandlerOfTheLibrary(t *testing.T) {
	t.Parallel()
	const commands = 200
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		g := newGoClient(s, m, nil)
		at, most := 0, 0
		var mu sync.Mutex
		handler := socketmode.NewSocketmodeHandler(g.Client)
		handler.HandleDefault(func(*socketmode.Event, *socketmode.Client) {})
		handler.HandleSlashCommand("/x", func(e *socketmode.Event, client *socketmode.Client) {
			mu.Lock()
			at++
			most = max(most, at)
			mu.Unlock()
			_ = client.AckCtx(t.Context(), e.Request.EnvelopeID, nil) // the command notices
			time.Sleep(time.Minute)
			mu.Lock()
			at--
			mu.Unlock()
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = handler.RunEventLoopContext(ctx) // ends with the context
		}()
		synctest.Wait()
		var typing sync.WaitGroup
		for range commands {
			typing.Go(func() {
				if err := typed(s); err != nil {
					t.Error(err)
				}
			})
		}
		typing.Wait()
		cancel()
		<-ended
		time.Sleep(2 * time.Minute)
		if most != commands {
			t.Errorf("%d handlers at once", most)
		}
	})
}

// TestHandlerOfTheLibraryPanics: nothing recovers, so one bad event ends the
// whole process. It is a process of its own that ends here.
func TestHandlerOfTheLibraryPanics(t *testing.T) {
	t.Parallel()
	if os.Getenv("HANDLER_PANICS") == "" {
		again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		again.Env = append(os.Environ(), "HANDLER_PANICS=1")
		out, err := again.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !strings.Contains(string(out), "panic: on purpose") || strings.Contains(string(out), "still here") {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	inBubble(t, func(t *testing.T, s *Server, m *memory) {
		g := newGoClient(s, m, nil)
		handler := socketmode.NewSocketmodeHandler(g.Client)
		handler.HandleSlashCommand("/x", func(*socketmode.Event, *socketmode.Client) { panic("on purpose") })
		go func() { _ = handler.RunEventLoopContext(t.Context()) }()
		synctest.Wait()
		_ = typed(s)
		t.Log("still here")
	})
}
