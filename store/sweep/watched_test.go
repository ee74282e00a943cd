package sweep

import (
	"context"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/store/rdb"
)

// watched counts the commands that a client sends, by their names.
type watched struct {
	mu    sync.Mutex
	names map[string]int
}

func watch(t testing.TB, r *rdb.Redis) *watched {
	t.Helper()
	client, err := r.Client(t.Context())
	must(t, err)
	w := &watched{names: map[string]int{}}
	client.AddHook(w)
	return w
}

// count returns how often the command was sent since it was last asked for.
func (w *watched) count(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := w.names[name]
	w.names[name] = 0
	return n
}

func (w *watched) note(cmds ...redis.Cmder) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, cmd := range cmds {
		w.names[cmd.Name()]++
	}
}

// DialHook does nothing.
func (*watched) DialHook(next redis.DialHook) redis.DialHook { return next }

// ProcessHook notes a command.
func (w *watched) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { w.note(cmd); return next(ctx, cmd) }
}

// ProcessPipelineHook notes several.
func (w *watched) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { w.note(cmds...); return next(ctx, cmds) }
}
