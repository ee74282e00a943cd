package workspace

import (
	"regexp"
	"strings"
)

// typedToken finds what Slack writes in angle brackets: mentions, channels,
// groups, broadcasts and links.
var typedToken = regexp.MustCompile(`<([@#!]?)([^<>|]+)(?:\|([^<>]*))?>`)

// unescape undoes Slack's escapes.
var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// typedBlocks are the blocks that Slack makes of what a person typed: one of rich
// text. blockID stays the same for the message.
func typedBlocks(text, blockID string) []object {
	var elements []object
	add := func(plain string) {
		if plain != "" {
			elements = append(elements, object{"type": "text", "text": unescape.Replace(plain)})
		}
	}
	at := 0
	for _, m := range typedToken.FindAllStringSubmatchIndex(text, -1) {
		add(text[at:m[0]])
		at = m[1]
		label := ""
		if m[6] >= 0 {
			label = text[m[6]:m[7]]
		}
		elements = append(elements, typedElement(text[m[2]:m[3]], text[m[4]:m[5]], label))
	}
	add(text[at:])
	return []object{{"type": "rich_text", "block_id": blockID, "elements": []object{
		{"type": "rich_text_section", "elements": elements},
	}}}
}

func typedElement(sign, name, label string) object {
	group, isGroup := strings.CutPrefix(name, "subteam^")
	switch {
	case sign == "@":
		return object{"type": "user", "user_id": name}
	case sign == "#":
		return object{"type": "channel", "channel_id": name}
	case sign == "!" && isGroup:
		return object{"type": "usergroup", "usergroup_id": group}
	case sign == "!":
		return object{"type": "broadcast", "range": name}
	case label != "":
		return object{"type": "link", "url": unescape.Replace(name), "text": unescape.Replace(label)}
	}
	return object{"type": "link", "url": unescape.Replace(name)}
}
