package testenv

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
	"testing"
)

// The ports lie below those that the system hands out to whoever asks for any.
const (
	firstPort = 20_000
	ports     = 12_000
)

// asked counts on from a place of this process's own.
var asked atomic.Uint32

func init() { asked.Store(rand.Uint32N(ports)) }

// FreePort is a port of the loopback interface that nobody listened on a moment
// ago, and that nobody else in this process is given soon.
func FreePort(t testing.TB) int {
	t.Helper()
	for range 100 {
		port := firstPort + int(asked.Add(1)%ports)
		if listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			_ = listener.Close() // its port is what was wanted
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
