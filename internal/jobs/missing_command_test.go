package jobs_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/repair"
)

// TestMissingCommandEndsTheJob: a job that needs a command which Redis does not
// have, or does not allow, ends at once with the command's name, and leaves its
// session unchanged.
func TestMissingCommandEndsTheJob(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		command string
		outcome store.Outcome
	}{
		{"WATCH", store.OutcomeRefused}, {"STRLEN", store.OutcomeRefused}, {"MULTI", store.OutcomeRefused}, {"EXEC", store.OutcomeRefused},
		{"EXISTS", store.OutcomeFailed}, // first used just before the request; the claim is in the session by then
	} {
		for _, how := range []string{"renamed", "forbidden"} {
			if how == "forbidden" && c.command == "EXISTS" {
				continue // nor may scripts call it then, and no plan is claimed
			}
			t.Run(c.command+" "+how, func(t *testing.T) {
				t.Parallel()
				server := redistest.Start(t)
				b := benchOn(t, server.URL(), server.Client())
				id := b.claimed(store.ActionGenerate)
				if how == "renamed" { // in front of the server: what scripts call is not touched
					url := redistest.Patient(t, "redis://"+without(t, server.Addr(), c.command))
					b.product, b.ledger = opened(t, url)
				} else {
					command(t, server, "ACL", "SETUSER", "default", "-"+strings.ToLower(c.command))
				}
				job := b.ended(id, b.config())
				if job.Outcome != c.outcome || job.Cause != repair.CauseCommand || !strings.Contains(strings.Join(job.Detail, " "), c.command) || b.files.Started() != 0 {
					t.Errorf("%s (%s) %q with %d started", job.Outcome, job.Cause, job.Detail, b.files.Started())
				}
				if got := b.value("webhook:" + session); c.outcome == store.OutcomeRefused && got != nil || c.outcome == store.OutcomeFailed && got["status"] != "error" {
					t.Errorf("the webhook's value is %v", got)
				}
				if x := b.examined(); x.Job != "" {
					t.Errorf("a repair is still %s", x.Job)
				}
			})
		}
	}
}

// TestCommandRefusedMeanwhile: a job ends with the command's name also where Redis
// refuses it only after the claim, or after the request was sent.
func TestCommandRefusedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		action  store.Action
		step    string // after which it is refused
		command string
		outcome store.Outcome
	}{
		{store.ActionFix, "checked", "SET", store.OutcomeRefused},
		{store.ActionFix, "written", "GETRANGE", store.OutcomeGaveUp}, // it is written, and cannot be read again
		{store.ActionGenerate, "checked", "SET", store.OutcomeRefused},
		{store.ActionGenerate, "written", "GET", store.OutcomeGaveUp},
		{store.ActionGenerate, "written", "GETRANGE", store.OutcomeGaveUp},
		{store.ActionGenerate, "written", "MULTI", store.OutcomeGaveUp},
		{store.ActionGenerate, "sent", "WATCH", store.OutcomeGaveUp},
		{store.ActionGenerate, "sent", "SET", store.OutcomeGaveUp},
		{store.ActionGenerate, "filed", "EXEC", store.OutcomeGaveUp},
		{store.ActionGenerate, "filed", "GET", store.OutcomeGaveUp},
		{store.ActionGenerate, "recorded", "XADD", store.OutcomeRefused},
		{store.ActionGenerate, "finished", "XADD", store.OutcomeDone},
	} {
		t.Run(string(c.action)+" "+c.step+" "+c.command, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t)
			b := benchOn(t, server.URL(), server.Client())
			id := b.claimed(c.action)
			var refused atomic.Bool
			b.product, b.ledger = opened(t, redistest.Patient(t, "redis://"+withoutFrom(t, server.Addr(), c.command, &refused)))
			if c.step == "recorded" {
				refused.Store(true)
			} else {
				b.stoppedAt(id, c.step)
				refused.Store(true)
			}
			job := b.ended(id, b.config())
			if job.Outcome != c.outcome || c.outcome != store.OutcomeDone && !strings.Contains(strings.Join(job.Detail, " "), c.command) {
				t.Errorf("%s (%s) %q", job.Outcome, job.Cause, job.Detail)
			}
		})
	}
}

func command(t *testing.T, server *redistest.Server, args ...any) {
	t.Helper()
	if err := server.Client().Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
}

// without returns the address of a proxy in front of a server that replaces the
// name of a command, so that the server does not know it.
func without(t *testing.T, addr, command string) string {
	t.Helper()
	var at atomic.Bool
	at.Store(true)
	return withoutFrom(t, addr, command, &at)
}

// withoutFrom is without as long as refused is set.
func withoutFrom(t *testing.T, addr, command string, refused *atomic.Bool) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", addr)
			if err != nil {
				_ = client.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(client, server)
				_ = client.Close()
			}()
			go func() {
				defer func() { _ = server.Close() }()
				asked := bufio.NewReader(client)
				for {
					line, err := asked.ReadString('\n')
					if refused.Load() && strings.EqualFold(strings.TrimSpace(line), command) {
						line = strings.Repeat("X", len(command)) + "\r\n"
					}
					if _, broken := io.WriteString(server, line); err != nil || broken != nil {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}
