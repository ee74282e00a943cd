package store

import (
	"context"

	"github.com/redis/go-redis/v9"
)

// freshKeys is SCAN for the keys that were written lately; all others it counts.
// How long a key lives is asked right behind the SCAN that showed it, when the
// server's caches still hold it. A few keys at a time are looked at, for the same
// reason.
//
// ARGV: the cursor, the pattern, the keys of a page, and for how many more
// milliseconds a key lives that is not fresh any more. It answers with the next
// cursor, the count and the keys.
const freshKeys = `
local answer, n, old, call = {ARGV[1]}, 2, 0, redis.call
local left, life = tonumber(ARGV[3]), tonumber(ARGV[4])
repeat
	local count = math.min(left, 250)
	local page = call('SCAN', answer[1], 'MATCH', ARGV[2], 'COUNT', count)
	for _, key in ipairs(page[2]) do
		local ttl = call('PTTL', key)
		if ttl > 0 and ttl <= life then
			old = old + 1
		else
			n = n + 1
			answer[n] = key
		end
	end
	answer[1], left = page[1], left - count
until left == 0 or page[1] == '0'
answer[2] = old
return answer`

// freshPages asks for the keys that match and were written lately; the number of
// others is told to old. A server that runs no such script shows all.
func freshPages(match string, count int, old func(n int)) *paging {
	return &paging{instead: pages(match, count), old: old, command: func(cursor uint64) []any {
		return []any{"eval_ro", freshKeys, 0, cursor, match, count, (KeyLife - freshFor).Milliseconds()}
	}}
}

// scan goes through the keys of one master that this sweep looks at. In a cluster
// no script may look at keys of several slots: all count as fresh.
func (w *sweep) scan(ctx context.Context, master *redis.Client, match string) error {
	l := &lane{sweep: w, master: master}
	count, rests := scanCount, (*pace)(nil)
	if w.Pace {
		count, rests = fewCount, &pace{}
	}
	from := pages(match, count)
	if w.quick && w.redis.alone() {
		from = freshPages(match, count, l.leave)
	}
	return scan(ctx, master, from, rests, l.visit, l.page)
}
