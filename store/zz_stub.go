// Stands in until the package has its own: delete this file then. Names and
// shapes are those that commands uses; keep them where nothing speaks against it.

package store

import (
	"context"
	"errors"
	"time"
)

var ErrSilent = errors.New("silent")
var ErrSeveralIDs = errors.New("several")

func (u Unverified) Error() string       { return string(u) }
func FindID(text string) (string, error) { return text, nil }
func CheckURL(string) error              { return nil }

type Redis struct{}

func Open(ctx context.Context, url string) (*Redis, error) { return nil, nil }
func (r *Redis) Close() error                              { return nil }
func (r *Redis) Count(ctx context.Context, now time.Time, limits Thresholds) (Count, error) {
	return Count{}, nil
}
func (r *Redis) Prompts(ctx context.Context, limit int) (Prompts, error) { return Prompts{}, nil }
func (r *Redis) Server(ctx context.Context) (Server, error)              { return Server{}, nil }
func (r *Redis) Ping(ctx context.Context) (time.Duration, error)         { return 0, nil }

type PaymentReader interface {
	Payment(ctx context.Context, id string) Payment
	Event(ctx context.Context, p Payment) Event
}
type FileReader interface {
	File(ctx context.Context, fileID string) (File, error)
}
type SiteReader interface {
	SessionStatus(ctx context.Context, id string) (Site, error)
}
type Examiner struct {
	Redis    *Redis
	Payments PaymentReader
	Files    FileReader
	Site     SiteReader
	Limits   Thresholds
	Now      func() time.Time
}

func (x *Examiner) Examine(ctx context.Context, id string) Examination     { return Examination{} }
func (x *Examiner) ExaminePaid(ctx context.Context, p Payment) Examination { return Examination{} }

type Examination struct {
	Evidence
	Diagnosis
	Event                      Event
	Site                       Site
	RedisErr, FileErr, SiteErr error
	At                         time.Time
}

func (x Examination) SiteAgrees() bool { return true }

type PromptLength struct {
	ID     string `json:"id"`
	Length int    `json:"length"`
}

var LengthClasses = []string{"0-100"}

type Count struct {
	Complete                                  bool
	KeysSeen, Keys                            int64
	Sessions, Prompts                         int
	PromptCharacters, AverageLength           int64
	Longest, Shortest                         *PromptLength
	Distribution                              map[string]int
	Verdicts                                  map[Verdict]int
	WebhookSuccessRate, GenerationSuccessRate *float64
}
type Prompts struct {
	Newest   []PromptEntry
	Total    int
	Complete bool
}
type PromptEntry struct {
	ID, Text string
	Length   int
	At       time.Time
}
type Server struct {
	UsedMemoryBytes     int64   `json:"used_memory_bytes"`
	UsedMemoryPeakBytes int64   `json:"used_memory_peak_bytes"`
	MaxMemoryBytes      int64   `json:"maxmemory_bytes"`
	Keys                int64   `json:"keys"`
	PingMS              float64 `json:"ping_ms"`
	Version             string  `json:"version"`
	EvictedKeys         int64   `json:"evicted_keys"`
	ConnectedClients    int64   `json:"connected_clients"`
}
