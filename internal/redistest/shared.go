package redistest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// shared owns the servers that the tests of a package share.
var shared processTB

var (
	sharedServer = sync.OnceValue(func() *Server {
		return Start(&shared, "--databases", strconv.Itoa(databases))
	})
	sharedCluster  = sync.OnceValue(func() *Cluster { return StartCluster(&shared, "--cluster-node-timeout", "60000") })
	clusterLock    sync.Mutex // held by the test that uses the cluster
	sharedSentinel = sync.OnceValue(func() *Sentinel {
		return StartSentinel(&shared, "--databases", strconv.Itoa(databases))
	})
)

// databases is the number of databases of a shared server.
const databases = 256

// The numbers of the databases that no test uses.
var freeDatabases, freeSentinelDatabases = numbers(), numbers()

func numbers() chan int {
	free := make(chan int, databases)
	for i := range databases {
		free <- i
	}
	return free
}

// Main runs the tests of a package and stops the servers that they shared. It is
// for TestMain, and returns the exit code.
func Main(m *testing.M) int {
	defer shared.end()
	return m.Run()
}

// Database is a numbered database of a shared server, which one test has to
// itself. What is per server (CONFIG, INFO, CLIENT LIST, FLUSHALL, scripts) is
// shared with other tests.
type Database struct {
	url    string
	client *redis.Client
}

// NewDatabase returns an empty database of the package's server until the test
// ends.
func NewDatabase(t testing.TB) *Database {
	t.Helper()
	testenv.Need(t, "redis-server")
	server := sharedServer()
	return newDatabase(t, server, server, freeDatabases, "")
}

// NewSentinelDatabase is NewDatabase behind a Sentinel.
func NewSentinelDatabase(t testing.TB) *Database {
	t.Helper()
	testenv.Need(t, "redis-server")
	s := sharedSentinel()
	return newDatabase(t, s.Watch, s.Master, freeSentinelDatabases, "?master_name=main")
}

// newDatabase waits for a free database of server. Its URL names the configured
// server.
func newDatabase(t testing.TB, configured, server *Server, free chan int, query string) *Database {
	t.Helper()
	number := <-free
	t.Cleanup(func() { free <- number })
	d := &Database{
		url:    configured.URL() + "/" + strconv.Itoa(number) + query,
		client: redis.NewClient(&redis.Options{Addr: server.addr, DB: number}),
	}
	t.Cleanup(func() { _ = d.client.Close() }) // of no use any more
	if err := d.client.FlushDB(t.Context()).Err(); err != nil {
		t.Fatalf("empty database %d: %v", number, err)
	}
	return d
}

// URL is the database's address as configuration names it.
func (d *Database) URL() string { return d.url }

// Client is a client of the database, closed with the test.
func (d *Database) Client() *redis.Client { return d.client }

// LockCluster returns the package's cluster of three masters, empty, which the
// test has to itself until it ends.
func LockCluster(t testing.TB) *Cluster {
	t.Helper()
	testenv.Need(t, "redis-server")
	clusterLock.Lock()
	t.Cleanup(clusterLock.Unlock)
	c := sharedCluster()
	c.awaitServing(t) // a test may have frozen a node
	for _, node := range c.Nodes {
		if err := node.client.FlushAll(t.Context()).Err(); err != nil {
			t.Fatalf("empty cluster node %s: %v", node.addr, err)
		}
	}
	return c
}

// processTB is the testing.TB of what outlives a single test. Only what the
// Start functions call is there.
type processTB struct {
	testing.TB // nil
	mu         sync.Mutex
	cleanups   []func()
}

func (p *processTB) Helper() {}

func (p *processTB) Context() context.Context { return context.Background() }

func (p *processTB) Cleanup(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cleanups = append(p.cleanups, f)
}

func (p *processTB) TempDir() string {
	dir, err := os.MkdirTemp("", "redistest")
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = os.RemoveAll(dir) }) // in the system's folder for what may be left behind
	return dir
}

// Fatal ends the test that is the first to need the server.
func (p *processTB) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func (p *processTB) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (p *processTB) end() {
	p.mu.Lock()
	cleanups := p.cleanups
	p.mu.Unlock()
	for _, f := range slices.Backward(cleanups) {
		f()
	}
}

// Patient returns the URL with timeouts that even a busy machine keeps to, so that
// only the caller's own deadline counts.
func Patient(t testing.TB, rawURL string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	for _, name := range []string{"dial_timeout", "read_timeout", "write_timeout"} {
		if !query.Has(name) {
			query.Set(name, testenv.Patience.String())
		}
	}
	u.RawQuery = query.Encode()
	return u.String()
}
