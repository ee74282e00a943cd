package redistest

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
)

// shared owns the servers that the tests of a package have in common.
var shared processTB

var (
	sharedServer = sync.OnceValue(func() *Server {
		return start(&shared, "--databases", strconv.Itoa(databases))
	})
	sharedCluster  = sync.OnceValue(func() *Cluster { return startCluster(&shared, time.Minute) })
	clusterLock    sync.Mutex // held by the test that has the cluster
	sharedSentinel = sync.OnceValue(func() *Sentinel {
		return startSentinel(&shared, start(&shared, "--databases", strconv.Itoa(databases)))
	})
)

// databases is the number of numbered databases of a shared server.
const databases = 256

// Main runs the tests of a package and stops the servers that they shared. It is
// for TestMain, and returns the exit code.
func Main(m *testing.M) int {
	defer shared.end()
	return m.Run()
}

// Database is a numbered database of a server, which one test has to itself:
// what is per server (CONFIG, INFO, CLIENT LIST, FLUSHALL, scripts) is shared
// with others.
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
	number := serverNumbers.take(t)
	return newDatabase(t, server.URL()+"/"+strconv.Itoa(number), server, number)
}

// NewSentinelDatabase is NewDatabase behind a Sentinel.
func NewSentinelDatabase(t testing.TB) *Database {
	t.Helper()
	testenv.Need(t, "redis-server")
	s := sharedSentinel()
	number := sentinelNumbers.take(t)
	return newDatabase(t, s.Watch.URL()+"/"+strconv.Itoa(number)+"?master_name=main", s.Master, number)
}

func newDatabase(t testing.TB, url string, server *Server, number int) *Database {
	t.Helper()
	d := &Database{url: url, client: redis.NewClient(&redis.Options{Addr: server.addr, DB: number})}
	t.Cleanup(func() { _ = d.client.Close() }) // nothing hangs on it any more
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
	c.Flush(t)
	return c
}

// numbers hands out the numbers of databases.
type numbers chan int

var serverNumbers, sentinelNumbers = newNumbers(), newNumbers()

func newNumbers() numbers {
	n := make(numbers, databases)
	for i := range databases {
		n <- i
	}
	return n
}

// take waits for a free number and returns it when the test ends.
func (n numbers) take(t testing.TB) int {
	number := <-n
	t.Cleanup(func() { n <- number })
	return number
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
