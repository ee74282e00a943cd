package blockhtml

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// plain writes plain text, with line breaks and emoji.
func (r *renderer) plain(s string) {
	for i, line := range strings.Split(clip(s, maxText+1), "\n") {
		if r.full() {
			return
		}
		if i > 0 {
			r.open("br")
		}
		r.plainLine(line)
	}
}

func (r *renderer) plainLine(s string) {
	start := 0
	for i := 0; i < len(s) && !r.full(); {
		name, glyph := "", ""
		if s[i] == ':' {
			name, glyph = emojiAt(s[i:])
		}
		if glyph == "" {
			i++
			continue
		}
		r.text(s[start:i])
		r.emoji(name, glyph)
		i += len(name) + 2
		start = i
	}
	r.text(s[start:])
}

func (r *renderer) emoji(name, glyph string) {
	r.element("span", glyph, "class", "emoji", "role", "img", "aria-label", strings.ReplaceAll(name, "_", " "), "title", ":"+name+":")
}

// emojiAt reads the :name: at the start of s. glyph is "" where it is none that
// is known.
func emojiAt(s string) (name, glyph string) {
	const longest = 40
	end := strings.IndexByte(s[1:min(len(s), longest)], ':')
	if end < 1 {
		return "", ""
	}
	name = s[1 : 1+end]
	return name, emojis[name]
}

// fromCodePoints reads Slack's form of an emoji, such as 1f469-200d-1f680.
func fromCodePoints(s string) string {
	var out strings.Builder
	for _, part := range strings.Split(clip(s, 100), "-") {
		point, err := strconv.ParseInt(part, 16, 32)
		if err != nil || point < 0x80 || !utf8.ValidRune(rune(point)) {
			return ""
		}
		out.WriteRune(rune(point))
	}
	return out.String()
}

// emojis are the names that bots and their people use most. A name that is not
// here stays as it was typed.
var emojis = map[string]string{
	"+1": "👍", "-1": "👎", "100": "💯", "alarm_clock": "⏰", "arrow_down": "⬇️",
	"arrow_forward": "▶️", "arrow_left": "⬅️", "arrow_right": "➡️", "arrow_up": "⬆️",
	"arrows_counterclockwise": "🔄", "art": "🎨", "baby": "👶", "ballot_box_with_check": "☑️",
	"bangbang": "‼️", "bar_chart": "📊", "battery": "🔋", "bell": "🔔", "bellhop_bell": "🛎️",
	"black_circle": "⚫", "blue_heart": "💙", "blush": "😊", "bomb": "💣", "book": "📖",
	"bookmark": "🔖", "boom": "💥", "bow": "🙇", "broken_heart": "💔", "bug": "🐛",
	"building_construction": "🏗️", "bulb": "💡", "bust_in_silhouette": "👤", "calendar": "📆",
	"camera": "📷", "card_index": "📇", "chart_with_downwards_trend": "📉",
	"chart_with_upwards_trend": "📈", "checkered_flag": "🏁", "clap": "👏", "clapper": "🎬",
	"clipboard": "📋", "clock1": "🕐", "clock3": "🕒", "cloud": "☁️", "coffee": "☕",
	"computer": "💻", "confetti_ball": "🎊", "construction": "🚧", "credit_card": "💳",
	"crossed_fingers": "🤞", "cry": "😢", "crystal_ball": "🔮", "dart": "🎯", "dash": "💨",
	"desktop_computer": "🖥️", "dizzy": "💫", "dollar": "💵", "door": "🚪", "earth_africa": "🌍",
	"email": "📧", "envelope": "✉️", "exclamation": "❗", "eyes": "👀", "file_folder": "📁",
	"film_frames": "🎞️", "fire": "🔥", "fire_engine": "🚒", "flashlight": "🔦", "floppy_disk": "💾",
	"fox_face": "🦊", "gear": "⚙️", "ghost": "👻", "gift": "🎁", "globe_with_meridians": "🌐",
	"green_heart": "💚", "grey_exclamation": "❕", "grey_question": "❔", "grin": "😁",
	"grinning": "😀", "hammer": "🔨", "hammer_and_wrench": "🛠️", "heart": "❤️",
	"heavy_check_mark": "✔️", "heavy_exclamation_mark": "❗", "heavy_minus_sign": "➖",
	"heavy_multiplication_x": "✖️", "heavy_plus_sign": "➕", "hourglass": "⌛",
	"hourglass_flowing_sand": "⏳", "house": "🏠", "inbox_tray": "📥", "information_source": "ℹ️",
	"interrobang": "⁉️", "joy": "😂", "key": "🔑", "label": "🏷️", "large_blue_circle": "🔵",
	"large_green_circle": "🟢", "large_orange_circle": "🟠", "large_purple_circle": "🟣",
	"large_yellow_circle": "🟡", "laughing": "😆", "link": "🔗", "lock": "🔒", "loudspeaker": "📢",
	"mag": "🔍", "mag_right": "🔎", "mailbox": "📫", "mechanic": "🧑‍🔧", "mega": "📣", "memo": "📝",
	"money_with_wings": "💸", "moneybag": "💰", "movie_camera": "🎥", "muscle": "💪", "mute": "🔇",
	"new": "🆕", "no_bell": "🔕", "no_entry": "⛔", "no_entry_sign": "🚫", "notebook": "📓", "o": "⭕",
	"ok": "🆗", "ok_hand": "👌", "open_hands": "👐", "orange_heart": "🧡", "outbox_tray": "📤",
	"package": "📦", "page_facing_up": "📄", "paperclip": "📎", "partying_face": "🥳",
	"pause_button": "⏸️", "pencil": "📝", "pencil2": "✏️", "pensive": "😔", "phone": "☎️",
	"point_down": "👇", "point_left": "👈", "point_right": "👉", "point_up": "☝️", "pray": "🙏",
	"pushpin": "📌", "question": "❓", "rabbit": "🐰", "rainbow": "🌈", "raised_hands": "🙌",
	"receipt": "🧾", "recycle": "♻️", "red_circle": "🔴", "repeat": "🔁", "robot_face": "🤖",
	"rocket": "🚀", "rotating_light": "🚨", "round_pushpin": "📍", "running": "🏃", "scales": "⚖️",
	"scissors": "✂️", "scroll": "📜", "seedling": "🌱", "shield": "🛡️", "ship": "🚢", "shrug": "🤷",
	"skull": "💀", "sleeping": "😴", "slightly_smiling_face": "🙂", "smile": "😄", "smiley": "😃",
	"smirk": "😏", "snowflake": "❄️", "sob": "😭", "sos": "🆘", "sparkles": "✨", "speaker": "🔈",
	"speech_balloon": "💬", "star": "⭐", "star2": "🌟", "stop_button": "⏹️", "stop_sign": "🛑",
	"stopwatch": "⏱️", "sunglasses": "😎", "sunny": "☀️", "sweat_smile": "😅", "tada": "🎉",
	"telescope": "🔭", "test_tube": "🧪", "thinking_face": "🤔", "thumbsdown": "👎",
	"thumbsup": "👍", "thread": "🧵", "ticket": "🎫", "toolbox": "🧰", "triangular_flag_on_post": "🚩",
	"trophy": "🏆", "truck": "🚚", "twisted_rightwards_arrows": "🔀", "unlock": "🔓", "vertical_traffic_light": "🚦",
	"video_camera": "📹", "warning": "⚠️", "wastebasket": "🗑️", "watch": "⌚", "wave": "👋",
	"white_check_mark": "✅", "white_circle": "⚪", "white_large_square": "⬜", "wink": "😉",
	"wrench": "🔧", "x": "❌", "yellow_heart": "💛", "zap": "⚡", "zzz": "💤",
}
