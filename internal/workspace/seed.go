package workspace

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// seed are people and places in addition to the examples. One with the id of an example
// takes its place.
type seed struct {
	Users []struct {
		ID       string `yaml:"id"`
		Name     string `yaml:"name"`
		RealName string `yaml:"real_name"`
		Guest    bool   `yaml:"guest"`
		External bool   `yaml:"external"` // of the connected workspace
		TZ       string `yaml:"tz"`       // such as Europe/Berlin; none = UTC
	} `yaml:"users"`
	Groups []struct {
		ID      string   `yaml:"id"`
		Handle  string   `yaml:"handle"`
		Name    string   `yaml:"name"`
		Members []string `yaml:"members"`
	} `yaml:"groups"`
	Channels []struct {
		ID       string   `yaml:"id"`
		Name     string   `yaml:"name"`
		Topic    string   `yaml:"topic"`
		Private  bool     `yaml:"private"`
		Archived bool     `yaml:"archived"`
		Members  []string `yaml:"members"` // ids; "app" is the app; none = everybody
	} `yaml:"channels"`
}

// readSeed reads a seed in YAML or JSON. Empty data is no seed. What is wrong
// with it is said in words.
func readSeed(data []byte) (seed, error) {
	var s seed
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	if err := decoder.Decode(&s); err != nil && !errors.Is(err, io.EOF) {
		return seed{}, fmt.Errorf("workspace: seed: %w", err)
	}
	for _, u := range s.Users {
		if err := checkSeeded("user", u.ID, "U", u.Name); err != nil {
			return seed{}, err
		}
		if _, err := time.LoadLocation(u.TZ); err != nil {
			return seed{}, fmt.Errorf("workspace: seed: user %s: there is no time zone %q", u.ID, u.TZ)
		}
	}
	for _, g := range s.Groups {
		if err := checkSeeded("group", g.ID, "S", g.Handle); err != nil {
			return seed{}, err
		}
	}
	for _, c := range s.Channels {
		if err := checkSeeded("channel", c.ID, "C", c.Name); err != nil {
			return seed{}, err
		}
	}
	return s, nil
}

var (
	seededID   = regexp.MustCompile(`^[UCS][A-Z0-9]{2,20}$`)
	seededName = regexp.MustCompile(`^[\p{L}\p{N}._-]+$`) // a repetition of \p{L} would take 3 MB in every process
)

func checkSeeded(what, id, letter, name string) error {
	switch {
	case !seededID.MatchString(id) || id[:1] != letter:
		return fmt.Errorf("workspace: seed: %s id %q: it has to be %s and capital letters or digits, such as %s0EXAMPLE", what, id, letter, letter)
	case id == botUser || id == slackbot:
		return fmt.Errorf("workspace: seed: the id %s is taken by the workspace itself", id)
	case !seededName.MatchString(name) || utf8.RuneCountInString(name) > 80:
		return fmt.Errorf("workspace: seed: %s %s: the name %q has to be at most 80 letters, digits, dots, dashes and underscores", what, id, name)
	}
	return nil
}

// addTo puts people and places into a world that nobody uses yet.
func (s seed) addTo(w *world) error {
	for _, u := range s.Users {
		p := person{ID: u.ID, Name: u.Name, RealName: u.RealName, Team: teamID, Guest: u.Guest, External: u.External, TZ: u.TZ}
		if p.RealName == "" {
			p.RealName = p.Name
		}
		if p.External {
			p.Team = partnerID
		}
		w.people = put(w.people, p, func(p person) string { return p.ID })
		direct := channel{ID: directID(p.ID), Name: "directmessage", Kind: direct, Members: []string{p.ID, botUser}}
		w.channels = put(w.channels, direct, func(c channel) string { return c.ID })
	}
	for _, g := range s.Groups {
		if err := w.checkMembers(g.ID, g.Members); err != nil {
			return err
		}
		w.groups = put(w.groups, group{ID: g.ID, Handle: g.Handle, Name: g.Name, Members: g.Members}, func(g group) string { return g.ID })
	}
	for _, c := range s.Channels {
		ch := channel{ID: c.ID, Name: c.Name, Topic: c.Topic, Kind: public, Archived: c.Archived}
		if c.Private {
			ch.Kind = private
		}
		for _, id := range c.Members {
			if id == "app" {
				id = botUser
			}
			ch.Members = append(ch.Members, id)
		}
		if len(c.Members) == 0 {
			ch.Members = w.everybody()
		}
		if err := w.checkMembers(c.ID, ch.Members); err != nil {
			return err
		}
		w.channels = put(w.channels, ch, func(c channel) string { return c.ID })
	}
	return nil
}

// put adds an item, or puts it in the place of the one with its id.
func put[T any](list []T, item T, id func(T) string) []T {
	if i := slices.IndexFunc(list, func(other T) bool { return id(other) == id(item) }); i >= 0 {
		list[i] = item
		return list
	}
	return append(list, item)
}

func (w *world) checkMembers(of string, members []string) error {
	for _, id := range members {
		if _, ok := w.person(id); !ok {
			return fmt.Errorf("workspace: seed: %s has the member %s, who is no user", of, id)
		}
	}
	return nil
}

// everybody lists all people and the app.
func (w *world) everybody() []string {
	var ids []string
	for _, p := range w.people {
		if p.ID != slackbot {
			ids = append(ids, p.ID)
		}
	}
	return ids
}
