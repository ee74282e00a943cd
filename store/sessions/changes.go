package sessions

import (
	"cmp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/superduperai/sessionbot/store"
)

// UpdateKind is the kind of an update.
type UpdateKind string

// The kinds of update.
const (
	UpdateMarkError  UpdateKind = "fix"       // marked as error
	UpdateProcessing UpdateKind = "claim"     // a generation is about to be requested; a stored name
	UpdateFile       UpdateKind = "file"      // it was requested, and its file is known
	UpdateCompleted  UpdateKind = "completed" // the file is finished
	UpdateFailed     UpdateKind = "failed"    // it could not be started or made
	UpdateRestore    UpdateKind = "restore"   // a lost prompt was found
)

// Update is a change of a session by a repair.
type Update struct {
	Kind       UpdateKind
	At         time.Time    // becomes the timestamp
	FileID     string       // with UpdateFile and UpdateCompleted
	Error      string       // with UpdateMarkError and UpdateFailed: a sentence for the customer
	SiteLayout store.Layout `json:"Reads"` // of the keys that the site reads; LayoutNone = not known
	// Restored is what an UpdateRestore adds.
	Restored *Restored `json:",omitempty"`
}

// Change is one member of a value, before and after. Nil is absent.
type Change struct {
	Name          string
	Before, After *string
	NotString     bool `json:"Odd"`        // the previous value is not a string; the name of earlier versions
	Number        bool `json:",omitempty"` // After is a number
}

// KeyWrite is what is written to one key of a session.
type KeyWrite struct {
	Session    string
	Kind       string // prompt, webhook or session
	Create     bool   // the key is missing so far
	Unreadable bool   // the present value cannot be read, and is saved first
	Replaced   bool   // with Unreadable: nothing of it can be kept
	Changes    []Change
	// LaterMembers are the members that follow once the file is known; only shown.
	LaterMembers []string `json:"Then"` // the name of earlier versions
}

// Key returns the name of the key.
func (w KeyWrite) Key() string { return w.Kind + ":" + w.Session }

// The tool that a webhook: names if none is known.
const (
	defaultToolSlug  = "veo3-prompt-generator"
	defaultToolTitle = "Free VEO3 Viral Prompt Generator"
)

// timestampLayout is how the product writes times: UTC with milliseconds.
const timestampLayout = "2006-01-02T15:04:05.000Z"

func timestamp(at time.Time) string { return at.UTC().Format(timestampLayout) }

// Writes returns which members of which keys an update sets and removes, the current
// key first.
//
// One-key: the full object, and webhook: as well if it has a status, or cannot be
// read and so may have one. Three-key: webhook: and the mapping (session:, of session to
// file), which is created if it is missing, except by UpdateProcessing: that only removes
// the old file from it. If the
// site reads one key the mapping of a three-key session gets what webhook: gets, so
// that the customer's page shows it; never the prompt, with which the site would start
// another video on Stripe's next delivery.
func Writes(s store.Session, u Update) []KeyWrite {
	if u.Kind == UpdateRestore {
		return []KeyWrite{restoreKeyWrite(s, u)}
	}
	sessionValue, webhook := s.SessionKey.Value, s.Webhook.Value
	file := sessionValue.FileID
	if id := s.FileID(); id != "" { // session: is about to be the value that counts
		file = &id
	}
	switch {
	case s.SessionKey.Full:
		writes := []KeyWrite{newKeyWrite(s, s.SessionKey, statusChanges(sessionValue, file, u))}
		if webhook.Status != nil || s.Webhook.Fault != "" && !s.Webhook.WrongType {
			writes = append(writes, webhookKeyWrite(s, u))
		}
		return writes
	case u.SiteLayout == store.LayoutOneKey:
		changes := append(statusChanges(sessionValue, file, u), toolChanges(sessionValue, webhook)...)
		return []KeyWrite{newKeyWrite(s, s.SessionKey, changes), webhookKeyWrite(s, u)}
	}
	writes := []KeyWrite{webhookKeyWrite(s, u)}
	if u.Kind != UpdateProcessing || sessionValue.FileID != nil {
		writes = append(writes, newKeyWrite(s, s.SessionKey, mappingChanges(sessionValue, u)))
	}
	return writes
}

// AppliedTo reports whether the session still has the update's status, file and error
// in every key that it writes, or the prompt that it restored.
func (u Update) AppliedTo(s store.Session) bool {
	if u.Kind == UpdateRestore {
		return s.PromptText() == u.Restored.Order.Prompt
	}
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

func newKeyWrite(s store.Session, key store.Key, changes []Change) KeyWrite {
	return KeyWrite{Session: s.ID, Kind: key.Kind, Create: !key.Exists,
		Unreadable: key.Exists && key.Fault != "", Replaced: key.Fault.Replaceable(), Changes: addNotStringRemovals(key.Value, changes)}
}

// addNotStringRemovals adds the removal of members that are not strings and are not set anyway.
func addNotStringRemovals(v store.Value, changes []Change) []Change {
	for _, name := range v.NotStrings {
		if i := slices.IndexFunc(changes, func(c Change) bool { return c.Name == name }); i >= 0 {
			changes[i].NotString = true
		} else {
			changes = append(changes, Change{Name: name, NotString: true})
		}
	}
	return changes
}

// webhookKeyWrite is the write to webhook:, which names the tool too.
func webhookKeyWrite(s store.Session, u Update) KeyWrite {
	v := s.Webhook.Value
	return newKeyWrite(s, s.Webhook, append(statusChanges(v, v.FileID, u), toolChanges(v, s.SessionKey.Value)...))
}

// toolChanges adds the missing members of the tool, taken from the other value.
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

// statusChanges returns the changes of a value with a status. It gets the file given,
// unless the update sets or removes that.
func statusChanges(v store.Value, file *string, u Update) []Change {
	status, failure := store.StatusProcessing, (*string)(nil)
	switch u.Kind {
	case UpdateMarkError, UpdateFailed:
		status, failure = store.StatusError, &u.Error
	case UpdateProcessing:
		file = nil
	case UpdateFile:
		file = &u.FileID
	case UpdateCompleted:
		status, file = store.StatusCompleted, &u.FileID
	}
	at, word := timestamp(u.At), string(status)
	return dropUnchanged(
		Change{Name: "status", Before: v.Status, After: &word},
		Change{Name: "fileId", Before: v.FileID, After: file},
		Change{Name: "error", Before: v.Error, After: failure},
		Change{Name: "timestamp", Before: v.TimestampText, After: &at},
	)
}

// mappingChanges returns the changes of the small mapping, which has file and time.
func mappingChanges(v store.Value, u Update) []Change {
	file := v.FileID
	switch u.Kind {
	case UpdateProcessing:
		file = nil
	case UpdateFile, UpdateCompleted:
		file = &u.FileID
	}
	at := timestamp(u.At)
	return dropUnchanged(Change{Name: "fileId", Before: v.FileID, After: file}, Change{Name: "timestamp", Before: v.TimestampText, After: &at})
}

// dropUnchanged removes what stays the same, and shortens former values, which are only
// shown. The status is always kept, so that a reader of the plan sees it.
func dropUnchanged(all ...Change) []Change {
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

// maxBefore is the length in runes to which former values are shortened.
const maxBefore = 200

func shorten(text string) *string {
	if utf8.RuneCountInString(text) > maxBefore {
		text = string([]rune(text)[:maxBefore-1]) + "…"
	}
	return &text
}
