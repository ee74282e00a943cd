package rdb

import (
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/superduperai/sessionbot/internal/breaker"
)

// defaults are query parameters of go-redis that the URL may override. The pool's two
// sizes are per node.
var defaults = url.Values{
	"dial_timeout":     {"2s"},
	"read_timeout":     {"2s"},
	"write_timeout":    {"2s"},
	"max_retries":      {"1"},
	"pool_size":        {"20"},
	"max_active_conns": {"20"},
}

// CheckURL checks, without connecting, whether Open could use the URL. It returns a
// *URLError or ErrClusterDatabase if not.
func CheckURL(rawURL string) error {
	_, err := parse(rawURL)
	return err
}

// parse returns the Redis that the URL names. A single address may still turn out to
// be a cluster.
func parse(rawURL string) (*Redis, error) {
	u, err := readURL(rawURL)
	if err != nil {
		return nil, err
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
		return nil, &URLError{Fault: faultOptions}
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
	o.DisableIdentity = true
	o.MaintNotificationsConfig = noMaintNotifications()
	o.Dialer = newDialer(o.DialTimeout, o.TLSConfig, o.Addr).dial
	return &Redis{single: o, asking: breaker.New(time.Second, unanswered)}, nil
}

func cluster(rawURL string) (*Redis, error) {
	o, err := redis.ParseClusterURL(rawURL)
	if err != nil {
		return nil, err
	}
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.MaintNotificationsConfig = noMaintNotifications()
	return &Redis{known: newCluster(o)}, nil
}

func sentinel(rawURL string) (*Redis, error) {
	o, err := redis.ParseFailoverURL(rawURL)
	if err != nil {
		return nil, err
	}
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	o.DisableIdentity = true
	o.Dialer = newDialer(o.DialTimeout, o.TLSConfig, o.SentinelAddrs...).dial
	return &Redis{known: guarded(redis.NewFailoverClient(o)), sentinel: true}, nil
}

// clusterOf returns the options for a cluster of which one address is known.
func clusterOf(o *redis.Options) *redis.ClusterOptions {
	return &redis.ClusterOptions{
		Addrs: []string{o.Addr}, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
		Protocol: o.Protocol, ClientName: o.ClientName,
		DialTimeout: o.DialTimeout, ReadTimeout: o.ReadTimeout, WriteTimeout: o.WriteTimeout,
		MaxRetries: o.MaxRetries, PoolSize: o.PoolSize, MaxActiveConns: o.MaxActiveConns,
		DialerRetries: o.DialerRetries, ContextTimeoutEnabled: o.ContextTimeoutEnabled, DisableIdentity: o.DisableIdentity,
		MaintNotificationsConfig: noMaintNotifications(),
	}
}

// newCluster returns a client with a circuit breaker for each node.
func newCluster(o *redis.ClusterOptions) *redis.ClusterClient {
	o.DisableRoutingPolicies = true // they cost a request, and are not needed
	// A master that died does not redirect to its successor.
	o.ClusterStateReloadInterval = 3 * time.Second
	o.Dialer = newDialer(o.DialTimeout, o.TLSConfig, o.Addrs...).dial
	client := redis.NewClusterClient(o)
	client.OnNewNode(func(node *redis.Client) { guarded(node) })
	return client
}

// noMaintNotifications disables a handshake that only one vendor's servers know.
func noMaintNotifications() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
