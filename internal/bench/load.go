package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// server is a redis-server of our own.
type server struct {
	addr   string
	pid    int
	client *redis.Client
	stop   func()
}

func startRedis(ctx context.Context) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(addr)
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("redis-server: %w", err)
	}
	s := &server{addr: addr, pid: cmd.Process.Pid, client: redis.NewClient(&redis.Options{Addr: addr, ReadTimeout: time.Minute})}
	s.stop = func() {
		_ = s.client.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed: an error is what it says
		_ = os.RemoveAll(dir)
	}
	for range 500 {
		if err = s.client.Ping(ctx).Err(); err == nil {
			return s, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.stop()
	return nil, err
}

// dataset is sessions as the product stores them: always the same ones, of the
// last 29 days, 97 of 100 completed.
type dataset struct {
	oneKey bool
	size   int64 // bytes of all values
	keys   int64
}

const (
	alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	file     = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
	month    = 30 * 24 * time.Hour

	orphansOf100 = 3 // in the one-key layout they are pending
)

// id is the n-th session's.
func id(n int) string {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	raw := []byte("cs_live_a1")
	for range 56 {
		raw = append(raw, alphabet[r.IntN(len(alphabet))])
	}
	return string(raw)
}

// add stores the sessions from one number up to another.
func (d *dataset) add(ctx context.Context, s *server, from, to int) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(conn, 1<<20)
	go func() { _, _ = io.Copy(io.Discard, conn) }() // until it is closed
	text := strings.Repeat("A cinematic shot of a fox running through fresh snow. ", 10)
	picture := strings.Repeat("iVBORw0KGgoAAAANSUhEUgAA", 200_000/24)
	now := time.Now()
	var buf []byte
	for n := from; n < to && err == nil; n++ {
		r := rand.New(rand.NewPCG(3, uint64(n)))
		age := time.Duration(r.Int64N(int64(29 * 24 * time.Hour)))
		at := now.Add(-age).UTC().Format("2006-01-02T15:04:05.000Z")
		ttl := strconv.Itoa(int((month - age).Seconds()))
		id, prompt, done := id(n), text[:50+r.IntN(250)], n%100 < 100-orphansOf100
		buf = buf[:0]
		set := func(key, value string) {
			d.keys++
			d.size += int64(len(value))
			buf = command(buf, "SET", key, value, "EX", ttl)
		}
		switch {
		case d.oneKey:
			status, picked := `"pending"`, ""
			if done {
				status = `"completed","fileId":"` + file + `","timestamp":"` + at + `"`
			}
			if n%100 == 1 {
				picked = `"imageFile":{"name":"a.png","size":150000,"type":"image/png","content":"` + picture + `"},`
			}
			set("session:"+id, `{"prompt":"`+prompt+`","videoCount":1,"duration":8,"resolution":"1280x720","style":"","toolSlug":"veo3-prompt-generator",`+
				picked+`"createdAt":"`+at+`","status":`+status+`}`)
		case done:
			set("prompt:"+id, `{"prompt":"`+prompt+`","timestamp":"`+at+`"}`)
			set("webhook:"+id, `{"status":"completed","fileId":"`+file+`","timestamp":"`+at+
				`","toolSlug":"veo3-prompt-generator","toolTitle":"Free VEO3 Viral Prompt Generator"}`)
			set("session:"+id, `{"fileId":"`+file+`","timestamp":"`+at+`"}`)
		default:
			set("prompt:"+id, `{"prompt":"`+prompt+`","timestamp":"`+at+`"}`)
		}
		_, err = w.Write(buf)
	}
	if err = errors.Join(err, w.Flush()); err != nil {
		return err
	}
	for {
		held, err := s.client.DBSize(ctx).Result()
		if err != nil {
			return err
		}
		if held >= d.keys {
			return conn.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// command appends a command as it is sent.
func command(buf []byte, words ...string) []byte {
	buf = append(strconv.AppendInt(append(buf, '*'), int64(len(words)), 10), "\r\n"...)
	for _, word := range words {
		buf = append(strconv.AppendInt(append(buf, '$'), int64(len(word)), 10), "\r\n"...)
		buf = append(append(buf, word...), "\r\n"...)
	}
	return buf
}
