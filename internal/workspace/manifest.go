package workspace

import (
	"fmt"
	"slices"

	"gopkg.in/yaml.v3"
)

// manifest is what the workspace reads of an app's manifest.
type manifest struct {
	given bool // false: the app has every command, scope and event

	Display struct {
		Name string `yaml:"name"`
	} `yaml:"display_information"`
	Features struct {
		BotUser struct {
			DisplayName string `yaml:"display_name"`
		} `yaml:"bot_user"`
		SlashCommands []slashCommand `yaml:"slash_commands"`
		Shortcuts     []shortcut     `yaml:"shortcuts"`
		AppHome       struct {
			HomeTab bool `yaml:"home_tab_enabled"`
		} `yaml:"app_home"`
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
			Enabled bool `yaml:"is_enabled"`
		} `yaml:"interactivity"`
		SocketMode bool `yaml:"socket_mode_enabled"`
	} `yaml:"settings"`
}

// slashCommand is a slash command as the manifest declares it.
type slashCommand struct {
	Command     string `yaml:"command"`
	Description string `yaml:"description"`
	UsageHint   string `yaml:"usage_hint"`
	Escape      bool   `yaml:"should_escape"`
}

// The kinds of shortcuts.
const (
	globalShortcut  = "global"
	messageShortcut = "message"
)

// shortcut is a shortcut as the manifest declares it.
type shortcut struct {
	Name        string `yaml:"name"`
	Type        string `yaml:"type"`
	CallbackID  string `yaml:"callback_id"`
	Description string `yaml:"description"`
}

// parseManifest reads a manifest in YAML or JSON. Empty data is an app that may
// do everything.
func parseManifest(data []byte) (manifest, error) {
	if len(data) == 0 {
		return manifest{}, nil
	}
	m := manifest{given: true}
	if err := yaml.Unmarshal(data, &m); err != nil {
		return manifest{}, fmt.Errorf("workspace: manifest: %w", err)
	}
	return m, nil
}

func (m manifest) botName() string {
	switch {
	case m.Features.BotUser.DisplayName != "":
		return m.Features.BotUser.DisplayName
	case m.Display.Name != "":
		return m.Display.Name
	}
	return "app"
}

// command finds a slash command, and reports whether the app has it.
func (m manifest) command(name string) (slashCommand, bool) {
	for _, c := range m.Features.SlashCommands {
		if c.Command == name {
			return c, true
		}
	}
	return slashCommand{Command: name}, !m.given
}

// hasShortcut reports whether the app has a shortcut of a kind.
func (m manifest) hasShortcut(kind, callbackID string) bool {
	return !m.given || slices.ContainsFunc(m.Features.Shortcuts, func(s shortcut) bool {
		return s.Type == kind && s.CallbackID == callbackID
	})
}

// hasHome reports whether the app has a home tab.
func (m manifest) hasHome() bool { return !m.given || m.Features.AppHome.HomeTab }

// scopes lists what the bot token may do.
func (m manifest) scopes() []string {
	if m.given {
		return m.OAuth.Scopes.Bot
	}
	return everyScope
}

// hasScope reports whether the bot token has one of the scopes.
func (m manifest) hasScope(oneOf ...string) bool {
	return !m.given || slices.ContainsFunc(oneOf, func(scope string) bool {
		return slices.Contains(m.OAuth.Scopes.Bot, scope)
	})
}

func (m manifest) interactive() bool { return !m.given || m.Settings.Interactivity.Enabled }

func (m manifest) socketMode() bool { return !m.given || m.Settings.SocketMode }

func (m manifest) subscribes(event string) bool {
	return !m.given || slices.Contains(m.Settings.Events.Bot, event)
}
