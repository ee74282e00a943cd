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
	"github.com/superduperai/sessionbot/store/incident"
)

// bot is a process that serves a workspace of its own.
type bot struct {
	*workspace.Server
	cmd *exec.Cmd
}

// startBot returns when the bot acks commands.
func startBot(program, arg string, env ...string) bot {
	b := bot{must(workspace.Start(workspace.Config{Addr: "127.0.0.1:0"})), exec.Command(program, arg)}
	b.cmd.Env = append(env, "PATH="+os.Getenv("PATH"), "SLACK_APP_TOKEN="+b.AppToken(), "SLACK_BOT_TOKEN="+b.BotToken(), "SLACK_API_URL="+b.APIURL())
	start(b.cmd)
	for tries := 0; tries < 1000 && b.ask(0) != nil; tries++ { // who never acks never answers
		time.Sleep(10 * time.Millisecond)
	}
	return b
}

// ask types a command about the n-th session, and waits for the ack.
func (b bot) ask(n int) error {
	_, err := b.Command("U0SUPPORT", "C0SUPPORT", "/session", "debug "+sessionID(n))
	return err
}

// debug asks for the first sessions at a rate. It returns how many milliseconds
// after typing the acks and the answers were in the workspace.
func (b bot) debug(sessions, perSecond int) (acks, answers []float64) {
	typed, acks := make([]time.Time, sessions), make([]float64, sessions)
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
	for n := range sessions {
		answers = append(answers, b.answer(n, typed[n]))
	}
	return acks, answers
}

// answer waits for the answer to a command.
func (b bot) answer(n int, typed time.Time) float64 {
	for time.Since(typed) < time.Minute {
		messages, _ := b.Messages("C0SUPPORT", "U0SUPPORT")
		for _, m := range slices.Backward(messages) {
			if after := must(strconv.ParseFloat(m.TS, 64))*1000 - float64(typed.UnixMicro())/1000; after > 0 && strings.Contains(m.Text, sessionID(n)) {
				return after
			}
		}
		time.Sleep(time.Millisecond)
	}
	panic("no answer to a command")
}

// memory is a figure of the process in MiB, as Linux names it.
func (b bot) memory(name string) float64 {
	_, rest, _ := strings.Cut(string(must(os.ReadFile(fmt.Sprintf("/proc/%d/status", b.cmd.Process.Pid)))), name+":")
	return must(strconv.ParseFloat(strings.Fields(rest)[0], 64)) / 1024
}

// bots measures the built binary next to the bot on the SDK, and then its first sweep.
func (r *report) bots(s *server) {
	others := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { // SuperDuperAI and the site
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"`+fileID(0)+`","url":"https://example.com/v.mp4","type":"video","tasks":[],"status":"processing","fileId":"`+fileID(0)+`"}`)
	}))
	defer others.Close()
	url := "REDIS_URL=redis://" + s.Options().Addr
	env := []string{url, "HTTP_ADDR=", "LOG_LEVEL=error", "SITE_URL=" + others.URL, "SUPERDUPERAI_URL=" + others.URL, "SUPERDUPERAI_TOKEN=" + strings.Repeat("t", 40)}
	r.add("size of the binary", float64(must(os.Stat("bin/sessionbot")).Size())/1e6, "MB", 40, "", 0)
	begun := time.Now()
	ours := startBot("bin/sessionbot", "run", env...)
	r.add("start to first answer", ours.answer(0, begun)/1000, "s", 1, "", 0)
	time.Sleep(3 * time.Second)
	r.add("memory when idle", ours.memory("VmRSS"), "MiB", 40, "", 0)
	theirs := startBot("node", "bin/bolt/bot.mjs", url)
	var took [2][]float64
	for round := range rounds + 1 { // the first does not count
		for n, b := range []bot{theirs, ours} {
			if _, answers := b.debug(97, 50); round > 0 {
				took[n] = append(took[n], answers...)
			}
		}
	}
	r.add("`/session debug` at 50 a second, p50", median(took[1]), "ms", 1, "@slack/bolt", median(took[0]))
	acks, _ := ours.debug(800, 200)
	r.add("acks at 200 commands a second, p99", quantile(acks, 0.99), "ms", 20, "", 0)

	watching, records, pings := startBot("bin/sessionbot", "run", append(env, "ALERT_CHANNEL=C0ALERTS")...), incident.NewRecords(s.opened), []float64{}
	for must(records.State(ctx)).Swept.IsZero() {
		for range 100 {
			begun := time.Now()
			must(s.Ping(ctx).Result())
			pings = append(pings, time.Since(begun).Seconds()*1000)
			time.Sleep(2 * time.Millisecond)
		}
	}
	r.add("PING of another client during a full sweep, p99", quantile(pings, 0.99), "ms", 5, "", 0)
	r.add("memory of the process during a full sweep", watching.memory("VmHWM"), "MiB", 192, "", 0)
	end(theirs.cmd, ours.cmd, watching.cmd)
}
