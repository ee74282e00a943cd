package page

import (
	"fmt"
	"hash/fnv"
	"html/template"
	"maps"
	"slices"

	"github.com/superduperai/sessionbot/internal/workspace/page/blockhtml"
)

// openView is a modal or home tab that is shown.
type openView struct {
	View
	Version string // differs where the view has to be drawn again
	Body    template.HTML
}

// tab is a tab of the app: its messages or its home.
type tab struct {
	Label, Href string
	Current     bool
}

// homeTab is the name of the home tab in addresses.
const homeTab = "home"

// addViews adds the home tab and the modal on top.
func (s *server) addViews(v *view, w writer, channel Channel, chosen string) {
	home, modal := s.backend.Views(v.Me.ID)
	v.Modal = w.openView(modal)
	if !channel.Direct || !s.backend.HasHome() {
		return
	}
	v.AtHome = chosen == homeTab
	for _, t := range []tab{{Label: "Home"}, {Label: "Messages"}} {
		to := w.current
		if t.Label == "Home" {
			to.tab = homeTab
		}
		t.Href, t.Current = to.href(), (to.tab == homeTab) == v.AtHome
		v.Tabs = append(v.Tabs, t)
	}
	if v.AtHome {
		v.Home = w.openView(home)
	}
}

// tab is the tab that is shown, as in addresses.
func (v view) tab() string {
	if v.AtHome {
		return homeTab
	}
	return ""
}

// openView renders a view; nil is none.
func (w writer) openView(v *View) *openView {
	if v == nil {
		return nil
	}
	reader := w.reader
	reader.Scope, reader.Errors = v.ID, v.Errors
	return &openView{View: *v, Version: v.version(), Body: blockhtml.Blocks(reader, v.Blocks)}
}

// version does not change with what is filled in: the page has that already.
func (v *View) version() string {
	sum := fnv.New32a()
	for _, id := range slices.Sorted(maps.Keys(v.Errors)) {
		_, _ = fmt.Fprintf(sum, "%q %q ", id, v.Errors[id]) // a hash never fails
	}
	return fmt.Sprintf("%s-%x", v.Hash, sum.Sum32())
}

// shortcutMenu offers shortcuts.
type shortcutMenu struct {
	Label     string
	OfMessage bool
	List      []Shortcut
}

// ShortcutMenu is the menu of a message; nil where there is none.
func (v messageView) ShortcutMenu() *shortcutMenu {
	if len(v.Shortcuts) == 0 {
		return nil
	}
	return &shortcutMenu{Label: "Shortcuts for this message", OfMessage: true, List: v.Shortcuts}
}

// ShortcutMenu is the composer's menu; nil where there is none.
func (c composer) ShortcutMenu() *shortcutMenu {
	if len(c.Shortcuts) == 0 {
		return nil
	}
	return &shortcutMenu{Label: "Shortcuts", List: c.Shortcuts}
}

// shortcuts are the app's, those of messages apart.
func (s *server) shortcuts() (ofMessages, global []Shortcut) {
	for _, shortcut := range s.backend.Shortcuts() {
		if shortcut.OfMessages {
			ofMessages = append(ofMessages, shortcut)
		} else {
			global = append(global, shortcut)
		}
	}
	return ofMessages, global
}
