package store

import (
	"bytes"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// line carries bytes to a Redis server and back. While lose is above zero the
// answer to the command, an EXEC unless it is set, is read, thrown away, and
// the connection cut.
type line struct {
	addr    string
	command string
	lose    atomic.Int32
	lost    func()      // called for each answer that is lost, before the cut
	down    atomic.Bool // nothing is carried
}

func newLine(t *testing.T, server string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{addr: listener.Addr().String(), command: "exec", lost: func() {}}
	var open sync.WaitGroup
	t.Cleanup(func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
		open.Wait()
	})
	open.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() { l.carry(client, server) })
		}
	})
	return l
}

func (l *line) carry(client net.Conn, addr string) {
	defer client.Close() //nolint:errcheck // the cut is what it is for
	if l.down.Load() {
		return
	}
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer server.Close() //nolint:errcheck // the cut is what it is for
	answered := make(chan struct{})
	var cut atomic.Bool
	go func() {
		defer close(answered)
		defer client.Close() //nolint:errcheck // ends the other direction too
		buffer := make([]byte, 64<<10)
		for {
			n, err := server.Read(buffer)
			if err != nil {
				return
			}
			if cut.Load() {
				l.lost()
				return
			}
			if _, err := client.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			break
		}
		if bytes.Contains(bytes.ToLower(buffer[:n]), []byte("\r\n"+l.command+"\r\n")) && l.lose.Add(-1) >= 0 {
			cut.Store(true)
		}
		if _, err := io.Copy(server, bytes.NewReader(buffer[:n])); err != nil {
			break
		}
	}
	_ = server.Close() // ends the reading of answers
	<-answered
}
