package repair

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/superduperai/sessionbot/store"
)

// Source says where a figure of an order comes from.
type Source string

// The sources.
const (
	FromSession Source = "session" // the session: object
	FromPrompt  Source = "prompt"  // the prompt: key
	FromDefault Source = "default"
)

// Models are what is asked for: one model for videos, one for images.
type Models struct{ Video, Image string }

// Prices are dollars per second of video, and per image, by the beginning of the
// model's name with or without its provider. The longest that fits counts. What
// stands under AnyImage is the price of an image by a model that is not named.
type Prices map[string]float64

// AnyImage stands for all models that make images.
const AnyImage = "image"

// ListPrices are those that SuperDuperAI names; of a range the upper end.
var ListPrices = Prices{"veo3": 3, "veo2": 2, "ltx": 0.40, "sora": 2, "kling": 2, "minimax": 1.20, "lip-sync": 0.40, AnyImage: 3}

// Order is what a generation asks SuperDuperAI for. The prompt itself is not
// kept: it is read from the session again when it is sent.
type Order struct {
	Model        string
	SessionModel string // what the session itself names, "" = nothing
	Image        bool   // an image is made and no video
	Seconds      int    // 0 for an image
	SecondsFrom  Source
	Width        int // pixels
	Height       int
	SizeFrom     Source
	Cents        int // estimated cost, 0 = unknown
	PromptFrom   Source
	PromptChars  int    // UTF-16 units
	PromptDigest string // SHA-256 in hex
}

const (
	defaultSeconds = 8
	defaultWidth   = 1280
	defaultHeight  = 720
	// maxSeconds bounds what is asked of a model that is not known here.
	maxSeconds = 60
	// minSide and maxSide bound width and height in pixels.
	minSide, maxSide = 10, 4096
)

// newOrder takes what the session says and what the model can do. The
// sentences say what could not be had as the session wants it.
func newOrder(s store.Session, models Models, prices Prices) (Order, []string) {
	v, key := s.SessionKey.Value, s.PromptKey()
	o := Order{Model: models.Video, SessionModel: v.ModelName, PromptFrom: FromPrompt}
	if key.Kind == s.SessionKey.Kind {
		o.PromptFrom = FromSession
	}
	prompt := s.PromptText()
	o.PromptChars, o.PromptDigest = len(utf16.Encode([]rune(prompt))), store.Digest([]byte(prompt))
	var notes []string
	if s.Kind() == store.KindImage {
		o.Model, o.Image = models.Image, true
		o.Cents = prices.ofImage(o.Model)
	} else {
		notes = o.setSeconds(v.Duration)
		o.Cents = prices.ofVideo(o.Model, o.Seconds)
	}
	return o, append(notes, o.setSize(v)...)
}

// setSeconds takes the length nearest to the wanted one that the model makes,
// of two equally near ones the shorter and so the cheaper.
func (o *Order) setSeconds(wanted float64) []string {
	o.SecondsFrom = FromSession
	if wanted <= 0 {
		wanted, o.SecondsFrom = defaultSeconds, FromDefault
	}
	lengths := lengthsOf(o.Model)
	o.Seconds = lengths[0]
	near := min(wanted, float64(slices.Max(lengths)))
	for _, n := range lengths {
		if math.Abs(float64(n)-near) < math.Abs(float64(o.Seconds)-near) {
			o.Seconds = n
		}
	}
	if float64(o.Seconds) == wanted || o.SecondsFrom == FromDefault {
		return nil
	}
	return []string{fmt.Sprintf("The session asks for %s s, which %s does not make: %d s are asked for.",
		strconv.FormatFloat(wanted, 'g', 4, 64), o.Model, o.Seconds)}
}

// lengthsOf are the seconds that a model makes, ascending.
func lengthsOf(model string) []int {
	switch name := baseModel(model); {
	case strings.HasPrefix(name, "veo"):
		return []int{5, 6, 7, 8}
	case strings.HasPrefix(name, "sora"):
		return []int{5, 10, 15, 20}
	case strings.HasPrefix(name, "ltx"):
		return []int{5}
	}
	all := make([]int, maxSeconds)
	for i := range all {
		all[i] = i + 1
	}
	return all
}

var sizeText = regexp.MustCompile(`^([1-9][0-9]{1,3})x([1-9][0-9]{1,3})$`)

// setSize takes the size from the resolution, and where that is absent from width
// and height.
func (o *Order) setSize(v store.Value) []string {
	o.Width, o.Height, o.SizeFrom = defaultWidth, defaultHeight, FromDefault
	width, height := v.Width, v.Height
	switch {
	case v.Resolution != "":
		width, height = 0, 0
		if m := sizeText.FindStringSubmatch(v.Resolution); m != nil {
			// Two to four digits each: neither fails.
			width, _ = strconv.ParseFloat(m[1], 64)
			height, _ = strconv.ParseFloat(m[2], 64)
		}
	case width == 0 && height == 0:
		return nil
	}
	if !usable(width) || !usable(height) {
		return []string{fmt.Sprintf("The session's size cannot be used: %d×%d is asked for.", o.Width, o.Height)}
	}
	o.Width, o.Height, o.SizeFrom = int(width), int(height), FromSession
	return nil
}

// usable reports whether a width or a height is one that can be asked for.
func usable(side float64) bool { return side == math.Trunc(side) && side >= minSide && side <= maxSide }

// ofVideo is what so many seconds cost in cents, 0 where the model is not listed.
func (p Prices) ofVideo(model string, seconds int) int {
	return cents(p[p.entry(model)] * float64(seconds))
}

// ofImage is what an image costs in cents, 0 where that is not listed.
func (p Prices) ofImage(model string) int {
	return cents(p[cmp.Or(p.entry(model), AnyImage)])
}

func cents(dollars float64) int { return int(math.Round(dollars * 100)) }

// entry is the longest beginning of the model's name that is listed, "" = none.
func (p Prices) entry(model string) string {
	best := ""
	for start := range p {
		fits := strings.HasPrefix(model, start) || strings.HasPrefix(baseModel(model), start)
		if fits && start != AnyImage && len(start) > len(best) {
			best = start
		}
	}
	return best
}

// baseModel is the model's name without its provider.
func baseModel(model string) string { return model[strings.LastIndexByte(model, '/')+1:] }

// Asks tells whether this is the prompt that the order was made for.
func (o *Order) Asks(prompt string) bool {
	return o != nil && prompt != "" && o.PromptDigest == store.Digest([]byte(prompt))
}
