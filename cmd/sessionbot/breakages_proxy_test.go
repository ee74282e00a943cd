package main

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// Slack's hosts for a machine that reaches it through a proxy alone: those of the
// certificate of httptest's servers.
const (
	slackHost   = "example.com:443"
	socketsHost = "example.com:8443"
)

var behindProxies = []breakage{
	{"the app is installed for a whole organization", 1, func(c *doctorStage) {
		c.env["SLACK_API_URL"] = c.serve(c.inFrontOfSlack(`"team_id":"T`, `"team_id":"E`)) + "/api/"
	}},
	{"Slack is reached through a proxy", 0, func(c *doctorStage) { c.behindProxy(proxy{}) }},
	{"a proxy wants a password, and has it", 0, func(c *doctorStage) {
		c.behindProxy(proxy{wants: "bot:" + redisMark}, url.UserPassword("bot", redisMark))
	}},
	{"a proxy wants a token, and has it", 0, func(c *doctorStage) { c.behindProxy(proxy{wants: redisMark + ":"}, url.User(redisMark)) }},
	{"an https proxy", 0, func(c *doctorStage) { c.behindProxy(proxy{tls: true}) }},
	{"an https proxy wants a password, and has it", 0, func(c *doctorStage) {
		c.behindProxy(proxy{tls: true, wants: "bot:" + redisMark}, url.UserPassword("bot", redisMark))
	}},
	{"a proxy wants a password, and has none", 1, func(c *doctorStage) { c.behindProxy(proxy{wants: "bot:" + redisMark}) }},
	{"a proxy wants another password", 1, func(c *doctorStage) {
		c.behindProxy(proxy{tls: true, wants: "bot:" + redisMark}, url.UserPassword("bot", "MARKEDwrong"))
	}},
	{"a proxy refuses CONNECT", 1, func(c *doctorStage) { c.behindProxy(proxy{refuses: "example.com"}) }},
	{"a proxy refuses CONNECT for sockets alone", 1, func(c *doctorStage) { c.behindProxy(proxy{refuses: socketsHost}) }},
	{"nobody listens at the proxy's address", 1, with("SLACK_API_URL", "https://example.com/api/", "HTTPS_PROXY", "http://127.0.0.1:1")},
}

// proxy is how a proxy behaves.
type proxy struct {
	tls     bool
	wants   string // user:password
	refuses string // what a host begins with
}

// behindProxy puts a proxy before Slack, whose credentials may be given.
func (c *doctorStage) behindProxy(p proxy, user ...*url.Userinfo) {
	slack := httptest.NewTLSServer(c.inFrontOfSlack("ws://"+strings.TrimPrefix(c.slackSide.URL(), "http://"), "wss://"+socketsHost))
	c.t.Cleanup(slack.Close)
	c.t.Cleanup(slack.CloseClientConnections)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.serve(w, r, slack.Listener.Addr().String())
	}))
	server.EnableHTTP2 = false
	at := url.URL{Scheme: "http", Host: server.Listener.Addr().String()}
	if p.tls {
		at.Scheme = "https"
		server.StartTLS()
	} else {
		server.Start()
	}
	c.t.Cleanup(server.Close)
	for _, u := range user {
		at.User = u
	}
	c.env["SLACK_API_URL"], c.env["HTTPS_PROXY"] = "https://"+slackHost+"/api/", at.String()
}

// serve lets requests through to Slack alone.
func (p proxy) serve(w http.ResponseWriter, r *http.Request, slack string) {
	given := r.Header.Get("Proxy-Authorization")
	here, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = here.Close() }()
	switch {
	case p.wants != "" && given != "Basic "+base64.StdEncoding.EncodeToString([]byte(p.wants)):
		_, _ = io.WriteString(here, "HTTP/1.1 407\r\n\r\n") // the caller notices
		return
	case r.Method != http.MethodConnect, p.refuses != "" && strings.HasPrefix(r.Host, p.refuses), r.Host != slackHost && r.Host != socketsHost:
		_, _ = io.WriteString(here, "HTTP/1.1 403\r\n\r\n") // likewise
		return
	}
	there, err := net.Dial("tcp", slack)
	if err != nil {
		return
	}
	defer func() { _ = there.Close() }()
	_, _ = io.WriteString(here, "HTTP/1.1 200\r\n\r\n")
	go func() { _, _ = io.Copy(there, here); _ = there.Close() }()
	_, _ = io.Copy(here, there) // until one of them has enough
}

// inFrontOfSlack serves the workspace with something else in its answers.
func (c *doctorStage) inFrontOfSlack(text, instead string) http.Handler {
	to, err := url.Parse(c.slackSide.URL())
	testenv.Must(c.t, err)
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: func(res *http.Response) error {
			if res.StatusCode == http.StatusSwitchingProtocols {
				return nil
			}
			body, err := io.ReadAll(res.Body)
			if err != nil {
				return err
			}
			changed := strings.ReplaceAll(string(body), text, instead)
			res.Body, res.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
			res.Header.Del("Content-Length")
			return nil
		},
	}
}
