package store

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

const (
	headSize = 2048    // of a value that a sweep reads without a thought
	pictured = 8 << 20 // up to this size a picture is left out by the server
	tailSize = 200     // has the status of a full object, as the site writes it
)

// withoutPicture returns a value without the pictures in it, which may be
// megabytes and say nothing about the session: an empty text stands for each.
// Where that cannot be done for certain it returns nothing.
//
// KEYS: the key. ARGV: the largest size that is looked at.
const withoutPicture = `
if redis.call('STRLEN', KEYS[1]) > tonumber(ARGV[1]) then return false end
local value = redis.call('GET', KEYS[1])
if not value then return false end
local name, parts, from = '"content":"', {}, 1
while true do
	local _, open = string.find(value, name, from, true)
	if not open then break end
	local close = string.find(value, '"', open + 1, true)
	local escape = string.find(value, '\\', open + 1, true)
	if not close or escape and escape < close then return false end
	parts[#parts + 1] = string.sub(value, from, open)
	from = close
	if #parts > 100 then return false end
end
parts[#parts + 1] = string.sub(value, from)
return table.concat(parts)`

// look reads several sessions for a sweep, in the order of the ids: without the
// pictures, and without what only a repair needs. Where a prefix is named they are
// likely to have no key but that one.
func (r *Redis) look(ctx context.Context, ids []string, only string) ([]Session, error) {
	client, err := r.client(ctx)
	if err != nil {
		return nil, err
	}
	keys := keyOrder[:]
	if master, single := client.(*redis.Client); single && only != "" {
		others, err := othersThan(ctx, master, only, ids)
		if err != nil {
			return nil, err
		}
		if others == 0 {
			keys = []string{only}
		}
	}
	sessions, long, err := r.heads(ctx, ids, headSize, keys)
	if err != nil || len(long) == 0 {
		return sessions, err
	}
	answers := map[*Key]*redis.Cmd{}
	pipe := client.Pipeline()
	for _, i := range long {
		for k, key := range sessions[i].places() {
			if key.Fault == faultTooLarge {
				answers[key] = pipe.EvalRO(ctx, withoutPicture, []string{keyOrder[k] + ids[i]}, pictured)
			}
		}
	}
	_, _ = pipe.Exec(ctx) // each answer is looked at below
	for _, i := range long {
		whole := false
		for _, key := range sessions[i].places() {
			if answer, asked := answers[key]; asked {
				text, err := answer.Text()
				if redis.HasErrorPrefix(err, "NOPERM") {
					return nil, err
				}
				key.Size = len(text)
				key.Value, key.Full, key.Fault = ParseValue([]byte(text))
				whole = whole || err != nil || key.Fault != ""
			}
		}
		if whole { // not to be told from parts
			if sessions[i], err = r.Session(ctx, ids[i]); err != nil {
				return nil, err
			}
		}
	}
	return sessions, nil
}

// othersThan counts the keys of sessions that have another prefix.
func othersThan(ctx context.Context, master *redis.Client, prefix string, ids []string) (int64, error) {
	keys := make([]string, 0, 2*len(ids))
	for _, other := range keyOrder {
		if other == prefix {
			continue
		}
		for _, id := range ids {
			keys = append(keys, other+id)
		}
	}
	return master.Exists(ctx, keys...).Result()
}

// statuses is what one key of each session says of its status, where it can be
// told at a glance; none where it has to be read. That is webhook: where the
// prompt has a key of its own, and session: where it has not.
func (r *Redis) statuses(ctx context.Context, prefix string, ids []string, told func(i int, exists bool, s Status)) error {
	client, err := r.client(ctx)
	if err != nil {
		return err
	}
	if master, ok := client.(*redis.Client); ok && prefix == prefixWebhook {
		n := 0
		return mgetOf(ctx, master, prefix, ids, func(raw []byte, exists bool) {
			told(n, exists, plainStatus(raw))
			n++
		})
	}
	values := make([]*redis.StringCmd, len(ids))
	pipe := client.Pipeline()
	for i, id := range ids {
		if prefix == prefixWebhook {
			values[i] = pipe.GetRange(ctx, prefix+id, 0, headSize)
		} else {
			values[i] = pipe.GetRange(ctx, prefix+id, -tailSize, -1)
		}
	}
	_, _ = pipe.Exec(ctx) // each answer is looked at below
	for i := range ids {
		raw, err := values[i].Bytes()
		switch {
		case redis.HasErrorPrefix(err, "WRONGTYPE"):
			told(i, true, StatusNone)
		case err != nil:
			return err
		case prefix == prefixWebhook:
			told(i, len(raw) > 0, plainStatus(raw))
		default:
			told(i, len(raw) > 0, tailStatus(raw))
		}
	}
	return nil
}

// mgetOf asks a single server for a key of each session.
func mgetOf(ctx context.Context, master *redis.Client, prefix string, ids []string, value func(raw []byte, exists bool)) error {
	keys := make([]string, len(ids))
	var all strings.Builder
	all.Grow(len(ids) * (len(prefix) + 80))
	for i, id := range ids {
		from := all.Len()
		all.WriteString(prefix)
		all.WriteString(id)
		keys[i] = all.String()[from:]
	}
	return mget(ctx, master, keys, value)
}

// mget asks a single server for keys in one command. Of a key of another type
// than string it says that it does not exist.
func mget(ctx context.Context, master *redis.Client, keys []string, value func(raw []byte, exists bool)) error {
	args := make([]any, 1, 1+len(keys))
	args[0] = "mget"
	for i := range keys {
		args = append(args, &keys[i])
	}
	return (&stream{value: value}).do(ctx, master, args...)
}

func plainStatus(raw []byte) Status {
	v, _, ok := plainValue(raw)
	if !ok || v.Status == nil {
		return StatusNone
	}
	return Status(*v.Status)
}
