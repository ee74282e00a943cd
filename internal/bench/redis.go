package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/sweep"
)

var ctx = context.Background()

// server is a redis-server of our own.
type server struct {
	*redis.Client
	opened *store.Redis
	stop   func()
}

func startRedis() *server {
	free := must(net.Listen("tcp", "127.0.0.1:0"))
	addr := free.Addr().String()
	must(0, free.Close())
	stop := launch(exec.Command("redis-server", "--port", strings.TrimPrefix(addr, "127.0.0.1:"), "--bind", "127.0.0.1", "--save", ""))
	client := redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: time.Minute, MaxRetries: 50})
	return &server{client, must(store.Open(ctx, "redis://"+addr)), stop}
}

// launch starts a program. The function returned ends it.
func launch(cmd *exec.Cmd) (stop func()) {
	cmd.Stderr = os.Stderr
	must(0, cmd.Start())
	return func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()         // it was killed
	}
}

// costs are the seconds that something took, and those that Redis computed for it.
type costs struct{ wall, cpu []float64 }

func (s *server) measure(c *costs, do func()) {
	before, began := s.cpu(), time.Now()
	do()
	c.wall = append(c.wall, time.Since(began).Seconds())
	c.cpu = append(c.cpu, s.cpu()-before)
}

// cpu is the processor time of Redis' main thread in seconds.
func (s *server) cpu() float64 {
	figures := must(s.InfoMap(ctx, "cpu").Result())["CPU"]
	return must(strconv.ParseFloat(figures["used_cpu_sys_main_thread"], 64)) + must(strconv.ParseFloat(figures["used_cpu_user_main_thread"], 64))
}

// layout is a way in which the site stores sessions.
type layout struct {
	name, match string
	fullLimit   float64 // of a full sweep's duration, in times of a bare SCAN's
}

func sessionID(n int) string { return fmt.Sprintf("cs_live_a1%x", sha256.Sum224(fmt.Append(nil, n))) }

func fileID(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", n, n) }

// load stores sessions, and of 97 of 100 that their file is finished, as
// store/sweep.Files does: the first sweep checks that it finds those.
func (r *report) load(s *server, l layout) {
	began, pipe, hash := time.Now(), s.Pipeline(), ""
	for n := range r.Sessions {
		age := time.Hour + time.Duration(n)*(26*24*time.Hour/time.Duration(r.Sessions))
		if n%100 == 97 { // it may still be paid
			age /= 26
		}
		l.put(pipe, n, began.Add(-age))
		if n%100 < 97 {
			key := sha256.Sum256([]byte(sessionID(n)))
			uuid, _ := sweep.FileID(fileID(n)) // it is one
			hash = fmt.Sprintf("sessionbot:finished:%d:%x", began.Add(-age).Unix()/(24*60*60), key[:1])
			pipe.HSet(ctx, hash, key[:8], uuid[:])
		}
		if pipe.Len() > 1000 || n == r.Sessions-1 {
			must(pipe.Exec(ctx))
		}
	}
	r.note("%d sessions in the %s layout were loaded in %.0f s. To remember that a file is finished takes %d bytes of Redis.", r.Sessions, l.name,
		time.Since(began).Seconds(), must(s.MemoryUsage(ctx, hash).Result())/must(s.HLen(ctx, hash).Result()))
}

// put stores the n-th session as the site does.
func (l layout) put(pipe redis.Pipeliner, n int, created time.Time) {
	status, file := "processing", `"fileId":"`+fileID(n)+`",`
	switch n % 100 {
	case 97, 99:
		status, file = "pending", ""
	case 98:
		status, file = "error", `"error":"The video could not be made.",`
	}
	at := created.UTC().Format(`"2006-01-02T15:04:05.000Z"`)
	stamp, tool := `"timestamp":`+at, `"toolSlug":"veo3-prompt-generator","toolTitle":"Free VEO3 Viral Prompt Generator",`
	prompt := `"prompt":"` + strings.Repeat("A fox runs through fresh snow. ", 2+n%8) + `",`
	set := func(key, value string) {
		pipe.Set(ctx, key+sessionID(n), "{"+value+"}", store.KeyLife-time.Since(created))
	}
	if l.name == "one-key" {
		set("session:", prompt+`"videoCount":1,"duration":8,"resolution":"1280x720","style":"cinematic",`+tool+`"createdAt":`+at+`,"status":"`+status+`",`+file+stamp)
		return
	}
	set("prompt:", prompt+stamp)
	if n%100 != 97 {
		set("webhook:", `"status":"`+status+`",`+file+tool+stamp)
		set("session:", file+stamp)
	}
}
