package sessions

import (
	"cmp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/superduperai/sessionbot/store"
)

// UpdateKind says what a repair makes of a session.
type UpdateKind string

// The kinds of update.
const (
	UpdateFix       UpdateKind = "fix"       // marked as error
	UpdateClaim     UpdateKind = "claim"     // a generation is about to be asked for
	UpdateFile      UpdateKind = "file"      // it was asked for, and its file is known
	UpdateCompleted UpdateKind = "completed" // the file is finished
	UpdateFailed    UpdateKind = "failed"    // it could not be started or made
)

// Update is what a repair makes of a session.
type Update struct {
	Kind   UpdateKind
	At     time.Time    // becomes the timestamp
	FileID string       // with UpdateFile and UpdateCompleted
	Error  string       // with UpdateFix and UpdateFailed: a sentence for the customer
	Reads  store.Layout // of the keys that the site reads; LayoutNone = not known
}

// Change is one member of a value, before and after. Nil is absent.
type Change struct {
	Name          string
	Before, After *string
	Odd           bool // what was there is no string
}

// KeyWrite is what is written to one key of a session.
type KeyWrite struct {
	Session    string
	Kind       string // webhook or session
	Create     bool   // the key is missing so far
	Unreadable bool   // what stands there cannot be read, and is saved first
	Replaced   bool   // with Unreadable: nothing of it can be kept
	Changes    []Change
	// LaterMembers are the members that follow once the file is known: for showing.
	LaterMembers []string `json:"Then"`
}

// Key is the key's whole name.
func (w KeyWrite) Key() string { return w.Kind + ":" + w.Session }

// What a webhook: names as its tool where nothing else is known.
const (
	defaultToolSlug  = "veo3-prompt-generator"
	defaultToolTitle = "Free VEO3 Viral Prompt Generator"
)

// timestampLayout is how the product writes times: UTC with milliseconds.
const timestampLayout = "2006-01-02T15:04:05.000Z"

func timestamp(at time.Time) string { return at.UTC().Format(timestampLayout) }

// Writes tells which members of which keys an update sets and removes, the key
// that decides first.
//
// One-key: the full object, and webhook: as well where that carries a status,
// or cannot be read and so may carry one. Three-key: webhook: and the mapping,
// which is created where it is missing, except by a claim: that only takes the
// old file out of it. Where the site reads one key the mapping of a three-key
// session gets what webhook: gets, so that the customer's page shows it; never the
// prompt, with which the site would start another video on Stripe's next delivery.
func Writes(s store.Session, u Update) []KeyWrite {
	lookup, webhook := s.SessionKey.Value, s.Webhook.Value
	file := lookup.FileID
	if id := s.FileID(); id != "" { // session: is about to be the value that counts
		file = &id
	}
	switch {
	case s.SessionKey.Full:
		writes := []KeyWrite{write(s, s.SessionKey, statusChanges(lookup, file, u))}
		if webhook.Status != nil || s.Webhook.Fault != "" && !s.Webhook.WrongType {
			writes = append(writes, webhookWrite(s, u))
		}
		return writes
	case u.Reads == store.LayoutOneKey:
		changes := append(statusChanges(lookup, file, u), toolChanges(lookup, webhook)...)
		return []KeyWrite{write(s, s.SessionKey, changes), webhookWrite(s, u)}
	}
	writes := []KeyWrite{webhookWrite(s, u)}
	if u.Kind != UpdateClaim || lookup.FileID != nil {
		writes = append(writes, write(s, s.SessionKey, mappingChanges(lookup, u)))
	}
	return writes
}

// AppliedTo reports whether the session says what the update made of it, in every
// key that it writes: status, file and error. Whatever else stands there is not
// the update's.
func (u Update) AppliedTo(s store.Session) bool {
	for _, w := range Writes(s, u) {
		for _, c := range w.Changes {
			switch c.Name {
			case "status": // is listed also where it stays
				if c.Before == nil || *c.Before != *c.After {
					return false
				}
			case "fileId", "error":
				return false
			}
		}
	}
	return true
}

func write(s store.Session, key store.Key, changes []Change) KeyWrite {
	return KeyWrite{Session: s.ID, Kind: key.Kind, Create: !key.Exists,
		Unreadable: key.Exists && key.Fault != "", Replaced: key.Fault.Replaceable(), Changes: addOddRemovals(key.Value, changes)}
}

// addOddRemovals takes members of a wrong type out that are not set anyway.
func addOddRemovals(v store.Value, changes []Change) []Change {
	for _, name := range v.Odd {
		if i := slices.IndexFunc(changes, func(c Change) bool { return c.Name == name }); i >= 0 {
			changes[i].Odd = true
		} else {
			changes = append(changes, Change{Name: name, Odd: true})
		}
	}
	return changes
}

// webhookWrite names the tool too.
func webhookWrite(s store.Session, u Update) KeyWrite {
	v := s.Webhook.Value
	return write(s, s.Webhook, append(statusChanges(v, v.FileID, u), toolChanges(v, s.SessionKey.Value)...))
}

// toolChanges name the tool where a value does not, as another one does.
func toolChanges(v, other store.Value) []Change {
	var changes []Change
	for _, tool := range []struct{ name, here, there, none string }{
		{"toolSlug", v.ToolSlug, other.ToolSlug, defaultToolSlug},
		{"toolTitle", v.ToolTitle, other.ToolTitle, defaultToolTitle},
	} {
		if tool.here == "" {
			name := cmp.Or(tool.there, tool.none)
			changes = append(changes, Change{Name: tool.name, After: &name})
		}
	}
	return changes
}

// statusChanges are those of a value that carries a status. Its file is the one
// given, unless the update is about that.
func statusChanges(v store.Value, file *string, u Update) []Change {
	status, failure := store.StatusProcessing, (*string)(nil)
	switch u.Kind {
	case UpdateFix, UpdateFailed:
		status, failure = store.StatusError, &u.Error
	case UpdateClaim:
		file = nil
	case UpdateFile:
		file = &u.FileID
	case UpdateCompleted:
		status, file = store.StatusCompleted, &u.FileID
	}
	at, word := timestamp(u.At), string(status)
	return changed(
		Change{Name: "status", Before: v.Status, After: &word},
		Change{Name: "fileId", Before: v.FileID, After: file},
		Change{Name: "error", Before: v.Error, After: failure},
		Change{Name: "timestamp", Before: v.Stamp, After: &at},
	)
}

// mappingChanges are those of the small mapping, which names file and time.
func mappingChanges(v store.Value, u Update) []Change {
	file := v.FileID
	switch u.Kind {
	case UpdateClaim:
		file = nil
	case UpdateFile, UpdateCompleted:
		file = &u.FileID
	}
	at := timestamp(u.At)
	return changed(Change{Name: "fileId", Before: v.FileID, After: file}, Change{Name: "timestamp", Before: v.Stamp, After: &at})
}

// changed leaves out what stays as it is, and cuts what was there: it is only
// shown. The status is always set, so that a reader of the plan sees it.
func changed(all ...Change) []Change {
	var changes []Change
	for _, c := range all {
		same := c.Before == c.After || c.Before != nil && c.After != nil && *c.Before == *c.After
		if same && c.Name != "status" {
			continue
		}
		if c.Before != nil {
			c.Before = shorten(*c.Before)
		}
		changes = append(changes, c)
	}
	return changes
}

// maxBefore is the length in runes at which a former value is cut.
const maxBefore = 200

func shorten(text string) *string {
	if utf8.RuneCountInString(text) > maxBefore {
		text = string([]rune(text)[:maxBefore-1]) + "…"
	}
	return &text
}
