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
	rdb.ErrClusterDatabase: {"a database number on a cluster", "take the number out of VAR"},
	rdb.ErrNoPassword:      {"Redis wants a password", "write user and password into VAR: redis://user:password@host"},
	rdb.ErrWrongPassword:   {"Redis refuses the user or the password of VAR", "check both, and the user's rules (docs/security.md shows which it needs)"},
	rdb.ErrNoPermission:    {"the user of VAR may not do this", "give it the rules in docs/security.md"},
	rdb.ErrNoCommand:       {"Redis does not have a command that is needed", "have it enabled (rename-command, or the service's settings)"},
	rdb.ErrRefused:         {"Redis refuses the user or the password of VAR", "check both, and the user's rules (docs/security.md shows which it needs)"},
	rdb.ErrUnknownCA:       {"the certificate of Redis is signed by nobody whom this machine trusts", "name the file with its CA in SSL_CERT_FILE"},
	rdb.ErrExpired:         {"the certificate of Redis has expired or does not hold yet", "have its owner renew it, and see that this machine's clock is right"},
	rdb.ErrCertificate:     {"the certificate of Redis does not hold", "have its owner replace it"},
	rdb.ErrNoTLS:           {"Redis cannot be reached: no TLS is spoken there", "write the port that speaks TLS into VAR, or redis://, if that is a network of your own"},
	rdb.ErrTooManyClients:  {"Redis takes no more connections", "raise its maxclients, or end clients that nobody needs (CLIENT LIST)"},
	rdb.ErrNoDatabase:      {"Redis has no database of the number in VAR", "write another number, or none; many managed services have database 0 alone"},
	rdb.ErrNoMaster:        {"the Sentinels know no master of that name", "write the name into master_name of VAR that SENTINEL MASTERS shows"},
	rdb.ErrNoSentinel:      {"VAR has a master_name, but what answers is no Sentinel", "write the Sentinels' addresses (mostly port 26379), or take master_name out"},
	rdb.ErrSentinel:        {"what answers is a Sentinel", "add ?master_name=<name> to VAR, or write the address of Redis itself (mostly port 6379)"},
	rdb.ErrAnnounced: {"the cluster or Sentinel announces an address that does not answer from here",
		"see that all nodes run, and have cluster-announce-ip or -hostname (sentinel announce-ip, replica-announce-ip) name what can be reached from this machine"},
	rdb.ErrProtocol:     {"what answers does not speak Redis' protocol", "check the host and port of VAR"},
	rdb.ErrStarting:     {"Redis cannot serve just now: it loads its data, or a node takes over", "wait a minute, and look into its log if it stays so"},
	rdb.ErrReadOnly:     {"Redis takes no writes (READONLY)", writeRemedy["READONLY"]},
	rdb.ErrFull:         {"Redis takes no writes (OOM)", writeRemedy["OOM"]},
	rdb.ErrNotPersisted: {"Redis takes no writes", "look into its log, and at its disk and replicas"},
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
	kind := rdb.Trouble(err)
	f, ok := faults[kind]
	badCertificate, _ := certificate(err)
	switch {
	case errors.Is(kind, rdb.ErrWrongHost):
		f = fault{"Redis cannot be reached: " + badCertificate, "write a host into VAR that the certificate names, or have a cluster's node announce one (cluster-announce-hostname)"}
	case ok:
	case errors.Is(kind, rdb.ErrNoAnswer):
		f = fault{"Redis cannot be reached: " + reason(err),
			"check the host and port of VAR, whether it is redis:// or rediss://, that Redis runs, and the network between"}
	default:
		f = fault{"Redis answers with a fault", "look into its log"}
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
