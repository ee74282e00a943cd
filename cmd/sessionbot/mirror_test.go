package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// mirror is a way in which a server repeats what it was sent, be it a token or a customer's
// data.
type mirror struct {
	name   string
	status int
	body   func(echo string) string // of an answer
	raw    func(echo string) string // in place of HTTP
}

// mirrors are all the ways.
func mirrors() []mirror {
	quoted := func(format string) func(string) string {
		return func(echo string) string {
			text, err := json.Marshal(echo)
			if err != nil {
				panic(err) // it is text
			}
			return strings.ReplaceAll(format, "§", string(text))
		}
	}
	var all []mirror
	for name, body := range map[string]func(string) string{
		"as Stripe complains":       quoted(`{"error":{"message":§,"code":§,"type":§,"param":§}}`),
		"as SuperDuperAI complains": quoted(`{"detail":§}`),
		"as it names fields":        quoted(`{"detail":[{"loc":["body",§],"msg":§,"type":§,"input":§}]}`),
		"as Slack complains":        quoted(`{"ok":false,"error":§,"needed":§,"provided":§,"response_metadata":{"messages":[§]}}`),
		"in every member":           quoted(`{"id":§,"object":"checkout.session","status":§,"payment_status":§,"error":§,"fileId":§,"url":§,"tasks":§,"created":§,"currency":§}`),
		"as a text":                 func(echo string) string { return echo },
	} {
		for _, status := range []int{200, 302, 400, 401, 402, 403, 404, 409, 422, 429, 500, 502} {
			all = append(all, mirror{name: fmt.Sprintf("HTTP %d, %s", status, name), status: status, body: body})
		}
	}
	for name, raw := range map[string]string{
		"as it came": "§", "as a version": "HTTP/§ 200 OK\r\n\r\n", "as a status": "HTTP/1.1 §\r\n\r\n", "as a reason": "HTTP/1.1 500 §\r\nContent-Length: 0\r\n\r\n",
		"as a header": "HTTP/1.1 200 OK\r\n§\r\n\r\n", "as a length": "HTTP/1.1 200 OK\r\nContent-Length: §\r\n\r\n",
		"as an encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: §\r\n\r\n", "as a chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n§\r\n",
		"as a redirect": "HTTP/1.1 302 Found\r\nLocation: http://[§\r\n\r\n", "as a pause": "HTTP/1.1 429 Too Many Requests\r\nRetry-After: §\r\n\r\n",
	} {
		all = append(all, mirror{name: name, raw: func(echo string) string { return strings.ReplaceAll(raw, "§", echo) }})
	}
	return all
}

// ServeHTTP repeats the request.
func (m mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has hung up
	}
	echo := strings.NewReplacer("\r", " ", "\n", " ").Replace(fmt.Sprint(r.Header["Authorization"], " ", r.URL, " ", string(body)))
	if m.raw == nil {
		w.Header().Set("Location", "http://elsewhere.test/?"+echo)
		w.WriteHeader(m.status)
		_, _ = io.WriteString(w, m.body(echo)) // the client notices
		return
	}
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err) // a server of this test's own
	}
	defer func() { _ = conn.Close() }()
	_, _ = io.WriteString(conn, m.raw(echo)) // the client notices
}

// serveRedis is a Redis that repeats whatever it is sent.
func serveRedis(t testing.TB, answer func(asked []byte) []byte) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				asked := make([]byte, 64<<10)
				for {
					n, err := conn.Read(asked)
					if err != nil {
						return
					}
					if _, err := conn.Write(answer(asked[:n])); err != nil {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

// redisMirrors are ways in which a Redis repeats. The first is how real ones
// refuse a command that they do not know.
func redisMirrors() map[string]func([]byte) []byte {
	line := func(asked []byte) []byte {
		return bytes.ReplaceAll(bytes.ReplaceAll(asked, []byte("\r\n"), []byte("' '")), []byte("\n"), nil)
	}
	wrap := func(before, after string) func([]byte) []byte {
		return func(asked []byte) []byte {
			one := append([]byte(before), line(asked)...)
			return bytes.Repeat(append(one, after...), max(1, bytes.Count(asked, []byte("*"))))
		}
	}
	return map[string]func([]byte) []byte{
		"an unknown command": wrap("-ERR unknown command 'X', with args beginning with: '", "'\r\n"),
		"as it came":         func(asked []byte) []byte { return asked },
		"as a line":          wrap("", "\r\n"),
		"as a status":        wrap("+", "\r\n"),
		"as a number":        wrap(":", "\r\n"),
		"as a code":          wrap("-", "\r\n"),
		"as a redirect":      wrap("-MOVED 1 ", "\r\n"),
		"as a length":        wrap("$", "\r\n"),
	}
}

// serveTLS is a server with an untrusted certificate.
func serveTLS(t testing.TB) string {
	t.Helper()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	return server.URL
}
