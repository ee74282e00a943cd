package sessionbot_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/dlclark/regexp2"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/superduperai/sessionbot"
	"github.com/superduperai/sessionbot/commands"
)

// manifest is the part of manifest.yml that the tests check.
type manifest struct {
	Features struct {
		SlashCommands []struct {
			Command   string `yaml:"command"`
			UsageHint string `yaml:"usage_hint"`
		} `yaml:"slash_commands"`
		AppHome struct {
			HomeTab             bool `yaml:"home_tab_enabled"`
			MessagesTab         bool `yaml:"messages_tab_enabled"`
			MessagesTabReadOnly bool `yaml:"messages_tab_read_only_enabled"`
		} `yaml:"app_home"`
		Shortcuts []struct {
			Name       string `yaml:"name"`
			Kind       string `yaml:"type"`
			CallbackID string `yaml:"callback_id"`
		} `yaml:"shortcuts"`
	} `yaml:"features"`
	OAuth struct {
		Scopes struct {
			Bot []string `yaml:"bot"`
		} `yaml:"scopes"`
	} `yaml:"oauth_config"`
	Settings struct {
		Events struct {
			Bot []string `yaml:"bot_events"`
		} `yaml:"event_subscriptions"`
		Interactivity struct {
			IsEnabled bool `yaml:"is_enabled"`
		} `yaml:"interactivity"`
		SocketModeEnabled bool `yaml:"socket_mode_enabled"`
	} `yaml:"settings"`
}

func TestManifestFitsSlacksSchemas(t *testing.T) {
	t.Parallel()
	var document any
	if err := yaml.Unmarshal(sessionbot.Manifest, &document); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"testdata/manifest.schema.1.0.0.json", "testdata/manifest.schema.2.0.0.json"} {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := jsonschema.UnmarshalJSON(file)
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		compiler := jsonschema.NewCompiler()
		compiler.UseRegexpEngine(lookaheadRegexp)
		if err := compiler.AddResource(name, schema); err != nil {
			t.Fatal(err)
		}
		compiled, err := compiler.Compile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(document); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// ecmaRegexp is a regular expression of ECMAScript: Slack's schemas look ahead,
// which Go's own cannot.
type ecmaRegexp struct{ *regexp2.Regexp }

func (r ecmaRegexp) MatchString(text string) bool {
	matched, err := r.Regexp.MatchString(text)
	return err == nil && matched
}

func lookaheadRegexp(pattern string) (jsonschema.Regexp, error) {
	compiled, err := regexp2.Compile(pattern, regexp2.ECMAScript)
	return ecmaRegexp{compiled}, err
}

func TestManifestFitsTheRegistry(t *testing.T) {
	t.Parallel()
	var m manifest
	if err := yaml.Unmarshal(sessionbot.Manifest, &m); err != nil {
		t.Fatal(err)
	}
	if !m.Settings.SocketModeEnabled || !m.Settings.Interactivity.IsEnabled {
		t.Error("Socket Mode and interactivity must be on: without them commands and buttons are dead")
	}
	if strings.Contains(string(sessionbot.Manifest), "url:") {
		t.Error("with Socket Mode no url belongs into the manifest")
	}
	if home := m.Features.AppHome; !home.HomeTab || !home.MessagesTab || home.MessagesTabReadOnly {
		t.Error("the Home tab must be on, and people must be able to write in the Messages tab")
	}
	shortcuts := map[string]string{}
	for _, s := range m.Features.Shortcuts {
		shortcuts[s.CallbackID] = s.Kind
	}
	if want := map[string]string{commands.ShortcutDebug: "message", commands.ShortcutFind: "global"}; !maps.Equal(shortcuts, want) {
		t.Errorf("the manifest has the shortcuts %v, the bot %v", shortcuts, want)
	}
	hints := map[string]string{}
	for _, slash := range m.Features.SlashCommands {
		hints[strings.TrimPrefix(slash.Command, "/")] = slash.UsageHint
	}
	for _, command := range commands.New(commands.Deps{}).Commands() {
		hint, ok := hints[command.Group]
		if !ok {
			t.Errorf("/%s is not in the manifest", command.Group)
		}
		words := strings.FieldsFunc(hint, func(r rune) bool { return strings.ContainsRune(" |", r) })
		if !slices.Contains(words, command.Name) {
			t.Errorf("the usage hint of /%s does not name %s", command.Group, command.Name)
		}
	}
}

// TestManifestScopes: every scope and event is explained, and every event has the scope it needs.
func TestManifestScopes(t *testing.T) {
	t.Parallel()
	var m manifest
	if err := yaml.Unmarshal(sessionbot.Manifest, &m); err != nil {
		t.Fatal(err)
	}
	explained, err := os.ReadFile("docs/threat-model.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, scope := range m.OAuth.Scopes.Bot {
		if !strings.Contains(string(explained), "`"+scope+"`") {
			t.Errorf("docs/threat-model.md does not explain the scope %s", scope)
		}
	}
	needed := map[string]string{"app_mention": "app_mentions:read", "message.im": "im:history", "app_home_opened": ""} // the last needs none
	for _, event := range m.Settings.Events.Bot {
		if scope, ok := needed[event]; !ok || scope != "" && !slices.Contains(m.OAuth.Scopes.Bot, scope) {
			t.Errorf("the event %s is not answered, or lacks its scope %q", event, scope)
		}
		if !strings.Contains(string(explained), "`"+event+"`") {
			t.Errorf("docs/threat-model.md does not explain the event %s", event)
		}
		delete(needed, event)
	}
	if len(needed) > 0 {
		t.Errorf("events are missing that the bot answers: %v", needed)
	}
}
