package rdb

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

// FuzzCheckURL: any text is either a usable Redis URL or refused with a *URLError or
// ErrClusterDatabase, which do not quote it.
func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{
		"redis://localhost:6379/0", "rediss://user:s3cret@host:6380/1?read_timeout=1s", "redis://a:1?addr=b:2&addr=c:3",
		"redis://s:26379?master_name=main&db=2", "redis://:p%40ss@[::1]:6379", "redis://a?addr=b&db=1", "redis://h/0x1?pool_size=-1",
		"redis://:a/b@h", "'redis://h'", "X=redis://h\n", "rediss://h?skip_verify=1", "redis://h#x",
	} {
		f.Add(seed)
	}
	faults := map[string]bool{}
	for _, fault := range []string{faultBlank, faultQuotes, faultName, faultScheme, faultHost, faultPort, faultNodes, faultNoURL, faultEncode, faultVerify, faultOptions} {
		faults[(&URLError{Fault: fault}).Error()] = true
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if u, err := url.Parse(raw); err == nil && u.Query().Has("min_idle_conns") {
			return // the library would connect at once
		}
		r, err := parse(raw)
		if err == nil {
			if r.single == nil && r.known == nil {
				t.Errorf("%q is usable, and yet there is no way to it", raw)
			}
			if !strings.HasPrefix(strings.ToLower(raw), "redis") {
				t.Errorf("%q was taken for a Redis URL", raw)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			return
		}
		if !faults[err.Error()] && !errors.Is(err, ErrClusterDatabase) {
			t.Errorf("%q was refused with words of its own: %v", raw, err)
		}
	})
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, fault string }{
		{"redis://localhost", ""},
		{"redis://:hunter2@localhost:6379/3", ""},
		{"rediss://bot:hunter2@cache.example:6380", ""},
		{"redis://[::1]:6379", ""},
		{"redis://localhost?read_timeout=5s&pool_size=3", ""},
		{"redis://a:1?addr=b:2&addr=c:3", ""},
		{"redis://a:1?addr=b:2&master_name=main", ""},
		{"redis://a:1/4?master_name=main&password=hunter2", ""},
		{"", "begin with"},
		{"http://:hunter2@localhost", "begin with"},
		{"hunter2@localhost:6379", "not a URL"},
		{"redis://", "no host"},
		{"redis://:hunter2@", "no host"},
		{"redis://:hunt/er2@localhost:6379", "percent-encode"},
		{"redis://user/hunter2@localhost:6379", "percent-encode"},
		{"redis://user?hunter2@localhost:6379", "percent-encode"},
		{"redis://:hunter2#1@localhost:6379", "percent-encode"},
		{"redis://bot:12#hunter2@localhost:6379", "percent-encode"}, // else a host named bot
		{"redis://bot:hunter2#1", "percent-encode"},
		{"redis://:hunter2/@x@localhost:6379", "percent-encode"},
		{"redis://:hunter2%@localhost:6379", "percent-encode"},
		{"redis://:hunter2^[@localhost:6379", "percent-encode"},
		{"redis://<hunter2>@localhost:6379", "percent-encode"},
		{"redis://bot:hunt@er:2@localhost:6379", ""}, // the last @ counts, and the first colon
		{"redis://:hunter2%2F%23%3F%40%3A@localhost:6379/1", ""},
		{`"redis://:hunter2@localhost:6379"`, "remove them"},
		{"'redis://:hunter2@localhost:6379'", "remove them"},
		{"“redis://:hunter2@localhost:6379”", "remove them"},
		{"redis://:hunter2@localhost:6379'", "remove them"},
		{"\"redis://:hunter2@localhost:6379\"\n", "remove them"},
		{"redis://:hunter2@localhost:6379\n", "remove it"},
		{"redis://:hunter2@localhost:6379\r\n", "remove it"},
		{" redis://:hunter2@localhost:6379", "remove it"},
		{"\uFEFFredis://:hunter2@localhost:6379", "remove it"},
		{"redis://:hunter2@local host:6379", "remove it"},
		{"redis://:hunter2@localhost:6379\u200b", "remove it"},
		{"REDIS_URL=redis://:hunter2@localhost:6379", "before redis://"},
		{"redis-cli -u redis://:hunter2@localhost:6379", "before redis://"},
		{"rediss://:hunter2@localhost:6379?skip_verify=true", "SSL_CERT_FILE"},
		{"rediss://:hunter2@localhost:6379?skip_verify=1&read_timeout=1s", "SSL_CERT_FILE"},
		{"rediss://:hunter2@a:1?addr=b:2&skip_verify=true", "SSL_CERT_FILE"},
		{"rediss://:hunter2@a:1?master_name=main&skip_verify=true", "SSL_CERT_FILE"},
		{"redis://localhost/three", "database number"},
		{"redis://localhost/-1", "database number"},
		{"redis://localhost?db=-1", "database number"},
		{"redis://localhost:1:2", "?addr=host:port"},
		{"redis://::1:6379", "in brackets"},
		{"redis://:hunter2@::1:6379", "in brackets"},
		{"redis://a:1,b:2", "?addr=host:port"},
		{"redis://a,b:2/0", "?addr=host:port"},
		{"redis://a:1;b", "?addr=host:port"},
		{"redis://a:1?addr=b:2,c:3", "?addr=host:port"},
		{"redis://[::1]:1?addr=[::2]:2", ""},
		{"redis://localhost:port", "from 1 to 65535"},
		{"redis://localhost:99999", "from 1 to 65535"},
		{"redis://localhost:0", "from 1 to 65535"},
		{"redis://a:1?addr=b:65536", "from 1 to 65535"},
		{"redis://[::1]:65536?master_name=main", "from 1 to 65535"},
		{"redis://localhost:65535", ""},
		{"redis://localhost?addr=user:hunter2@b:1", "addr=host:port"},
		{"redis://localhost?read_timeout=hunter2", "read_timeout"},
		{"redis://a:1/3?addr=b:2", "no numbered databases"},
		{"redis://a:1?addr=b:2&db=3", "no numbered databases"},
	} {
		err := CheckURL(c.url)
		if (err == nil) != (c.fault == "") || err != nil && !strings.Contains(err.Error(), c.fault) {
			t.Errorf("CheckURL(%q) = %v; want %q in it", c.url, err, c.fault)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("CheckURL(%q) contains the password: %v", c.url, err)
		}
		var wrong *URLError
		if err != nil && !errors.As(err, &wrong) && !errors.Is(err, ErrClusterDatabase) {
			t.Errorf("CheckURL(%q) is a %T", c.url, err)
		}
	}
}
