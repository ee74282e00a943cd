package rdb

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/redact"
)

// redactedError is an error of Redis without what it repeats of the request: that of
// an unknown command holds the arguments, which may be a password or a prompt.
type redactedError string

func (r redactedError) Error() string { return string(r) }

// RedisError makes it a redis.Error.
func (redactedError) RedisError() {}

var (
	plainReply = regexp.MustCompile(`^[A-Z]+ [\w ,.:;()-]*('[a-z|]+' command)?[\w ,.:;()-]*$`)
	replyCode  = regexp.MustCompile(`^[A-Z]+\b[\w ]*`)
)

// redactReply returns err without what the server repeats of the request.
func redactReply(err error) error {
	var answered redis.Error
	switch {
	case err == nil, errors.Is(err, redis.Nil), errors.Is(err, redis.TxFailedErr), errors.Is(err, redis.ErrPoolTimeout):
		return err
	case !errors.As(err, &answered):
		return redact.Error(err)
	}
	text := answered.Error()
	code := replyCode.FindString(text)
	if strings.HasPrefix(code, "MOVED") || strings.HasPrefix(code, "ASK") {
		code, _, _ = strings.Cut(code, " ")
	}
	switch {
	case plainReply.MatchString(text) && code != "MOVED" && code != "ASK" && strings.HasSuffix(err.Error(), text):
		return err
	case code == "":
		return redactedError("an answer that is not Redis's")
	}
	return redactedError(fmt.Sprintf("%s…", strings.TrimSpace(code)))
}
