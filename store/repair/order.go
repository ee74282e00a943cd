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

// Source is where a figure of an order comes from.
type Source string

// The sources.
const (
	FromSession Source = "session" // the session: object
	FromPrompt  Source = "prompt"  // the prompt: key
	FromDefault Source = "default"
)

// Models are the models that generate videos and images.
type Models struct{ Video, Image string }

// Prices are in dollars per second of video, and per image, by prefix of the model's
// name with or without its provider. The longest prefix counts. That of AnyImage is
// for images of models that are not listed.
type Prices map[string]float64

// AnyImage is the name for all models that make images.
const AnyImage = "image"

// ListPrices are SuperDuperAI's; of a range the upper end.
var ListPrices = Prices{"veo3": 3, "veo2": 2, "ltx": 0.40, "sora": 2, "kling": 2, "minimax": 1.20, "lip-sync": 0.40, AnyImage: 3}

// Order is the request of a generation. The prompt is not kept: it is read from the
// session again when it is sent.
type Order struct {
	Model        string
	SessionModel string // that the session names, "" = none
	Image        bool   // instead of a video
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

// MaxSeconds is the length of the longest video of a model whose lengths are not known.
const MaxSeconds = 60

const (
	defaultSeconds = 8
	defaultWidth   = 1280
	defaultHeight  = 720

	minSide, maxSide = 10, 4096 // pixels
)

// newOrder returns the order for a session, and sentences about what the model cannot
// do as the session asks.
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

// Cents returns the estimated cost of a video or an image for the session in cents, 0 if
// it is unknown. The zero Session stands for a usual one.
func (o PlanOptions) Cents(s store.Session) int {
	order, _ := newOrder(s, o.Models, o.Prices)
	return order.Cents
}

// setSeconds sets the length nearest to the wanted one that the model makes, of two
// equally near ones the shorter, which is cheaper.
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
	return []string{fmt.Sprintf("The session asks for %s s, which %s cannot make: %d s will be requested.",
		strconv.FormatFloat(wanted, 'g', 4, 64), o.Model, o.Seconds)}
}

// lengthsOf returns the lengths in seconds that a model makes, ascending.
func lengthsOf(model string) []int {
	switch name := baseModel(model); {
	case strings.HasPrefix(name, "veo"):
		return []int{5, 6, 7, 8}
	case strings.HasPrefix(name, "sora"):
		return []int{5, 10, 15, 20}
	case strings.HasPrefix(name, "ltx"):
		return []int{5}
	}
	var all []int
	for n := range MaxSeconds {
		all = append(all, n+1)
	}
	return all
}

var sizeText = regexp.MustCompile(`^([1-9][0-9]{1,3})x([1-9][0-9]{1,3})$`)

// setSize sets the size from the resolution, or from width and height if there is none.
func (o *Order) setSize(v store.Value) []string {
	o.Width, o.Height, o.SizeFrom = defaultWidth, defaultHeight, FromDefault
	width, height := v.Width, v.Height
	switch {
	case v.Resolution != "":
		width, height, _ = ParseSize(v.Resolution)
	case width == 0 && height == 0:
		return nil
	}
	if !usable(width) || !usable(height) {
		return []string{fmt.Sprintf("The session's size cannot be used: %d×%d will be requested.", o.Width, o.Height)}
	}
	o.Width, o.Height, o.SizeFrom = int(width), int(height), FromSession
	return nil
}

// ParseSize parses a resolution such as 1280x720, and reports whether it can be
// requested.
func ParseSize(resolution string) (width, height float64, ok bool) {
	if m := sizeText.FindStringSubmatch(resolution); m != nil {
		width, _ = strconv.ParseFloat(m[1], 64) // two to four digits
		height, _ = strconv.ParseFloat(m[2], 64)
	}
	return width, height, usable(width) && usable(height)
}

// usable reports whether a width or height can be requested.
func usable(side float64) bool { return side == math.Trunc(side) && side >= minSide && side <= maxSide }

// ofVideo returns the price of a video in cents, 0 if the model is not listed.
func (p Prices) ofVideo(model string, seconds int) int {
	return cents(p[p.entry(model)] * float64(seconds))
}

// ofImage returns the price of an image in cents, 0 if it is not listed.
func (p Prices) ofImage(model string) int {
	return cents(p[cmp.Or(p.entry(model), AnyImage)])
}

func cents(dollars float64) int { return int(math.Round(dollars * 100)) }

// entry returns the longest prefix of the model's name that is listed, "" if none is.
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

// baseModel returns the model's name without its provider.
func baseModel(model string) string { return model[strings.LastIndexByte(model, '/')+1:] }

// Asks reports whether the order was made for this prompt.
func (o *Order) Asks(prompt string) bool {
	return o != nil && prompt != "" && o.PromptDigest == store.Digest([]byte(prompt))
}
