package blockhtml

import (
	"cmp"
	"strconv"
	"strings"
)

// angle renders what is between angle brackets in mrkdwn: a link, a mention
// or a date.
func (r *renderer) angle(body string) {
	target, label, _ := strings.Cut(body, "|")
	target, label = entities.Replace(target), entities.Replace(label)
	switch target[:min(1, len(target))] {
	case "@":
		r.mentionUser(target[1:], label)
	case "#":
		r.mentionChannel(target[1:], label)
	case "!":
		r.special(target[1:], label)
	default:
		if !r.link(target) {
			r.text("<" + entities.Replace(body) + ">")
			return
		}
		if label == "" {
			label = strings.TrimPrefix(target, "mailto:")
		}
		r.plain(label)
		r.close("a")
	}
}

// special renders <!…>: a group, everybody, or a date.
func (r *renderer) special(target, label string) {
	if rest, ok := strings.CutPrefix(target, "date^"); ok {
		r.angleDate(rest, label)
		return
	}
	if group, ok := strings.CutPrefix(target, "subteam^"); ok {
		r.mentionGroup(group, label)
		return
	}
	switch target {
	case "channel", "here", "everyone":
		r.broadcast(target)
	default:
		if label == "" {
			label = "<!" + target + ">"
		}
		r.text(label)
	}
}

// angleDate renders date^<unix seconds>^<format>[^<link>]|<fallback>.
func (r *renderer) angleDate(spec, fallback string) {
	stamp, format, ok := strings.Cut(spec, "^")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || !ok {
		r.text(fallback)
		return
	}
	format, address, _ := strings.Cut(format, "^")
	r.date(seconds, format, fallback, address)
}

func (r *renderer) mentionUser(id, label string) {
	class := "mention"
	if id == r.reader.ID {
		class = "mention me"
	}
	r.element("span", "@"+cmp.Or(r.reader.Users[id], strings.TrimPrefix(label, "@"), id), "class", class)
}

func (r *renderer) mentionChannel(id, label string) {
	r.element("span", "#"+cmp.Or(r.reader.Channels[id], label, id), "class", "mention")
}

func (r *renderer) mentionGroup(id, label string) {
	r.element("span", "@"+cmp.Or(r.reader.Groups[id], strings.TrimPrefix(label, "@"), id), "class", "mention")
}

func (r *renderer) broadcast(to string) {
	r.element("span", "@"+to, "class", "mention me")
}
