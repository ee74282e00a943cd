package workspace

import (
	"encoding/json"
	"errors"

	"github.com/superduperai/sessionbot/internal/workspace/page"
)

func (b backend) Click(user string, at page.Element, value string) error {
	return b.s.Click(Click{
		User: user, ViewID: at.View, Channel: at.Channel, TS: at.TS, BlockID: at.Block, ActionID: at.Action, Value: value,
	})
}

func (b backend) Fill(user string, at page.Element, values []string) error {
	return b.s.Input(input(user, at, encode(values)))
}

func (b backend) Upload(user, name string, content []byte) (string, error) {
	return b.s.Upload(user, name, content)
}

func input(user string, at page.Element, value json.RawMessage) Input {
	return Input{
		User: user, ViewID: at.View, Channel: at.Channel, TS: at.TS, BlockID: at.Block, ActionID: at.Action, Value: value,
	}
}

func (b backend) Suggest(user string, at page.Element, query string) ([]page.Suggestion, error) {
	offered, err := b.s.Suggest(input(user, at, encode(query)))
	if err != nil {
		return nil, err
	}
	list := make([]page.Suggestion, 0, len(offered))
	for _, raw := range offered {
		var option struct {
			Text  struct{ Text string }
			Value string
		}
		if json.Unmarshal(encode(raw), &option) == nil {
			list = append(list, page.Suggestion{Text: option.Text.Text, Value: option.Value})
		}
	}
	return list, nil
}

func (b backend) Shortcuts() []page.Shortcut {
	var list []page.Shortcut
	for _, s := range b.s.app.Features.Shortcuts {
		list = append(list, page.Shortcut{
			CallbackID: s.CallbackID, Name: s.Name, About: s.Description, OfMessages: s.Type == messageShortcut,
		})
	}
	return list
}

func (b backend) UseShortcut(user, channel, ts, callbackID string) error {
	return b.s.Shortcut(Shortcut{User: user, Channel: channel, TS: ts, CallbackID: callbackID})
}

func (b backend) HasHome() bool { return b.s.app.hasHome() }

func (b backend) OpenHome(user string) error { return b.s.Home(user) }

func (b backend) Views(user string) (home, modal *page.View) {
	published, open, _ := b.s.views.of(user)
	if published != nil {
		home = b.view(*published)
	}
	if len(open) > 0 {
		modal = b.view(open[len(open)-1])
		if modal.Close == "" && len(open) > 1 {
			modal.Close = "Back"
		} else if modal.Close == "" {
			modal.Close = "Cancel"
		}
	}
	return home, modal
}

// view is a view as the page shows it.
func (b backend) view(v view) *page.View {
	return &page.View{
		ID: v.ID, Hash: v.Hash, Title: plainText(v.Title), Submit: plainText(v.Submit), Close: plainText(v.Close),
		SubmitDisabled: v.SubmitDisabled, Errors: v.Errors, Blocks: b.s.inputs.of(v.key()).Shown(v.Blocks),
	}
}

// plainText is the text of a text object; none is empty.
func plainText(raw json.RawMessage) string {
	var text struct{ Text string }
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	return text.Text
}

// Submit leaves out the error that the modal shows itself.
func (b backend) Submit(user, view string) error {
	_, _, err := b.s.SubmitModal(user, view)
	if errors.Is(err, errRequired) {
		return nil
	}
	return err
}

func (b backend) Close(user, view string, all bool) error { return b.s.CloseModal(user, view, all) }
