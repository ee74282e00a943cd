package stats

// TTLClasses are the classes of TTLs.
var TTLClasses = []string{"under 1 day", "1-7 days", "7-30 days", "over 30 days", "never expires"}

// Survey is the statistics of all keys, also those of others. Memory and TTLs are those
// of a sample.
type Survey struct {
	Keys         int64
	Scanned      int64
	Namespaces   []Namespace // those with the most keys first
	Others       Namespace   // the rest of them together
	MemoryDenied bool        `json:"Untold"` // MEMORY USAGE is not permitted

	TTLs        map[string]int // of sessions' keys, by TTLClasses
	TTLsOfSome  bool           // they are estimated from some of the keys
	SessionKeys int64          // keys of sessions
}

// Namespace is the keys that have the same text before their first colon.
type Namespace struct {
	Name         string // "" = no colon
	Keys         int64
	Sampled      int64 // keys whose memory was read
	SampledBytes int64
}
