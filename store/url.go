package store

import (
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// defaults are go-redis's own query parameters, for where the URL leaves them
// out. The pool's two sizes are per node.
var defaults = url.Values{
	"dial_timeout":     {"2s"},
	"read_timeout":     {"2s"},
	"write_timeout":    {"2s"},
	"max_retries":      {"1"},
	"pool_size":        {"20"},
	"max_active_conns": {"20"},
}

// URLError says what is wrong with the URL of a Redis. It never quotes the
// URL: that holds the password, and in a mistyped one it can stand anywhere.
type URLError struct {
	Fault string // a clause
}

func (e *URLError) Error() string { return "Redis URL: " + e.Fault }

// CheckURL tells whether Open could use the URL, without connecting. What is
// wrong comes as a *URLError or as ErrClusterDatabase.
func CheckURL(rawURL string) error {
	_, err := parse(rawURL)
	return err
}

// parse makes the client that the URL asks for. A single address may still
// turn out to be a cluster.
func parse(rawURL string) (*Redis, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, &URLError{Fault: "it is not a URL"}
	}
	switch {
	case u.Scheme != "redis" && u.Scheme != "rediss":
		return nil, &URLError{Fault: "it has to begin with redis:// or rediss://"}
	case u.Hostname() == "":
		return nil, &URLError{Fault: "it names no host"}
	}
	query := u.Query()
	several := query.Has("addr") && !query.Has("master_name")
	if several && (len(u.Path) > 1 || query.Has("db")) {
		return nil, ErrClusterDatabase
	}
	for name, value := range defaults {
		if !query.Has(name) {
			query[name] = value
		}
	}
	u.RawQuery = query.Encode()
	var r *Redis
	switch {
	case query.Has("master_name"):
		r, err = sentinel(u.String())
	case several:
		r, err = cluster(u.String())
	default:
		r, err = single(u.String())
	}
	if err != nil {
		// The library's own errors quote parts of the URL.
		return nil, &URLError{Fault: "its path has to be a database number or empty, and its query may hold " +
			"only what go-redis knows, such as addr=host:port, master_name=name or read_timeout=2s"}
	}
	return r, nil
}

func single(rawURL string) (*Redis, error) {
	o, err := redis.ParseURL(rawURL)
	if err != nil {
		return nil, err
	}
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.MaintNotificationsConfig = noMaintenanceNews()
	return &Redis{single: o}, nil
}

func cluster(rawURL string) (*Redis, error) {
	o, err := redis.ParseClusterURL(rawURL)
	if err != nil {
		return nil, err
	}
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.MaintNotificationsConfig = noMaintenanceNews()
	o.ClusterStateReloadInterval = learnMasters
	return &Redis{known: redis.NewClusterClient(o)}, nil
}

func sentinel(rawURL string) (*Redis, error) {
	o, err := redis.ParseFailoverURL(rawURL)
	if err != nil {
		return nil, err
	}
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	return &Redis{known: redis.NewFailoverClient(o), sentinel: true}, nil
}

// clusterOf are the options for a cluster of which one address is known.
func clusterOf(o *redis.Options) *redis.ClusterOptions {
	return &redis.ClusterOptions{
		Addrs: []string{o.Addr}, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
		Protocol: o.Protocol, ClientName: o.ClientName,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		MaxRetries: o.MaxRetries, PoolSize: o.PoolSize, MaxActiveConns: o.MaxActiveConns,
		DialerRetries: o.DialerRetries, ContextTimeoutEnabled: o.ContextTimeoutEnabled,
		MaintNotificationsConfig:   noMaintenanceNews(),
		ClusterStateReloadInterval: learnMasters,
	}
}

// learnMasters is the time after which it is asked anew who the masters of a
// cluster are. One that died tells nobody who took its place.
const learnMasters = 3 * time.Second

// noMaintenanceNews leaves out a handshake that only one vendor's servers know.
func noMaintenanceNews() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
