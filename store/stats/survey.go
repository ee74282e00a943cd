package stats

// TTLClasses names the classes of what keys have left to live.
var TTLClasses = []string{"under 1 day", "1-7 days", "7-30 days", "over 30 days", "never expires"}

// Survey is what a sweep saw of all keys, whoever they belong to. Memory and
// lifetimes are those of a sample.
type Survey struct {
	Keys       int64       // there are
	Scanned    int64       // were looked at
	Namespaces []Namespace // those with the most keys first
	Others     Namespace   // the rest of them together
	Untold     bool        // this Redis does not let us ask for keys' memory

	TTLs        map[string]int // of sessions' keys, by TTLClasses
	TTLsOfSome  bool           // they are estimated from some of the keys
	SessionKeys int64          // keys of sessions
}

// Namespace is the keys that have the same text before their first colon.
type Namespace struct {
	Name         string // "" = no colon
	Keys         int64
	Sampled      int64 // of which the memory was asked
	SampledBytes int64
}
