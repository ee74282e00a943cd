package rdb

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/superduperai/sessionbot/internal/redistest"
)

// pieces is a connection that sends a reply in pieces.
type pieces struct {
	net.Conn
	io.Reader
}

func (p pieces) Read(b []byte) (int, error) { return p.Reader.Read(b) }
func (pieces) Close() error                 { return nil }

// TestRepliesAreMeasured: a connection fails before the library allocates what an absurd
// reply announces, however it is split.
func TestRepliesAreMeasured(t *testing.T) {
	t.Parallel()
	large := "$1048576\r\n" + strings.Repeat("x\n$9999999999\r\n*9\r\n", 1<<16)[:1<<20] + "\r\n"
	for name, c := range map[string]struct {
		reply string
		want  error
	}{
		"plain ones":              {"+OK\r\n:1\r\n-ERR no\r\n$-1\r\n*-1\r\n_\r\n#t\r\n,1.5\r\n(123\r\n", nil},
		"strings":                 {"$0\r\n\r\n$5\r\n*9\r\n$\r\n=7\r\ntxt:abc\r\n" + large + "+OK\r\n", nil},
		"nested":                  {"*2\r\n*1\r\n$1\r\na\r\n%1\r\n+k\r\n*0\r\n" + strings.Repeat("*1\r\n", 15) + ":1\r\n", nil},
		"many one after another":  {strings.Repeat("*2\r\n+a\r\n~1\r\n+b\r\n", 400_000), nil},
		"attributes":              {"|1\r\n+k\r\n+v\r\n*1\r\n+OK\r\n>1\r\n+push\r\n", nil},
		"a long string":           {"$1099511627776\r\n", ErrProtocol},
		"one beyond what is read": {"$33554434\r\n", ErrProtocol},
		"a long error":            {"!99999999999\r\n", ErrProtocol},
		"a verbatim string":       {"=99999999999\r\n", ErrProtocol},
		"a long array":            {"*2147483647\r\n", ErrProtocol},
		"a long set":              {"~2147483647\r\n", ErrProtocol},
		"a long map":              {"%600000\r\n", ErrProtocol},
		"a long push":             {">2147483647\r\n", ErrProtocol},
		"more than a number":      {"*99999999999999999999999\r\n", ErrProtocol},
		"less than none":          {"$-2\r\n", ErrProtocol},
		"no number":               {"$?\r\n", ErrProtocol},
		"a long one in an array":  {"*2\r\n+a\r\n*1\r\n$1099511627776\r\n", ErrProtocol},
		"many in an array":        {"*1000\r\n" + strings.Repeat("*1000\r\n"+strings.Repeat(":1\r\n", 1000), 1000) + "*1000000\r\n*1000000\r\n", ErrProtocol},
		"deeper and deeper":       {strings.Repeat("*1\r\n", 17), ErrProtocol},
		"a line without an end":   {"+" + strings.Repeat("x", 70_000), ErrProtocol},
		"no more clients":         {"-ERR max number of clients reached\r\n", ErrTooManyClients},
	} {
		for how, cut := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "by halves": iotest.HalfReader, "by bytes": iotest.OneByteReader} {
			read, err := io.ReadAll(limitReplies(pieces{Reader: cut(strings.NewReader(c.reply))}))
			if !errors.Is(err, c.want) || c.want == nil && (err != nil || string(read) != c.reply) {
				t.Errorf("%s, %s: %d of %d bytes, %v", name, how, len(read), len(c.reply), err)
			}
		}
	}
}

// TestAbsurdRepliesEndTheConnectionOnly: for every command the process lives and gets an
// error that says what is wrong.
func TestAbsurdRepliesEndTheConnectionOnly(t *testing.T) {
	t.Parallel()
	for _, reply := range []string{"$1099511627776\r\n", "*2147483647\r\n", "%2147483647\r\n", strings.Repeat("*1\r\n", 1<<20), "=9223372036854775800\r\n"} {
		addr := Serve(t, func(conn net.Conn) {
			for {
				if _, err := conn.Read(make([]byte, 64<<10)); err != nil {
					return
				}
				if _, err := io.WriteString(conn, reply); err != nil {
					return
				}
			}
		})
		for _, url := range []string{"redis://" + addr, "redis://" + addr + "?addr=" + addr, "redis://" + addr + "?master_name=main"} {
			r := open(t, redistest.Patient(t, url))
			if err := get(t, r, "session:cs_live_1"); !errors.Is(err, ErrProtocol) && !strings.Contains(url, "addr") {
				t.Errorf("%q of %s: read: %v", reply[:10], url, err)
			}
			if _, err := r.Ping(t.Context()); err == nil {
				t.Errorf("%q of %s: taken for an answer", reply[:10], url)
			}
		}
	}
}
