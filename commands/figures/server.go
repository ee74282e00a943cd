package figures

import (
	"fmt"

	"github.com/superduperai/sessionbot/internal/humanize"
	"github.com/superduperai/sessionbot/store/rdb"
)

// MemoryText says how much of its memory Redis uses, and what that means.
func MemoryText(s rdb.Server) string {
	full := 0.0
	if s.MaxMemoryBytes > 0 {
		full = float64(s.UsedMemoryBytes) / float64(s.MaxMemoryBytes)
	}
	switch {
	case s.EvictedKeys > 0:
		return evictedText(s.EvictedKeys, "")
	case s.UsedMemoryBytes == 0:
		return "This Redis does not report its memory use, which is normal for some hosted ones: see the memory at your provider."
	case full > fullAt:
		return fullText(s)
	case s.MaxMemoryBytes == 0:
		return "Redis uses " + humanize.Bytes(s.UsedMemoryBytes) + "; no limit is set. Nothing to do unless its host runs out of memory, which the bot cannot see: check it there."
	}
	return fmt.Sprintf("Redis uses %s, %.0f%% of its limit.", humanize.Bytes(s.UsedMemoryBytes), 100*full)
}

func evictedText(keys int64, period string) string {
	return fmt.Sprintf("Redis evicted %s%s because it ran out of memory: customers' sessions may be among them. %s, then run /session list lost.",
		humanize.Count(int(keys), "key"), period, moreMemory)
}

func fullText(s rdb.Server) string {
	then := "refuses writes"
	if s.MaxMemoryPolicy != "" && s.MaxMemoryPolicy != "noeviction" {
		then = "evicts keys, and with them customers' sessions"
	}
	return fmt.Sprintf("Redis is %.0f%% full. %s before it %s.", 100*float64(s.UsedMemoryBytes)/float64(s.MaxMemoryBytes), moreMemory, then)
}

const moreMemory = "Find out what is filling it (redis-cli --bigkeys), and give it more memory (raise maxmemory, or move it to a larger host)"

// ServerRows are the server's figures, without those that it does not report.
func ServerRows(s rdb.Server) [][]string {
	answers := fmt.Sprintf("answers in %.1f ms", s.PingMS)
	if s.Version != "" {
		answers = "version " + s.Version + ", " + answers
	}
	rows := [][]string{{"Redis", answers}}
	if s.UsedMemoryBytes > 0 {
		limit := "no limit set"
		if s.MaxMemoryBytes > 0 {
			limit = fmt.Sprintf("%.0f%% of %s", 100*float64(s.UsedMemoryBytes)/float64(s.MaxMemoryBytes), humanize.Bytes(s.MaxMemoryBytes))
		}
		rows = append(rows, []string{"Memory", humanize.Bytes(s.UsedMemoryBytes) + ", peak " + humanize.Bytes(s.UsedMemoryPeakBytes) + ", " + limit})
	}
	rows = append(rows, []string{"Keys", humanize.Thousands(s.Keys)})
	if s.Version == "" { // INFO, which has the others, was not answered
		return rows
	}
	return append(rows,
		[]string{"Keys evicted", humanize.Thousands(s.EvictedKeys)},
		[]string{"Clients connected", humanize.Thousands(s.ConnectedClients)})
}
