package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
)

// others is SuperDuperAI and the site. They answer with next to nothing done: on
// the machine that all share, what a web server does beside that would count as
// the bot's time.
type others struct {
	net.Listener
	URL     string
	orphans map[string]bool
}

func newOthers() (*others, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	o := &others{Listener: listener, URL: "http://" + listener.Addr().String(), orphans: map[string]bool{}}
	for n := range 1000 { // more than are asked for
		o.orphans[orphan(n)] = true
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go o.serve(conn)
		}
	}()
	return o, nil
}

// serve answers what comes on a connection until its client leaves.
func (o *others) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }() // its client has left
	for from := bufio.NewReader(conn); ; {
		req, err := http.ReadRequest(from)
		if err != nil {
			return
		}
		body := o.answer(req.URL.Path)
		_, err = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
		if err != nil {
			return
		}
	}
}

func (o *others) answer(path string) string {
	session, ofSite := strings.CutPrefix(path, "/api/webhook-status/")
	switch {
	case !ofSite:
		return `{"id":"` + file + `","url":"https://example.com/v.mp4","type":"video","tasks":[]}`
	case o.orphans[session]:
		return `{"status":"pending","message":"not found or processing not yet started"}`
	}
	return `{"status":"completed","fileId":"` + file + `","prompt":"x"}`
}
