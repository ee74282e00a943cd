package doctor

import (
	"errors"
	"net"
	"strings"

	"github.com/superduperai/sessionbot/store/rdb"
)

// fault is a failure of Redis and its remedy; VAR stands for the variable that
// holds its URL.
type fault struct{ seen, remedy string }

var faults = map[error]fault{
	rdb.ErrClusterDatabase: {"a database number on a cluster", "remove the number from VAR"},
	rdb.ErrNoPassword:      {"Redis requires a password", "write user and password into VAR: redis://user:password@host"},
	rdb.ErrWrongPassword:   {"Redis rejects the user or the password of VAR", "check both, and the user's rules (docs/security.md lists those it needs)"},
	rdb.ErrNoPermission:    {"the user of VAR may not do this", "give it the rules in docs/security.md"},
	rdb.ErrNoCommand:       {"Redis lacks a command the bot needs", "have it enabled (rename-command, or the service's settings)"},
	rdb.ErrRefused:         {"Redis rejects the user or the password of VAR", "check both, and the user's rules (docs/security.md lists those it needs)"},
	rdb.ErrUnknownCA:       {"the certificate of Redis is signed by an authority this machine does not trust", "name the file with its CA in SSL_CERT_FILE"},
	rdb.ErrExpired:         {"the certificate of Redis has expired or is not valid yet", "have its owner renew it, and check this machine's clock"},
	rdb.ErrCertificate:     {"the certificate of Redis is not valid", "have its owner replace it"},
	rdb.ErrNoTLS:           {"Redis cannot be reached: it does not use TLS there", "use its TLS port in VAR, or redis:// on a private network"},
	rdb.ErrTooManyClients:  {"Redis accepts no more connections", "raise maxclients, or disconnect clients that are not needed (CLIENT LIST)"},
	rdb.ErrNoDatabase:      {"Redis has no database with the number in VAR", "use another number, or none; many managed services have only database 0"},
	rdb.ErrNoMaster:        {"the Sentinels know no master of that name", "set master_name in VAR to the name that SENTINEL MASTERS shows"},
	rdb.ErrNoSentinel:      {"VAR has a master_name, but what answers is not a Sentinel", "use the Sentinels' addresses (usually port 26379), or remove master_name"},
	rdb.ErrSentinel:        {"what answers is a Sentinel", "add ?master_name=<name> to VAR, or use the address of Redis itself (usually port 6379)"},
	rdb.ErrAnnounced: {"the cluster or Sentinel announces an address that does not answer from here",
		"check that all nodes are up, and that cluster-announce-ip or -hostname (sentinel announce-ip, replica-announce-ip) can be reached from this machine"},
	rdb.ErrProtocol:     {"what answers is not Redis", "check the host and port of VAR"},
	rdb.ErrStarting:     {"Redis is not ready: it is loading its data, or a node is taking over", "wait a minute; if it stays like this, check its log"},
	rdb.ErrReadOnly:     {"Redis accepts no writes (READONLY)", writeRemedy["READONLY"]},
	rdb.ErrFull:         {"Redis accepts no writes (OOM)", writeRemedy["OOM"]},
	rdb.ErrNotPersisted: {"Redis accepts no writes", "check its log, its disk and its replicas"},
}

// unlessRefused is failure, except for a refused command, which the check of
// permissions reports.
func (x redisChecker) unlessRefused(err error) Result {
	if rdb.Permanent(err) {
		return Result{}
	}
	return x.failure(err)
}

// failure is the result of a check that Redis did not answer as it should.
func (x redisChecker) failure(err error) Result {
	kind := rdb.Kind(err)
	f, ok := faults[kind]
	badCertificate, _ := certificate(err)
	switch {
	case errors.Is(kind, rdb.ErrWrongHost):
		f = fault{"Redis cannot be reached: " + badCertificate, "use a host name in VAR that the certificate covers, or have the cluster's nodes announce one (cluster-announce-hostname)"}
	case ok:
	case errors.Is(kind, rdb.ErrNoAnswer):
		f = fault{"Redis cannot be reached: " + reason(err),
			"check that Redis is up, the host and port in VAR, redis:// or rediss://, and the network in between"}
	default:
		f = fault{"Redis answers with an error", "check its log"}
	}
	if command := rdb.Command(err); command != "" {
		f.seen += ": " + command
	}
	var dialled *net.OpError
	if errors.Is(kind, rdb.ErrAnnounced) && errors.As(err, &dialled) && dialled.Addr != nil {
		f.seen += ": " + dialled.Addr.String()
	}
	put := strings.NewReplacer("VAR", x.variable)
	return fail(put.Replace(f.seen), put.Replace(f.remedy))
}
