package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	mostValues = 1000    // asked for at a time
	mostBytes  = 1 << 20 // about so many: Redis is held for a millisecond
	lifePages  = 16      // of so many pages of keys one's are asked how long they live
)

// errNotPlain means that only a walk can count these sessions.
var errNotPlain = errors.New("the sessions are few, or do not lie in three keys of one server")

// recount counts many sessions that lie in three keys of one server. Each value
// is asked for right behind the SCAN that showed its key, while the server still
// has the key at hand, which takes half of the time that any other order takes.
// A session is put together from its values here. Those that are not plainly
// completed when all keys were seen are read once more, whole.
//
// What is counted in between is no fair part of all: whoever may have to stop
// early has to walk.
type recount struct {
	counter
	master *redis.Client
	seen   *surveyor

	pages   int
	scanned int64
	found   []byte   // keys of sessions of the page, one after the other
	ends    []int    // of each of them
	some    []string // keys whose memory is asked

	mu    sync.Mutex // over what follows, and the counter
	keys  int        // of sessions
	full  int        // of those hold full objects, or what cannot be read; large ones count for many
	size  int        // values that are asked for at a time
	met   *remembered
	parts []part         // of the sessions that were met and are not counted yet: their facts are the place here
	spare []uint32       // places that are free again
	asked int            // keys, how long they live
	lives map[string]int // by TTLClasses
}

// part is what is known of a session of which not all keys were met.
type part struct {
	id        string // "" = the place is free
	stored    int64  // when its prompt was, in ms since 1970; 0 = not known yet
	length    int32  // likewise
	completed bool
	mapped    bool // its session: was met, and says nothing of a status
	whole     bool // it has to be read once more
}

// rests tells whether nothing but a session: could still say otherwise.
func (p *part) rests() bool { return p.completed && p.stored > 0 && !p.whole }

func (r *Redis) recount(ctx context.Context, how Counting) (Count, error) {
	client, err := r.client(ctx)
	if err != nil {
		return Count{}, err
	}
	master, single := client.(*redis.Client)
	if _, limited := ctx.Deadline(); !single || limited {
		return Count{}, errNotPlain
	}
	keys, err := master.DBSize(ctx).Result()
	if err != nil {
		return Count{}, silence(err)
	}
	if keys <= manyKeys {
		return Count{}, errNotPlain
	}
	c := newRecount(master, how)
	c.seen.master(keys)
	if err := c.run(ctx, r); err != nil {
		return Count{}, err
	}
	return c.count(), nil
}

func newRecount(master *redis.Client, how Counting) *recount {
	return &recount{counter: newCounter(how), master: master, seen: newSurveyor(true, how.Progress),
		size: 10, met: newRemembered(), lives: zeros(TTLClasses)}
}

// run goes through all keys, and then through the sessions that are left.
func (c *recount) run(ctx context.Context, r *Redis) error {
	err := scan(ctx, c.master, pages("", fewCount), nil, c.visit, c.turn)
	if errors.Is(err, errNotPlain) {
		return err
	}
	if err != nil {
		return silence(err)
	}
	var ids []string
	for n := range c.parts {
		switch p := &c.parts[n]; {
		case p.id == "":
		case p.rests():
			c.rest(p)
		default:
			ids = append(ids, p.id)
		}
	}
	for some := range slices.Chunk(ids, readSize) {
		sessions, err := r.look(ctx, some, "")
		if err != nil {
			return silence(err)
		}
		for _, s := range sessions {
			if s.Layout() != LayoutNone { // else gone in the meantime
				c.add(ctx, s)
			}
		}
	}
	c.flush(ctx)
	return ctx.Err()
}

// count is what was counted. How long all keys live is estimated by those that
// were asked.
func (c *recount) count() Count {
	sums := c.tally.Count()
	sums.Complete, sums.Survey, sums.TTLs, sums.TTLsOfSome = true, c.seen.survey(), c.lives, true
	for class, n := range c.lives {
		c.lives[class] = n * c.keys / max(c.asked, 1)
	}
	return sums
}

// visit notes a key that was scanned.
func (c *recount) visit(key []byte) {
	c.scanned++
	c.seen.key(key)
	if len(c.some) < samplesPerOne && c.seen.samples(c.pages) {
		c.some = append(c.some, string(key))
	}
	if len(sessionOf(key)) > 0 {
		c.found = append(c.found, key...)
		c.ends = append(c.ends, len(c.found))
	}
}

// turn is to ask what a page of keys asks for.
func (c *recount) turn() func(context.Context) error {
	found, some, lives := keysIn(string(c.found), c.ends), c.some, c.pages%lifePages == 0
	c.found, c.ends, c.some, c.pages = c.found[:0], c.ends[:0], nil, c.pages+1
	c.seen.scanned(c.scanned)
	return func(ctx context.Context) error {
		if len(some) > 0 {
			if err := c.seen.sample(ctx, c.master, some); err != nil {
				return err
			}
		}
		if lives {
			if err := c.ask(ctx, found); err != nil {
				return err
			}
		}
		return c.values(ctx, found)
	}
}

// keysIn takes keys apart that end there.
func keysIn(all string, ends []int) []string {
	keys, from := make([]string, len(ends)), 0
	for i, end := range ends {
		keys[i], from = all[from:end], end
	}
	return keys
}

// values asks for the values of keys, of fewer at a time where they are large.
func (c *recount) values(ctx context.Context, keys []string) error {
	for len(keys) > 0 {
		c.mu.Lock()
		n := min(c.size, len(keys))
		c.mu.Unlock()
		size, answers := 0, make([]answer, 0, n)
		err := mget(ctx, c.master, keys[:n], func(raw []byte, _ bool) {
			answers, size = append(answers, c.told(keys[len(answers)], raw)), size+len(raw)
		})
		if err == nil {
			err = c.take(answers)
		}
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.size = max(1, min(2*c.size, mostValues, n*mostBytes/max(size, 1)))
		c.mu.Unlock()
		keys = keys[n:]
	}
	return nil
}

// answer is what a value tells of its session.
type answer struct {
	part
	print uint64
	ok    bool // it is plainly one of a session that is completed
	full  int  // it is a full object, or cannot be read; a large one counts for many
}

// take notes what values tell, and counts the sessions of which all three keys
// were met. It gives up where too many would have to be read once more.
func (c *recount) take(answers []answer) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range answers { // all at once: memory is waited for in one go
		c.met.find(answers[i].print)
	}
	for i := range answers {
		c.keys, c.full = c.keys+1, c.full+answers[i].full
		c.join(&answers[i])
	}
	if c.full > maxApart {
		return errNotPlain
	}
	return nil
}

func (c *recount) join(a *answer) {
	at := c.met.find(a.print)
	if at.mark() == resting { // SCAN showed a key twice
		return
	}
	p := c.part(at, a.id)
	p.stored, p.length = max(p.stored, a.stored), max(p.length, a.length)
	p.completed, p.mapped, p.whole = p.completed || a.completed, p.mapped || a.mapped, p.whole || !a.ok
	if !p.rests() || !p.mapped {
		return
	}
	c.rest(p)
	c.spare, *p = append(c.spare, at.facts[at.at]), part{}
	at.stand(resting)
}

// rest counts a session that is completed.
func (c *recount) rest(p *part) {
	c.tally.AddResting([]byte(p.id), Resting{Length: int(p.length), At: time.UnixMilli(p.stored)})
}

// part is the place of a session that is not counted yet.
func (c *recount) part(at slot, id string) *part {
	if at.mark() == noted {
		return &c.parts[at.facts[at.at]]
	}
	at.stand(noted)
	if n := len(c.spare); n > 0 {
		at.facts[at.at], c.spare = c.spare[n-1], c.spare[:n-1]
	} else {
		at.facts[at.at] = uint32(len(c.parts))
		c.parts = append(c.parts, part{})
	}
	p := &c.parts[at.facts[at.at]]
	p.id = strings.Clone(id) // the page's other keys can go
	return p
}

// told is what a value tells. What is missing by now, or of another type, tells
// nothing.
func (c *recount) told(key string, raw []byte) answer {
	at := strings.IndexByte(key, ':') + 1
	prefix, id := key[:at], key[at:]
	a := answer{part: part{id: id}, print: c.met.fingerprint([]byte(id))}
	var stamp, created time.Time
	a.ok = plainMembers(raw, func(name, text []byte, _ int) bool {
		switch string(name) {
		case "status":
			a.completed = string(text) == string(StatusCompleted)
			return a.completed && prefix == prefixWebhook
		case "prompt":
			a.length = int32(Length(string(text)))
			return prefix == prefixPrompt
		case "timestamp":
			return prefix != prefixPrompt || stamp.UnmarshalText(text) == nil && !stamp.After(c.Now)
		case "createdAt":
			return prefix == prefixPrompt && created.UnmarshalText(text) == nil && !created.After(c.Now)
		}
		return true
	})
	switch prefix {
	case prefixPrompt:
		if stamp.IsZero() || !created.IsZero() && created.Before(stamp) {
			stamp = created
		}
		a.stored = max(stamp.UnixMilli(), 0)
		a.ok = a.ok && a.stored > 0
	case prefixWebhook:
		a.ok = a.ok && a.completed
	default:
		if a.mapped = a.ok; !a.ok {
			a.full = 1 + len(raw)/headSize
		}
	}
	return a
}

// ask asks how long keys live.
func (c *recount) ask(ctx context.Context, keys []string) error {
	lives := make([]*redis.DurationCmd, len(keys))
	pipe := c.master.Pipeline()
	for i, key := range keys {
		lives[i] = pipe.PTTL(ctx, key)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, life := range lives {
		if ttl := life.Val(); ttl != -2 { // gone in the meantime
			c.asked++
			c.lives[ttlClass(ttl)]++
		}
	}
	return nil
}
