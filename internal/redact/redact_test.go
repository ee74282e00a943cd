package redact_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/superduperai/sessionbot/internal/redact"
)

// TestErrorQuotesNoResponse: nothing of a malformed response is in the error.
func TestErrorQuotesNoResponse(t *testing.T) {
	t.Parallel()
	const secret = "canary"
	for name, answer := range map[string]string{
		"no HTTP at all": secret + "\r\n\r\n", "a version": "HTTP/" + secret + " 200 OK\r\n\r\n", "a status": "HTTP/1.1 " + secret + "\r\n\r\n",
		"a header": "HTTP/1.1 200 OK\r\n" + secret + "\r\n\r\n", "a length": "HTTP/1.1 200 OK\r\nContent-Length: " + secret + "\r\n\r\n",
		"an encoding": "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + secret + "\r\n\r\n", "a redirect": "HTTP/1.1 302 Found\r\nLocation: http://[" + secret + "\r\n\r\n",
		"a chunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + secret + "\r\n", "cut": "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + secret,
	} {
		t.Run(name, func(t *testing.T) {
			err := get(t, answer)
			if err == nil {
				t.Fatal("no error")
			}
			if text := redact.Error(err).Error(); strings.Contains(text, secret) {
				t.Errorf("%q is quoted: %s", secret, text)
			}
		})
	}
}

// get returns the error of a request to a server that answers so.
func get(t *testing.T, answer string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = conn.Read(make([]byte, 4096)) // the client gets the error
		_, _ = io.WriteString(conn, answer)
	}()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	_, err = io.ReadAll(res.Body)
	return err
}

func TestErrorKeepsKnownErrors(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for _, known := range []error{context.DeadlineExceeded, os.ErrDeadlineExceeded, context.Canceled, io.EOF, refused} {
		if got := redact.Error(fmt.Errorf("canary: %w", known)); !errors.Is(got, known) || strings.Contains(got.Error(), "canary") {
			t.Errorf("%v became %v", known, got)
		}
	}
	if redact.Error(nil) != nil {
		t.Error("nil became an error")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	_, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:1")
	if got := redact.Error(err); !errors.Is(got, context.DeadlineExceeded) && got != nil {
		var late net.Error
		if !errors.As(got, &late) || !late.Timeout() {
			t.Errorf("a deadline became %v", got)
		}
	}
}
