package sessions

import (
	"cmp"
	"strconv"
	"time"

	"github.com/superduperai/sessionbot/store"
)

// Restored is the order that an UpdateRestore writes.
type Restored struct {
	Order   store.Order
	Created time.Time // of the checkout; zero = not known
}

// The site's defaults.
const (
	defaultVideoCount = 1
	DefaultSeconds    = 8
	DefaultResolution = "1280x720"
	defaultStyle      = "cinematic"
)

// restoreKeyWrite writes a lost prompt to the key where the session has it, and adds what
// is missing of the order: to a full object all that the site keeps there, to prompt:
// the time alone. What is there stays, status and file included.
func restoreKeyWrite(s store.Session, u Update) KeyWrite {
	o, target := u.Restored.Order, s.PromptTarget(u.SiteLayout)
	v := target.Value
	created := timestamp(cmp.Or(u.Restored.Created, u.At))
	prompt := o.Prompt
	changes := []Change{{Name: "prompt", Before: v.Prompt, After: &prompt}}
	add := func(name, value string, number bool) {
		if !v.HasOrderMember(name) {
			changes = append(changes, Change{Name: name, After: &value, Number: number})
		}
	}
	if target.Kind == s.Prompt.Kind {
		add("timestamp", created, false)
		return newKeyWrite(s, target, changes)
	}
	add("videoCount", strconv.Itoa(cmp.Or(o.VideoCount, defaultVideoCount)), true)
	add("duration", strconv.FormatFloat(cmp.Or(o.Seconds, DefaultSeconds), 'f', -1, 64), true)
	if v.Width == 0 && v.Height == 0 { // which a newer site keeps instead
		add("resolution", cmp.Or(o.Resolution, DefaultResolution), false)
	}
	add("style", cmp.Or(o.Style, defaultStyle), false)
	add("toolSlug", cmp.Or(o.ToolSlug, defaultToolSlug), false)
	add("toolTitle", cmp.Or(o.ToolTitle, defaultToolTitle), false)
	add("createdAt", created, false)
	switch { // the status that counts, and its age, stay what they are
	case s.Webhook.Value.Status != nil:
	case v.HasOrderMember("status"):
		add("timestamp", created, false)
	default:
		add("status", string(store.StatusPending), false)
		add("timestamp", timestamp(u.At), false)
	}
	return newKeyWrite(s, target, changes)
}
