package workspace

import (
	"crypto/rand"
	"errors"
	"maps"
	"sync"
	"time"
)

// Why a token cannot be used.
var (
	errTokenUnknown = errors.New("unknown token")
	errTokenExpired = errors.New("expired token")
	errTokenUsed    = errors.New("used token")
)

// tokenMemory is how long an expired token is known as such.
const tokenMemory = 30 * time.Minute

// tokens are random texts that identify a value, for a while and a number of
// uses: connection URLs, response URLs and trigger ids.
type tokens[T any] struct {
	now  func() time.Time
	life time.Duration
	uses int

	mu     sync.Mutex
	issued map[string]*issuedToken[T]
}

type issuedToken[T any] struct {
	value   T
	uses    int // that are left
	expires time.Time
}

func newTokens[T any](now func() time.Time, life time.Duration, uses int) *tokens[T] {
	return &tokens[T]{now: now, life: life, uses: uses, issued: map[string]*issuedToken[T]{}}
}

func (t *tokens[T]) issue(value T) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	maps.DeleteFunc(t.issued, func(_ string, old *issuedToken[T]) bool { return now.Sub(old.expires) > tokenMemory })
	token := rand.Text()
	t.issued[token] = &issuedToken[T]{value: value, uses: t.uses, expires: now.Add(t.life)}
	return token
}

// use takes one use of a token and returns its value. The error is one
// of those above.
func (t *tokens[T]) use(token string) (T, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var none T
	found, ok := t.issued[token]
	switch {
	case !ok:
		return none, errTokenUnknown
	case t.now().After(found.expires):
		return none, errTokenExpired
	case found.uses == 0:
		return none, errTokenUsed
	}
	found.uses--
	return found.value, nil
}
