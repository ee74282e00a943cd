package sweep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store"
)

const (
	// finishedPrefix is that of hashes, 128 for each day on which sessions were created:
	// small enough that Redis packs them (up to 65 000 sessions a day), and ended by
	// their TTL. A field is 8 bytes of a session's key, its value 16 of each file's UUID.
	finishedPrefix = "sessionbot:finished:"
	// statePrefix is that of what was last seen of a file that is not finished.
	statePrefix = "sessionbot:{watch}:file:"
	fileLife    = store.KeyLife + 24*time.Hour
	lookBack    = 31 // days of creation that are looked through
)

// Files remembers what SuperDuperAI said of the files that sessions name, across
// restarts and replicas. What is finished is remembered for 30 days from when it
// was last met in a sweep.
type Files struct {
	state *store.Redis
	now   func() time.Time

	mu  sync.Mutex
	met map[string]bool // hashes that held a session of a sweep
}

// NewFiles keeps the records in the bot's own Redis.
func NewFiles(state *store.Redis, now func() time.Time) *Files {
	return &Files{state: state, now: now, met: map[string]bool{}}
}

// bucket is the hash that remembers the finished files of a session.
func (f *Files) bucket(k key, ref store.FileRef) string {
	if ref.Created.IsZero() {
		ref.Created = f.now()
	}
	return bucket(k, dayOf(ref.Created))
}

func bucket(k key, day int64) string {
	return finishedPrefix + strconv.FormatInt(day, 10) + ":" + strconv.Itoa(int(k[0]>>1))
}

func dayOf(at time.Time) int64 { return at.Unix() / (24 * 60 * 60) }

// States returns the last known state of the file that each session names, in
// their order: FileUnchecked where it has to be asked for, FileUnknown where it
// cannot be. A session that says completed is believed without looking.
func (f *Files) States(ctx context.Context, sessions []store.Session) ([]store.File, error) {
	client, err := f.state.Client(ctx)
	if err != nil {
		return nil, err
	}
	files, now := make([]store.File, len(sessions)), f.now()
	var named []asked
	pipe := client.Pipeline()
	for i, s := range sessions {
		id := s.FileID()
		switch uuid, ok := store.FileUUID(id); {
		case id == "":
			files[i].State = store.FileNone
		case !ok || s.Status() == store.StatusCompleted:
			files[i].State = store.FileUnknown
		default:
			k := keyOf(s.ID)
			hash := f.bucket(k, s.FileRef(now))
			named = append(named, asked{i, uuid, hash, pipe.HGet(ctx, hash, string(k[:8]))})
		}
	}
	if len(named) == 0 {
		return files, nil
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, fmt.Errorf("read finished files: %w", store.Classify(err))
	}
	f.mu.Lock()
	named = slices.DeleteFunc(named, func(a asked) bool {
		found := holds([]byte(a.uuids.Val()), a.uuid)
		if found {
			files[a.session].State, f.met[a.hash] = store.FileCompleted, true
		}
		return found
	})
	f.mu.Unlock()
	if len(named) == 0 {
		return files, nil
	}
	keys := make([]string, len(named))
	for n, a := range named {
		keys[n] = statePrefix + sessions[a.session].FileID()
	}
	last, err := client.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, fmt.Errorf("read files: %w", store.Classify(err))
	}
	for n, a := range named {
		text, _ := last[n].(string) // nil where there is none
		files[a.session] = parseState(text)
	}
	return files, nil
}

// exec sends what may find nothing. Its own first error may be just that, and
// hide that a master gave no answer.
func exec(ctx context.Context, pipe redis.Pipeliner) error {
	cmds, _ := pipe.Exec(ctx) // each is looked at
	for _, cmd := range cmds {
		if err := cmd.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
	}
	return nil
}

// asked is a session, and the answer to which of its files are finished.
type asked struct {
	session int
	uuid    [16]byte
	hash    string
	uuids   *redis.StringCmd
}

func parseState(text string) store.File {
	state, stamp, _ := strings.Cut(text, " ")
	ms, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return store.File{State: store.FileUnchecked}
	}
	return store.File{State: store.FileState(state), SeenAt: time.UnixMilli(ms).UTC()}
}

// holds reports whether one of the UUIDs is the id.
func holds(uuids []byte, id [16]byte) bool {
	return slices.ContainsFunc(slices.Collect(slices.Chunk(uuids, 16)), func(uuid []byte) bool { return bytes.Equal(uuid, id[:]) })
}

// Known returns what is known of the file: that it was seen finished for the
// session, whenever that says it was created (what it says can be changed from
// outside), else what was seen of it last.
func (f *Files) Known(ctx context.Context, ref store.FileRef) (store.File, error) {
	id, ok := store.FileUUID(ref.FileID)
	if !ok {
		return store.File{State: store.FileUnknown}, nil
	}
	client, err := f.state.Client(ctx)
	if err != nil {
		return store.File{}, err
	}
	k, today := keyOf(ref.Session), dayOf(f.now())
	pipe := client.Pipeline()
	finished := []*redis.StringCmd{pipe.HGet(ctx, f.bucket(k, ref), string(k[:8]))}
	for day := today - lookBack; day <= today; day++ {
		finished = append(finished, pipe.HGet(ctx, bucket(k, day), string(k[:8])))
	}
	last := pipe.Get(ctx, statePrefix+ref.FileID)
	if err := exec(ctx, pipe); err != nil {
		return store.File{}, fmt.Errorf("read what is known of a file: %w", store.Classify(err))
	}
	if slices.ContainsFunc(finished, func(uuids *redis.StringCmd) bool { return holds([]byte(uuids.Val()), id) }) {
		return store.File{State: store.FileCompleted}, nil
	}
	return parseState(last.Val()), nil
}

// KEYS: the hash. ARGV: the field, a UUID, life in ms.
var addFinished = redis.NewScript(`
local uuids = redis.call('HGET', KEYS[1], ARGV[1]) or ''
local known = false
for i = 1, #uuids, 16 do known = known or string.sub(uuids, i, i + 15) == ARGV[2] end
if not known then redis.call('HSET', KEYS[1], ARGV[1], uuids .. ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

// Save remembers what was seen of a file. FileUnchecked forgets what was seen of
// one that is not finished.
func (f *Files) Save(ctx context.Context, ref store.FileRef, state store.FileState) error {
	client, err := f.state.Client(ctx)
	if err != nil {
		return err
	}
	id, ok := store.FileUUID(ref.FileID)
	switch {
	case !ok:
		return nil
	case state == store.FileCompleted:
		k := keyOf(ref.Session)
		err = addFinished.Run(ctx, client, []string{f.bucket(k, ref)}, string(k[:8]), id[:], fileLife.Milliseconds()).Err()
		if err == nil {
			err = client.Del(ctx, statePrefix+ref.FileID).Err()
		}
	case state == store.FileUnchecked:
		err = client.Del(ctx, statePrefix+ref.FileID).Err()
	default:
		err = client.Set(ctx, statePrefix+ref.FileID, fmt.Sprint(string(state), " ", f.now().UnixMilli()), fileLife).Err()
	}
	if err != nil {
		return fmt.Errorf("remember a file: %w", store.Classify(err))
	}
	return nil
}

// Keep keeps what States found finished since the last call for another 30 days.
func (f *Files) Keep(ctx context.Context) error {
	client, err := f.state.Client(ctx)
	if err != nil {
		return err
	}
	f.mu.Lock()
	met := slices.Collect(maps.Keys(f.met))
	clear(f.met)
	f.mu.Unlock()
	pipe := client.Pipeline()
	for _, hash := range met { // a few thousand
		pipe.PExpire(ctx, hash, fileLife)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("keep finished files: %w", store.Classify(err))
	}
	return nil
}
