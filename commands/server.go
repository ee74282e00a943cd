package commands

import (
	"context"
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/internal/blockkit"
	"github.com/superduperai/sessionbot/store/rdb"
)

func (d Deps) ping() Command {
	return Command{Group: "redis", Name: "ping", Summary: "whether Redis answers, and how fast", Parse: withoutArgs(d.runPing)}
}

func (d Deps) runPing(ctx context.Context, _ Request) (Answer, error) {
	took, err := d.Redis.Ping(ctx)
	if err != nil {
		return Answer{}, fmt.Errorf("ping: %w", err)
	}
	ms := float64(took) / float64(time.Millisecond)
	return Answer{
		Blocks:    blockkit.Message(blockkit.BoldLine(fmt.Sprintf("Redis answers, in %.1f ms.", ms))),
		JSON:      map[string]float64{"ping_ms": ms},
		Shareable: true,
	}, nil
}

func (d Deps) memory() Command {
	return Command{Group: "redis", Name: "memory", Summary: "what Redis uses of its memory", Parse: withoutArgs(d.runMemory)}
}

func (d Deps) runMemory(ctx context.Context, _ Request) (Answer, error) {
	server, err := d.Redis.Server(ctx)
	if err != nil {
		return Answer{}, fmt.Errorf("server: %w", err)
	}
	table, _ := blockkit.Table([]string{"Figure", "Value"}, serverRows(server), true)
	return Answer{Blocks: append(blockkit.Message(blockkit.BoldLine(memoryText(server))), table), JSON: server, Shareable: true}, nil
}

func memoryText(s rdb.Server) string {
	full := 0.0
	if s.MaxMemoryBytes > 0 {
		full = float64(s.UsedMemoryBytes) / float64(s.MaxMemoryBytes)
	}
	switch {
	case s.EvictedKeys > 0:
		return evictedText(s.EvictedKeys, "")
	case s.UsedMemoryBytes == 0:
		return "This Redis does not tell how much memory it uses."
	case full > fullAt:
		return fullText(full)
	case s.MaxMemoryBytes == 0:
		return "Redis uses " + bytes(s.UsedMemoryBytes) + "; no limit is set."
	}
	return fmt.Sprintf("Redis uses %s, %.0f%% of its limit.", bytes(s.UsedMemoryBytes), 100*full)
}

func evictedText(keys int64, period string) string {
	return fmt.Sprintf("Redis has thrown %s away%s for want of memory: customers' sessions may be among them. Give it more memory.",
		count(int(keys), "key"), period)
}

func fullText(full float64) string {
	return fmt.Sprintf("Redis is %.0f%% full. Give it more memory before it refuses writes.", 100*full)
}

// serverRows are the server's figures, without those that it does not report.
func serverRows(s rdb.Server) [][]string {
	answers := fmt.Sprintf("answers in %.1f ms", s.PingMS)
	if s.Version != "" {
		answers = "version " + s.Version + ", " + answers
	}
	rows := [][]string{{"Redis", answers}}
	if s.UsedMemoryBytes > 0 {
		limit := "no limit set"
		if s.MaxMemoryBytes > 0 {
			limit = fmt.Sprintf("%.0f%% of %s", 100*float64(s.UsedMemoryBytes)/float64(s.MaxMemoryBytes), bytes(s.MaxMemoryBytes))
		}
		rows = append(rows, []string{"Memory", bytes(s.UsedMemoryBytes) + ", at most " + bytes(s.UsedMemoryPeakBytes) + ", " + limit})
	}
	return append(rows,
		[]string{"Keys", thousands(s.Keys)},
		[]string{"Keys evicted", thousands(s.EvictedKeys)},
		[]string{"Clients connected", thousands(s.ConnectedClients)})
}
