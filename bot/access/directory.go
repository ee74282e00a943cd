package access

import (
	"context"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/slack-go/slack"
	"golang.org/x/sync/singleflight"
)

const (
	lookupTTL       = 5 * time.Minute
	failedLookupTTL = 10 * time.Second
	maxLookups      = 5_000 // people or groups that are cached
)

// Directory looks people and user groups up in Slack. It is cached: the calls
// are rate limited.
type Directory struct {
	api    *slack.Client
	team   string // our workspace
	users  *lookups[bool]
	groups *lookups[[]string]
}

// NewDirectory returns a directory of a workspace. A lookup takes at most as long
// as timeout.
func NewDirectory(api *slack.Client, team string, now func() time.Time, timeout time.Duration) *Directory {
	return &Directory{api: api, team: team, users: newLookups[bool](now, timeout), groups: newLookups[[]string](now, timeout)}
}

// fullMember reports whether a user is a FullMember of our workspace.
func (d *Directory) fullMember(ctx context.Context, user string) (bool, error) {
	return d.users.get(ctx, user, func(ctx context.Context) (bool, error) {
		u, err := d.api.GetUserInfoContext(ctx, user)
		return err == nil && FullMember(u, d.team), err
	})
}

// FullMember reports whether a user is a full member of a workspace: not a guest, a bot
// or a user of a connected workspace.
func FullMember(u *slack.User, team string) bool {
	ours := team != "" && u.TeamID == team || slices.Contains(u.Enterprise.Teams, team)
	return ours && !u.Deleted && !u.IsBot && !u.IsRestricted && !u.IsUltraRestricted && !u.IsStranger
}

// members lists the people of a user group.
func (d *Directory) members(ctx context.Context, group string) ([]string, error) {
	return d.groups.get(ctx, group, func(ctx context.Context) ([]string, error) {
		return d.api.GetUserGroupMembersContext(ctx, group)
	})
}

// lookups caches answers by id, failed ones for a shorter time than the library's
// expirable cache could, and does not repeat a lookup that is under way.
type lookups[T any] struct {
	now     func() time.Time
	timeout time.Duration
	cache   *lru.Cache[string, lookup[T]]
	flight  singleflight.Group
}

type lookup[T any] struct {
	value   T
	err     error
	expires time.Time
}

func newLookups[T any](now func() time.Time, timeout time.Duration) *lookups[T] {
	cache, _ := lru.New[string, lookup[T]](maxLookups) // fails for a size of 0 alone
	return &lookups[T]{now: now, timeout: timeout, cache: cache}
}

// get returns the cached value, else that of find. A lookup is shared, so it
// outlives the caller that began it.
func (l *lookups[T]) get(ctx context.Context, id string, find func(context.Context) (T, error)) (value T, err error) {
	if found, ok := l.cache.Get(id); ok && l.now().Before(found.expires) {
		return found.value, found.err
	}
	shared := l.flight.DoChan(id, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timeout)
		defer cancel()
		value, err := find(ctx)
		ttl := lookupTTL
		if err != nil {
			ttl = failedLookupTTL
		}
		l.cache.Add(id, lookup[T]{value, err, l.now().Add(ttl)})
		return value, err
	})
	select {
	case result := <-shared:
		value, _ = result.Val.(T) // nil where the lookup failed
		return value, result.Err
	case <-ctx.Done():
		return value, ctx.Err()
	}
}
