package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/internal/workspace"
	"github.com/superduperai/sessionbot/store"
)

// bot is a process that serves a workspace of its own.
type bot struct {
	*workspace.Server
	pid  int
	stop func()
}

// startBot returns when the bot acks commands.
func startBot(program, arg string, env ...string) *bot {
	ws, cmd := must(workspace.Start(workspace.Config{Addr: "127.0.0.1:0"})), exec.Command(program, arg)
	cmd.Env = append(env, "PATH="+os.Getenv("PATH"), "SLACK_APP_TOKEN="+ws.AppToken(), "SLACK_BOT_TOKEN="+ws.BotToken(), "SLACK_API_URL="+ws.APIURL())
	stop := launch(cmd)
	b := &bot{ws, cmd.Process.Pid, func() { stop(); _ = ws.Close() }} // nobody is left
	for range 1000 {
		if b.ask(0) == nil {
			return b
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.stop()
	panic(program + " does not ack")
}

// ask types a command about the n-th session, and waits for the ack.
func (b *bot) ask(n int) error {
	_, err := b.Command("U0SUPPORT", "C0SUPPORT", "/session", "debug "+sessionID(n))
	return err
}

// types asks for the first sessions at a rate. It returns when each was typed,
// and how many milliseconds the acks took.
func (b *bot) types(sessions, perSecond int) (typed []time.Time, acks []float64) {
	typed, acks = make([]time.Time, sessions), make([]float64, sessions)
	tick := time.Tick(time.Second / time.Duration(perSecond))
	var typing sync.WaitGroup
	for n := range sessions {
		typed[n] = <-tick
		typing.Go(func() {
			_ = b.ask(n) // where it fails nobody answers
			acks[n] = time.Since(typed[n]).Seconds() * 1000
		})
	}
	typing.Wait()
	return typed, acks
}

// answers waits for the answers. It returns how many milliseconds after typing
// each was in the workspace.
func (b *bot) answers(typed []time.Time) (took []float64) {
	for n, begun := range typed {
		for len(took) == n {
			messages, _ := b.Messages("C0SUPPORT", "U0SUPPORT")
			for _, m := range slices.Backward(messages) {
				after := must(strconv.ParseFloat(m.TS, 64))*1000 - float64(begun.UnixMicro())/1000
				if strings.Contains(m.Text, sessionID(n)) && after > 0 {
					took = append(took, after)
					break
				}
			}
			if time.Since(begun) > time.Minute {
				panic("no answer to a command")
			}
			time.Sleep(time.Millisecond)
		}
	}
	return took
}

// memory is a figure of the process in MiB, as Linux names it.
func (b *bot) memory(name string) float64 {
	_, rest, _ := strings.Cut(string(must(os.ReadFile(fmt.Sprintf("/proc/%d/status", b.pid)))), name+":")
	return must(strconv.ParseFloat(strings.Fields(rest)[0], 64)) / 1024
}

// bots measures the built binary, beside the bot on the SDK, and then its first sweep.
func (r *report) bots(s *server) {
	const binary = "bin/sessionbot"
	others := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // SuperDuperAI and the site
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"`+fileID(0)+`","url":"https://example.com/v.mp4","type":"video","tasks":[],"status":"processing","fileId":"`+fileID(0)+`"}`)
	}))
	defer others.Close()
	url := "REDIS_URL=redis://" + s.Options().Addr
	env := []string{url, "HTTP_ADDR=", "LOG_LEVEL=error", "SITE_URL=" + others.URL, "SUPERDUPERAI_URL=" + others.URL, "SUPERDUPERAI_TOKEN=" + strings.Repeat("t", 40)}
	r.under("size of the binary", float64(must(os.Stat(binary)).Size())/1e6, 40, "MB")
	begun := time.Now()
	ours := startBot(binary, "run", env...)
	defer ours.stop()
	r.under("start to first answer", ours.answers([]time.Time{begun})[0]/1000, 1, "s")
	time.Sleep(3 * time.Second)
	r.under("memory when idle", ours.memory("VmRSS"), 40, "MiB")
	theirs := startBot("node", "bin/bolt/bot.mjs", url)
	defer theirs.stop()
	var took [2][]float64
	for round := range rounds + 2 { // the first two do not count
		for n, b := range []*bot{theirs, ours} {
			typed, _ := b.types(97, 50)
			if answers := b.answers(typed); round > 1 {
				took[n] = append(took[n], answers...)
			}
		}
	}
	r.atMost("`/session debug` at 50 a second, p50", median(took[1]), "@slack/bolt", median(took[0]), 1, "ms")
	_, acks := ours.types(800, 200)
	r.under("acks at 200 commands a second, p99", quantile(acks, 0.99), 20, "ms")

	watching, records, pings := startBot(binary, "run", append(env, "ALERT_CHANNEL=C0ALERTS")...), store.NewWatch(s.opened), []float64{}
	defer watching.stop()
	for must(records.State(ctx)).Swept.IsZero() {
		for range 100 {
			begun := time.Now()
			must(s.Ping(ctx).Result())
			pings = append(pings, time.Since(begun).Seconds()*1000)
			time.Sleep(2 * time.Millisecond)
		}
	}
	r.under("PING of another client during a full sweep, p99", quantile(pings, 0.99), 5, "ms")
	r.under("memory of the process during a full sweep", watching.memory("VmHWM"), 192, "MiB")
}
