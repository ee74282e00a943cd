package rdb

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// URLError is what is wrong with the URL of a Redis. It never quotes the URL, which
// holds the password: in a mistyped one that can be anywhere.
type URLError struct {
	Fault string // a clause
}

func (e *URLError) Error() string { return "Redis URL: " + e.Fault }

// The faults of a URL.
const (
	faultBlank  = "a space, line break or invisible character is before, in or after it: remove it"
	faultQuotes = "it is in quotes: remove them"
	faultName   = "it begins with a variable's name or a command: remove everything before redis:// or rediss://"
	faultScheme = "it must begin with redis:// or rediss://"
	faultHost   = "it has no host"
	faultPort   = "its port is not a number from 1 to 65535"
	faultNodes  = "its host contains a comma, semicolon or colon: write further nodes as ?addr=host:port, and an IPv6 address in brackets, as [::1]:6379"
	faultNoURL  = "it is not a URL"
	faultEncode = "user or password contain a character with a meaning in URLs: percent-encode them " +
		"(%25 for %, %40 for @, %3A for :, %2F for /, %3F for ?, %23 for #)"
	faultVerify = "skip_verify would accept any certificate: remove it, and set SSL_CERT_FILE to the file with the CA"
	// The library's own errors quote parts of the URL.
	faultOptions = "its path must be a database number or empty, and its query may contain " +
		"only what go-redis knows, such as addr=host:port, master_name=name or read_timeout=2s"
)

// readURL parses a URL. What people paste along with it, and passwords that are not
// encoded, have errors of their own.
func readURL(raw string) (*url.URL, error) {
	if fault := pasteFault(raw); fault != "" {
		return nil, &URLError{Fault: fault}
	}
	u, err := url.Parse(raw)
	switch {
	case hasStrayCharacters(raw):
		return nil, &URLError{Fault: faultEncode}
	case err != nil && strings.Contains(raw, "@") && strings.Contains(raw, "://"):
		return nil, &URLError{Fault: faultEncode}
	case err != nil && strings.HasPrefix(strings.ToLower(raw), "redis") && strings.ContainsAny(raw, ",;"):
		return nil, &URLError{Fault: faultNodes}
	case err != nil && strings.Contains(err.Error(), "invalid port"):
		return nil, &URLError{Fault: faultPort}
	case err != nil:
		return nil, &URLError{Fault: faultNoURL}
	case u.Scheme != "redis" && u.Scheme != "rediss":
		return nil, &URLError{Fault: faultScheme}
	case u.Hostname() == "":
		return nil, &URLError{Fault: faultHost}
	case slices.ContainsFunc(append(u.Query()["addr"], u.Host), holdsSeveral):
		return nil, &URLError{Fault: faultNodes}
	case strings.HasPrefix(u.Path, "/-"), strings.HasPrefix(u.Query().Get("db"), "-"): // the library takes it for none
		return nil, &URLError{Fault: faultOptions}
	case !validPorts(append(u.Query()["addr"], u.Host)):
		return nil, &URLError{Fault: faultPort}
	case !slices.Contains([]string{"", "0", "false"}, u.Query().Get("skip_verify")):
		return nil, &URLError{Fault: faultVerify}
	}
	return u, nil
}

// holdsSeveral reports whether an address is more than a host and a port.
func holdsSeveral(addr string) bool {
	return strings.ContainsAny(addr, ",;") || strings.Count(addr, ":") > 1 && !strings.HasPrefix(addr, "[")
}

// validPorts reports whether no address has a port that does not exist.
func validPorts(addrs []string) bool {
	return !slices.ContainsFunc(addrs, func(addr string) bool {
		_, port, err := net.SplitHostPort(addr)
		n, wrong := strconv.ParseUint(port, 10, 16)
		return err == nil && port != "" && (wrong != nil || n == 0)
	})
}

// pasteFault returns the fault of a URL that was pasted with something else, "" if it
// was not.
func pasteFault(raw string) string {
	const quotes = "\"'`“”„‘’‚«»"
	inner := strings.TrimFunc(raw, isInvalidRune)
	lower := strings.ToLower(strings.Trim(inner, quotes))
	at := max(strings.Index(lower, "redis://"), strings.Index(lower, "rediss://"))
	switch {
	case inner != "" && inner != strings.Trim(inner, quotes):
		return faultQuotes
	case at > 0 && !strings.Contains(lower[:at], "://"):
		return faultName
	case inner != raw, strings.ContainsFunc(raw, isInvalidRune):
		return faultBlank
	}
	return ""
}

// isInvalidRune reports whether a URL cannot contain the character.
func isInvalidRune(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// hasStrayCharacters reports whether a / ? or # in user or password ended the
// authority before its @. A fragment has no use.
func hasStrayCharacters(raw string) bool {
	_, rest, found := strings.Cut(raw, "://")
	if !found {
		return false
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		return false
	}
	tail := rest[end:]
	path, query, _ := strings.Cut(tail, "?")
	if strings.ContainsAny(path, "@#") || strings.Contains(query, "#") {
		return true
	}
	first, _, found := strings.Cut(query, "@")
	return found && !strings.Contains(first, "=")
}
