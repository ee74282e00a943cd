package sweep

import (
	"bytes"
	"context"
	"encoding/hex"
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
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
)

const (
	// finishedPrefix is that of hashes, 128 for each day on which sessions were created:
	// small enough that Redis packs them (up to 65 000 sessions a day), and ended by
	// their TTL. A field is 8 bytes of a session's key, its value 16 of each file's UUID.
	finishedPrefix = "sessionbot:finished:"
	// statePrefix is the prefix of the last state of a file that is not finished.
	statePrefix = "sessionbot:{watch}:file:"
	fileLife    = store.KeyLife + 24*time.Hour
	lookBack    = 31 // days of creation that are looked through
)

// Files remembers the states of the files that sessions name, across restarts and
// replicas. A finished file is remembered for 30 days after a sweep last saw it.
type Files struct {
	state *rdb.Redis
	now   func() time.Time

	mu  sync.Mutex
	met map[string]bool // hashes with a session of a sweep
}

// NewFiles returns the records in the bot's own Redis.
func NewFiles(state *rdb.Redis, now func() time.Time) *Files {
	return &Files{state: state, now: now, met: map[string]bool{}}
}

// bucket returns the hash with the finished files of a session.
func (f *Files) bucket(k key, ref store.FileRef) string {
	day, today := dayOf(ref.Created), dayOf(f.now())
	if day < today-lookBack || day > today { // unknown, or forged
		day = today
	}
	return bucket(k, day)
}

func bucket(k key, day int64) string {
	return finishedPrefix + strconv.FormatInt(day, 10) + ":" + strconv.Itoa(int(k[0]>>1))
}

func dayOf(at time.Time) int64 { return at.Unix() / (24 * 60 * 60) }

// States returns the records of the files of sessions, in their order: FileUnchecked if
// the one that a session names has to be requested.
func (f *Files) States(ctx context.Context, sessions []store.Session) ([]diagnosis.FileRecord, error) {
	client, err := f.state.Client(ctx)
	if err != nil {
		return nil, err
	}
	records, now := make([]diagnosis.FileRecord, len(sessions)), f.now()
	var looked []finishedRequest
	pipe := client.Pipeline()
	for i, s := range sessions {
		uuid, named := store.FileUUID(s.FileID())
		k := keyOf(s.ID)
		hash := f.bucket(k, s.FileRef(now))
		looked = append(looked, finishedRequest{i, named, uuid, hash, pipe.HGet(ctx, hash, string(k[:8]))})
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, fmt.Errorf("read finished files: %w", rdb.Classify(err))
	}
	var open []finishedRequest
	var keys []string
	f.mu.Lock()
	for _, a := range looked {
		r, uuids := &records[a.session], []byte(a.uuids.Val())
		if len(uuids) > 0 {
			f.met[a.hash] = true
		}
		switch r.Finished = texts(uuids); {
		case !a.named:
			r.File.State = store.FileNone
		case holds(uuids, a.uuid):
			r.File.State = store.FileCompleted
		default:
			open, keys = append(open, a), append(keys, statePrefix+sessions[a.session].FileID())
		}
	}
	f.mu.Unlock()
	if len(open) == 0 {
		return records, nil
	}
	last, err := client.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, fmt.Errorf("read files: %w", rdb.Classify(err))
	}
	for n, a := range open {
		text, _ := last[n].(string) // nil where there is none
		records[a.session].File = parseState(text)
	}
	return records, nil
}

// exec executes reads of keys that may not exist. The pipeline's own error may be that
// one, and hide that a master gave no answer.
func exec(ctx context.Context, pipe redis.Pipeliner) error {
	cmds, _ := pipe.Exec(ctx) // each error is checked
	for _, cmd := range cmds {
		if err := cmd.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
	}
	return nil
}

// finishedRequest is a request for the finished files of a session.
type finishedRequest struct {
	session int
	named   bool // it names one
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

// texts formats UUIDs.
func texts(uuids []byte) []string {
	var all []string
	for u := range slices.Chunk(uuids, 16) {
		digits := hex.EncodeToString(u)
		all = append(all, strings.Join([]string{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]}, "-"))
	}
	return all
}

// Known returns the record of the file and of the files seen finished for the session,
// whenever it claims to have been created: that can be changed from outside. ref may
// name no file.
func (f *Files) Known(ctx context.Context, ref store.FileRef) (diagnosis.FileRecord, error) {
	client, err := f.state.Client(ctx)
	if err != nil {
		return diagnosis.FileRecord{}, err
	}
	k, today := keyOf(ref.Session), dayOf(f.now())
	pipe := client.Pipeline()
	finished := []*redis.StringCmd{pipe.HGet(ctx, f.bucket(k, ref), string(k[:8]))}
	for day := today - lookBack; day <= today; day++ {
		finished = append(finished, pipe.HGet(ctx, bucket(k, day), string(k[:8])))
	}
	last := pipe.Get(ctx, statePrefix+ref.FileID)
	if err := exec(ctx, pipe); err != nil {
		return diagnosis.FileRecord{}, fmt.Errorf("read the records of files: %w", rdb.Classify(err))
	}
	record := diagnosis.FileRecord{File: parseState(last.Val())}
	for _, uuids := range finished {
		for _, id := range texts([]byte(uuids.Val())) {
			if !slices.Contains(record.Finished, id) {
				record.Finished = append(record.Finished, id)
			}
			if strings.EqualFold(id, ref.FileID) {
				record.File = store.File{State: store.FileCompleted}
			}
		}
	}
	if ref.FileID == "" {
		record.File = store.File{State: store.FileNone}
	}
	return record, nil
}

// KEYS: the hash. ARGV: the field, a UUID, life in ms.
var addFinished = redis.NewScript(`
local uuids = redis.call('HGET', KEYS[1], ARGV[1]) or ''
local known = false
for i = 1, #uuids, 16 do known = known or string.sub(uuids, i, i + 15) == ARGV[2] end
if not known then redis.call('HSET', KEYS[1], ARGV[1], uuids .. ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

// Save stores the state of a file. FileUnchecked deletes that of one that is not
// finished.
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
		return fmt.Errorf("remember a file: %w", rdb.Classify(err))
	}
	return nil
}

// Keep extends by 30 days the records of what States found finished since the last call.
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
		return fmt.Errorf("keep finished files: %w", rdb.Classify(err))
	}
	return nil
}
