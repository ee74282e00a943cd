package rdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/redis/go-redis/v9"
)

// answered is an error as the library makes it of Redis's answer.
type answered string

func (a answered) Error() string { return string(a) }
func (answered) RedisError()     {}

func TestWhatRedisRepeatsIsLeftOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{
		{answered("ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'bot' 'secret' "), "ERR unknown command…"},
		{answered("ERR unknown command `SET`, with args beginning with: `prompt:x`, `secret`, "), "ERR unknown command…"},
		{fmt.Errorf("all sentinels are unreachable: %w", answered("ERR unknown command 'sentinel', with args beginning with: 'secret' ")), "ERR unknown command…"},
		{answered("MOVED 1 secret:6379"), "MOVED…"},
		{answered("*3 secret"), "an answer that is not Redis's"},
		{answered("WRONGTYPE Operation against a key holding the wrong kind of value"), "WRONGTYPE Operation against a key holding the wrong kind of value"},
		{answered("NOPERM User bot has no permissions to run the 'config|get' command"), "NOPERM User bot has no permissions to run the 'config|get' command"},
		{answered("NOAUTH Authentication required."), "NOAUTH Authentication required."},
		{errors.New("redis: can't parse map reply: secret"), "the answer is not what was to be expected, or there was none"},
		{fmt.Errorf("secret: %w", io.EOF), "EOF"},
		{context.Canceled, "context canceled"},
		{redis.Nil, "redis: nil"},
	} {
		got := redactReply(c.err)
		var redisErr redis.Error
		if got.Error() != c.want || errors.As(c.err, &redisErr) != errors.As(got, &redisErr) {
			t.Errorf("%v became %v (%T), want %s", c.err, got, got, c.want)
		}
	}
	if redactReply(nil) != nil {
		t.Error("nothing became something")
	}
}
