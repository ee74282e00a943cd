package main

import (
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/sweep"
)

// server is a redis-server of our own, with sessions.
type server struct {
	*redis.Client
	opened *store.Redis
	cmd    *exec.Cmd
}

// load starts a server and stores sessions, and of 97 of 100 that their file is
// finished, as store/sweep.Files does: the first sweep checks that it finds those.
func (r *report) load(layout string) *server {
	free := must(net.Listen("tcp", "127.0.0.1:0"))
	addr := free.Addr().String()
	must(0, free.Close())
	cmd := start(exec.Command("redis-server", "--port", strings.TrimPrefix(addr, "127.0.0.1:"), "--bind", "127.0.0.1", "--save", ""))
	s := &server{redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: time.Minute, MaxRetries: 50}), must(store.Open(ctx, "redis://"+addr)), cmd}
	began, pipe, hash := time.Now(), s.Pipeline(), ""
	for n := range r.Sessions {
		created := began.Add(-time.Hour - time.Duration(n)*(26*24*time.Hour/time.Duration(r.Sessions)))
		for key, value := range session(n, layout, created) {
			pipe.Set(ctx, key+sessionID(n), "{"+value+"}", store.KeyLife-began.Sub(created))
		}
		if n%100 < 97 {
			key := sha256.Sum256([]byte(sessionID(n)))
			uuid, _ := sweep.FileID(fileID(n)) // it is one
			hash = fmt.Sprintf("sessionbot:finished:%d:%x", created.Unix()/(24*60*60), key[:1])
			pipe.HSet(ctx, hash, key[:8], uuid[:])
		}
		if pipe.Len() > 1000 || n == r.Sessions-1 {
			must(pipe.Exec(ctx))
		}
	}
	r.note("%d sessions in the %s layout were loaded in %.0f s. To remember that a file is finished takes %d bytes of Redis.", r.Sessions, layout,
		time.Since(began).Seconds(), must(s.MemoryUsage(ctx, hash).Result())/must(s.HLen(ctx, hash).Result()))
	return s
}

// session is the n-th one as the site stores it: values by the prefixes of keys.
func session(n int, layout string, created time.Time) map[string]string {
	status, file := "processing", `"fileId":"`+fileID(n)+`",`
	switch n % 100 {
	case 97, 98:
		status, file = "pending", ""
	case 99:
		status, file = "error", `"error":"The video could not be made.",`
	}
	at := created.UTC().Format(`"2006-01-02T15:04:05.000Z"`)
	stamp, tool := `"timestamp":`+at, `"toolSlug":"veo3-prompt-generator","toolTitle":"Free VEO3 Viral Prompt Generator",`
	prompt := `"prompt":"` + strings.Repeat("A fox runs through fresh snow. ", 2+n%8) + `",`
	switch {
	case layout == "one-key":
		return map[string]string{"session:": prompt + `"videoCount":1,"duration":8,"resolution":"1280x720","style":"cinematic",` +
			tool + `"createdAt":` + at + `,"status":"` + status + `",` + file + stamp}
	case n%100 == 97: // not paid: no webhook came
		return map[string]string{"prompt:": prompt + stamp}
	}
	return map[string]string{"prompt:": prompt + stamp, "webhook:": `"status":"` + status + `",` + file + tool + stamp, "session:": file + stamp}
}

func sessionID(n int) string { return fmt.Sprintf("cs_live_a1%x", sha256.Sum224(fmt.Append(nil, n))) }

func fileID(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", n, n) }

func start(cmd *exec.Cmd) *exec.Cmd {
	cmd.Stderr = os.Stderr
	must(0, cmd.Start())
	started = append(started, cmd)
	return cmd
}

func end(cmd *exec.Cmd) {
	_ = cmd.Process.Kill() // it may have ended
	_ = cmd.Wait()         // it was killed
}
