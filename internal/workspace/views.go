package workspace

import (
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"time"
)

// maxStack is how many modals may be open on top of each other.
const maxStack = 3

// views are the open modals and the home tabs of everybody. It is safe for
// concurrent use.
type views struct {
	now      func() time.Time
	onChange func() // called after each change

	mu      sync.Mutex
	modals  map[string][]view // by user, the top of the stack last
	homes   map[string]view   // by user
	serial  int               // of hashes
	changes map[string]int64  // by user, how often their views have changed
}

func newViews(now func() time.Time, onChange func()) *views {
	return &views{
		now: now, onChange: onChange,
		modals: map[string][]view{}, homes: map[string]view{}, changes: map[string]int64{},
	}
}

// of lists the modals that a person has open, the top of the stack last, and the
// home tab, nil where none was published. The number grows with every change.
func (vs *views) of(user string) (home *view, modals []view, changes int64) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if h, ok := vs.homes[user]; ok {
		home = &h
	}
	return home, slices.Clone(vs.modals[user]), vs.changes[user]
}

// find finds a view by its id, or by its external id where the id is empty.
func (vs *views) find(id, externalID string) (view, bool) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if id == "" && externalID == "" {
		return view{}, false
	}
	return vs.search(func(v view) bool { return v.ID == id || (id == "" && v.ExternalID == externalID) })
}

// search needs vs.mu.
func (vs *views) search(fits func(view) bool) (view, bool) {
	for _, h := range vs.homes {
		if fits(h) {
			return h, true
		}
	}
	for _, stack := range vs.modals {
		if i := slices.IndexFunc(stack, fits); i >= 0 {
			return stack[i], true
		}
	}
	return view{}, false
}

// checkExternalID refuses an external id that another view has. It needs vs.mu.
func (vs *views) checkExternalID(c viewContent, own string) error {
	if c.ExternalID == "" {
		return nil
	}
	if _, taken := vs.search(func(v view) bool { return v.ExternalID == c.ExternalID && v.ID != own }); taken {
		return fail("duplicate_external_id")
	}
	return nil
}

// open shows a modal in the place of whatever the person had open.
func (vs *views) open(user string, c viewContent) (view, error) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if err := vs.checkExternalID(c, ""); err != nil {
		return view{}, err
	}
	v := vs.stamp(view{viewContent: c, ID: viewID(), User: user})
	v.Root = v.ID
	vs.modals[user] = []view{v}
	vs.touch(user)
	return v, nil
}

// push shows a modal on top of the stack that another one is in.
func (vs *views) push(user, onto string, c viewContent) (view, error) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	stack := vs.modals[user]
	switch {
	case !slices.ContainsFunc(stack, func(v view) bool { return v.ID == onto }):
		return view{}, fail("not_found")
	case len(stack) >= maxStack:
		return view{}, fail("push_limit_reached")
	}
	if err := vs.checkExternalID(c, ""); err != nil {
		return view{}, err
	}
	top := stack[len(stack)-1]
	v := vs.stamp(view{viewContent: c, ID: viewID(), User: user, Root: top.Root, Previous: top.ID})
	vs.modals[user] = append(stack, v)
	vs.touch(user)
	return v, nil
}

// update replaces a view's content, where its hash is still the expected one.
// An empty hash expects nothing.
func (vs *views) update(id, hash string, c viewContent) (view, error) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	old, ok := vs.search(func(v view) bool { return v.ID == id })
	switch {
	case !ok:
		return view{}, fail("not_found")
	case hash != "" && hash != old.Hash:
		return view{}, fail("hash_conflict")
	}
	if err := vs.checkExternalID(c, id); err != nil {
		return view{}, err
	}
	v := old
	v.viewContent, v.Errors = c, nil
	return vs.replace(vs.stamp(v)), nil
}

// publish sets a person's home tab.
func (vs *views) publish(user, hash string, c viewContent) (view, error) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	v, published := vs.homes[user]
	if published && hash != "" && hash != v.Hash {
		return view{}, fail("hash_conflict")
	}
	if !published {
		v = view{ID: viewID(), User: user}
		v.Root = v.ID
	}
	if err := vs.checkExternalID(c, v.ID); err != nil {
		return view{}, err
	}
	v.viewContent = c
	return vs.replace(vs.stamp(v)), nil
}

// mark notes what an app found wrong in a modal. It reports whether the modal is
// still open.
func (vs *views) mark(v view, errors map[string]string) bool {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	now, ok := vs.search(func(other view) bool { return other.ID == v.ID })
	if ok {
		now.Errors = errors
		vs.replace(now)
	}
	return ok
}

// close takes a modal, and what is on top of it, off the stack, and returns what
// it took, the bottom first. With all it takes the whole stack.
func (vs *views) close(user, id string, all bool) []view {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	stack := vs.modals[user]
	at := slices.IndexFunc(stack, func(v view) bool { return v.ID == id })
	if at < 0 {
		return nil
	}
	if all {
		at = 0
	}
	vs.modals[user] = stack[:at:at]
	vs.touch(user)
	return stack[at:]
}

// replace puts a view in the place of the one with its id. It needs vs.mu.
func (vs *views) replace(v view) view {
	if v.Type == homeView {
		vs.homes[v.User] = v
	} else {
		stack := slices.Clone(vs.modals[v.User])
		for i := range stack {
			if stack[i].ID == v.ID {
				stack[i] = v
			}
		}
		vs.modals[v.User] = stack
	}
	vs.touch(v.User)
	return v
}

// stamp gives a view a new hash. It needs vs.mu.
func (vs *views) stamp(v view) view {
	vs.serial++
	v.Hash = fmt.Sprintf("%d.%08x", vs.now().Unix(), vs.serial)
	return v
}

// touch counts a change and wakes those who wait. It needs vs.mu.
func (vs *views) touch(user string) {
	vs.changes[user]++
	vs.onChange()
}

func viewID() string { return "V" + rand.Text()[:10] }

func (vs *views) reset() {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	clear(vs.modals)
	clear(vs.homes)
	for user := range vs.changes {
		vs.changes[user]++
	}
	vs.onChange()
}
