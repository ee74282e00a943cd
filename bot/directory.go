package bot

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/sync/singleflight"
)

const (
	lookupFor   = 2 * time.Second // one look at Slack's directory
	knownFor    = 5 * time.Minute
	unknownFor  = 10 * time.Second // a failed look is not repeated sooner
	maxLookedUp = 5_000            // people or groups that are remembered
)

// directory is what Slack says of people and user groups, remembered for five
// minutes: the calls are rate limited.
type directory struct {
	api    *slack.Client
	team   string // our workspace
	users  lookups[bool]
	groups lookups[[]string]
}

func newDirectory(api *slack.Client, team string, now func() time.Time, p patience) *directory {
	return &directory{api: api, team: team, users: lookups[bool]{now: now, most: p.times(lookupFor)}, groups: lookups[[]string]{now: now, most: p.times(lookupFor)}}
}

// fullMember tells whether somebody is a FullMember of our workspace.
func (d *directory) fullMember(ctx context.Context, user string) (bool, error) {
	return d.users.get(ctx, user, func(ctx context.Context) (bool, error) {
		u, err := d.api.GetUserInfoContext(ctx, user)
		if err != nil {
			return false, err
		}
		return FullMember(u, d.team), nil
	})
}

// FullMember tells whether somebody belongs wholly to a workspace: no guest, no
// bot, nobody from a connected workspace.
func FullMember(u *slack.User, team string) bool {
	ours := u.TeamID == team || slices.Contains(u.Enterprise.Teams, team)
	return ours && !u.Deleted && !u.IsBot && !u.IsRestricted && !u.IsUltraRestricted && !u.IsStranger
}

// members lists the people of a user group.
func (d *directory) members(ctx context.Context, group string) ([]string, error) {
	return d.groups.get(ctx, group, func(ctx context.Context) ([]string, error) {
		return d.api.GetUserGroupMembersContext(ctx, group)
	})
}

// lookups remembers answers by id and asks for one id only once at a time.
type lookups[T any] struct {
	now    func() time.Time
	most   time.Duration // that an answer may take
	mu     sync.Mutex
	known  map[string]lookup[T]
	flight singleflight.Group
}

type lookup[T any] struct {
	value T
	err   error
	until time.Time
}

// get asks where nothing is remembered. The asking is shared, so it goes on
// when the one who began it leaves.
func (l *lookups[T]) get(ctx context.Context, id string, ask func(context.Context) (T, error)) (T, error) {
	if found, ok := l.remembered(id); ok {
		return found.value, found.err
	}
	shared := l.flight.DoChan(id, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.most)
		defer cancel()
		value, err := ask(ctx)
		l.remember(id, value, err)
		return value, err
	})
	select {
	case result := <-shared:
		value, _ := result.Val.(T) // nil where the asking failed
		return value, result.Err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

func (l *lookups[T]) remembered(id string) (lookup[T], bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found, ok := l.known[id]
	return found, ok && l.now().Before(found.until)
}

func (l *lookups[T]) remember(id string, value T, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil || len(l.known) >= maxLookedUp {
		l.known = map[string]lookup[T]{}
	}
	keep := knownFor
	if err != nil {
		keep = unknownFor
	}
	l.known[id] = lookup[T]{value: value, err: err, until: l.now().Add(keep)}
}
