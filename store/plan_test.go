package store

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const sorry = "We could not start your video."

var (
	thresholds = Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}
	ann        = Actor{ID: "U0ANN"}
	bob        = Actor{ID: "U0BOB"}
	making     = PlanOptions{TTL: 10 * time.Minute, Models: Models{"google-cloud/veo3-text2video", "azure-openai/gpt-image-1"},
		Prices: ListPrices, FixText: sorry}
)

// orphan is what is seen of a session that was paid and has no video.
func orphan(s Session) Examination {
	e := Evidence{Session: s, Payment: Payment{State: PaymentPaid, ChargedAt: At.Add(-time.Hour)},
		Event: Event{State: EventDelivered, Created: At.Add(-time.Hour)}}.Complete(At)
	return Examination{Evidence: e, Diagnosis: Diagnose(e, At, thresholds), At: At}
}

func plan(t *testing.T, action Action, x Examination) Plan {
	t.Helper()
	p, err := MakePlan(action, x, ann, making, At)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMakePlanOfAGeneration(t *testing.T) {
	t.Parallel()
	p := plan(t, ActionGenerate, orphan(Held(FoxPrompt, "", "")))
	if p.ID == "" || p.ID == plan(t, ActionGenerate, orphan(Held(FoxPrompt, "", ""))).ID {
		t.Errorf("id %q is not its own", p.ID)
	}
	order := &Order{Model: "google-cloud/veo3-text2video", Seconds: 8, SecondsFrom: FromDefault, Width: 1280, Height: 720,
		SizeFrom: FromDefault, Cents: 2400, PromptFrom: FromPrompt, PromptChars: 5, PromptDigest: Digest([]byte("A fox"))}
	if diff := cmp.Diff(order, p.Order); diff != "" {
		t.Error(diff)
	}
	if len(p.Writes) != 2 || p.Writes[0].Kind != "webhook" || !p.Writes[0].Create ||
		p.Writes[1].Kind != "session" || !p.Writes[1].Create || p.Writes[1].Changes != nil {
		t.Errorf("writes %+v", p.Writes)
	}
	for _, w := range p.Writes {
		if !slices.Equal(w.Then, []string{"fileId", "timestamp"}) {
			t.Errorf("%s: is followed by %v", w.Kind, w.Then)
		}
	}
	if p.Expires.Sub(p.Created) != making.TTL || p.Requester != ann || p.Warnings != nil || p.Retrying {
		t.Errorf("plan %+v", p)
	}
}

// TestPlansHoldNoPrompt: what is stored is read by others than the session is.
func TestPlansHoldNoPrompt(t *testing.T) {
	t.Parallel()
	x := orphan(Held(`{"prompt":"Sesame"}`, "", `{"prompt":"Sesame too","imageFile":{"content":"Sesame"},"generationType":"text-to-video"}`))
	for _, action := range []Action{ActionFix, ActionGenerate} {
		raw, err := json.Marshal(Job{Plan: plan(t, action, x)})
		if err != nil || strings.Contains(string(raw), "Sesame") {
			t.Errorf("%s: %s, %v", action, raw, err)
		}
	}
}

func TestMakePlanRefuses(t *testing.T) {
	t.Parallel()
	x := orphan(Held(FoxPrompt, `{"status":"completed","fileId":"`+File1+`"}`, ""))
	_, err := MakePlan(ActionGenerate, x, ann, making, At)
	var refused *NotAllowed
	if !errors.As(err, &refused) || refused.Verdict != VerdictCompleted || refused.Reason != x.Reason {
		t.Errorf("got %v", err)
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lookup, model string
		seconds       int
		width, height int
		cents, notes  int
		from          Source
	}{
		{`{"prompt":"A fox","duration":6,"resolution":"720x1280","modelName":"m"}`, "google-cloud/veo3-text2video", 6, 720, 1280, 1800, 0, FromSession},
		{`{"prompt":"A fox","duration":12}`, "google-cloud/veo2", 8, 1280, 720, 1600, 1, FromSession},
		{`{"prompt":"A fox","duration":7.5}`, "veo3", 7, 1280, 720, 2100, 1, FromSession},
		{`{"prompt":"A fox","duration":1e300}`, "openai/sora", 20, 1280, 720, 4000, 1, FromSession},
		{`{"prompt":"A fox"}`, "openai/sora", 10, 1280, 720, 2000, 0, FromDefault},
		{`{"prompt":"A fox","duration":8}`, "lightricks/ltx-video", 5, 1280, 720, 200, 1, FromSession},
		{`{"prompt":"A fox","duration":13}`, "somebody/new", 13, 1280, 720, 0, 0, FromSession},
		{`{"prompt":"A fox","duration":-1,"resolution":"99999x1"}`, "somebody/new", 8, 1280, 720, 0, 1, FromDefault},
		{`{"prompt":"A fox","resolution":"4097x4096"}`, "veo2", 8, 1280, 720, 1600, 1, FromDefault},
		{`{"prompt":"A fox","width":1024,"height":4096}`, "veo2", 8, 1024, 4096, 1600, 0, FromDefault},
		{`{"prompt":"A fox","resolution":"720x1280","width":1024,"height":1024}`, "veo2", 8, 720, 1280, 1600, 0, FromDefault},
		{`{"prompt":"A fox","resolution":"large","width":1024,"height":1024}`, "veo2", 8, 1280, 720, 1600, 1, FromDefault},
		{`{"prompt":"A fox","width":1024}`, "veo2", 8, 1280, 720, 1600, 1, FromDefault},
		{`{"prompt":"A fox","width":1024.5,"height":1024}`, "veo2", 8, 1280, 720, 1600, 1, FromDefault},
		{`{"prompt":"A fox","width":4097,"height":1024}`, "veo2", 8, 1280, 720, 1600, 1, FromDefault},
		{`{"prompt":"A fox","width":1024,"height":1e999}`, "veo2", 8, 1280, 720, 1600, 1, FromDefault},
		{`{"prompt":"A fox","width":-1024,"height":9}`, "veo2", 8, 1280, 720, 1600, 1, FromDefault},
		{`{"prompt":"A fox","width":"1024","height":null}`, "veo2", 8, 1280, 720, 1600, 0, FromDefault},
		{`{"prompt":"A fox","generationType":"text-to-image","duration":5}`, "veo3", 0, 1280, 720, 300, 0, ""},
		{`{"prompt":"A fox","modelType":"image","width":1024,"height":1024}`, "veo3", 0, 1024, 1024, 300, 0, ""},
	} {
		o, notes := newOrder(Held("", "", c.lookup), Models{Video: c.model, Image: "pictures"}, ListPrices)
		if o.Seconds != c.seconds || o.SecondsFrom != c.from || o.Width != c.width || o.Height != c.height ||
			o.Cents != c.cents || len(notes) != c.notes {
			t.Errorf("%s for %s: %+v, %q", c.lookup, c.model, o, notes)
		}
		if sized := o.Width != 1280; sized != (o.SizeFrom == FromSession) {
			t.Errorf("%s: the size is taken from %s", c.lookup, o.SizeFrom)
		}
		if o.Image != (o.Model == "pictures") || o.PromptFrom != FromSession {
			t.Errorf("%s: %+v", c.lookup, o)
		}
	}
}

func TestKind(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]Kind{
		`{}`:                                                     KindVideo,
		`{"generationType":"text-to-video"}`:                     KindVideo,
		`{"generationType":"image-to-video"}`:                    KindVideo,
		`{"generationType":"text-to-image"}`:                     KindImage,
		`{"generationType":"image-to-image"}`:                    KindImage,
		`{"modelType":"image"}`:                                  KindImage,
		`{"modelType":"video"}`:                                  KindVideo,
		`{"modelType":["image"]}`:                                KindVideo,
		`{"generationType":null,"modelType":"image"}`:            KindImage,
		`{"generationType":"text-to-video","modelType":"image"}`: KindVideo,
		`{"generationType":"text-to-image","modelType":"video"}`: KindImage,
	} {
		if got := Held("", "", value).Kind(); got != want {
			t.Errorf("%s makes %s, want %s", value, got, want)
		}
	}
}

func TestPrices(t *testing.T) {
	t.Parallel()
	own := Prices{"veo3": 3, "veo3-fast": 1, "google-cloud/veo3-fast-x": 0.333, "gpt-image": 1.5}
	for _, c := range []struct {
		prices       Prices
		model        string
		eight, image int // cents for eight seconds, and for an image
	}{
		{ListPrices, "google-cloud/veo3-text2video", 2400, 300},
		{ListPrices, "google-cloud/veo2", 1600, 200},
		{ListPrices, "lightricks/ltx-video", 320, 40},
		{ListPrices, "azure-openai/sora", 1600, 200},
		{ListPrices, "kling/v2.1", 1600, 200},
		{ListPrices, "minimax/video-01", 960, 120},
		{ListPrices, "lip-sync-v1", 320, 40},
		{ListPrices, "azure-openai/gpt-image-1", 0, 300},
		{ListPrices, "google-cloud/imagen4", 0, 300},
		{ListPrices, "image-to-video/new", 0, 300},
		{own, "google-cloud/veo3", 2400, 300},
		{own, "google-cloud/veo3-fast", 800, 100},
		{own, "google-cloud/veo3-fast-x2", 266, 33},
		{own, "other/not-veo3", 0, 0},
		{own, "azure-openai/gpt-image-1", 1200, 150},
		{own, "google-cloud/imagen4", 0, 0},
		{nil, "google-cloud/veo3", 0, 0},
	} {
		if got := c.prices.ofVideo(c.model, 8); got != c.eight {
			t.Errorf("eight seconds by %s: %d cents, want %d", c.model, got, c.eight)
		}
		if got := c.prices.ofImage(c.model); got != c.image {
			t.Errorf("an image by %s: %d cents, want %d", c.model, got, c.image)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, want string
		change     func(*Examination)
	}{
		{"retry", "Stripe will still deliver", func(x *Examination) { x.Event = Event{State: EventFailed, Created: At.Add(-time.Hour)} }},
		{"unseen", "could not be seen", func(x *Examination) { x.Event = Event{} }},
		{"unverified", "could not be verified", func(x *Examination) { x.Payment.State = PaymentUnverified }},
		{"disputed", "disputes", func(x *Examination) { x.Payment.Disputed = true }},
		{"part refunded", "part of the payment", func(x *Examination) { x.Payment.State = PaymentPartiallyRefunded }},
		{"three videos", "Paid for 3 videos", func(x *Examination) { x.Payment.VideoCount = 3 }},
		{"three videos by Redis", "Paid for 3 videos", func(x *Examination) { x.Session.Lookup.Value.VideoCount = 3 }},
		{"old", "expires in 5 h", func(x *Examination) { x.Session.Prompt.TTL = 5*time.Hour + time.Minute }},
		{"prompts", "different prompts", func(x *Examination) { x.Session.Lookup = HeldKey("session", `{"prompt":"A hen"}`) }},
		{"file", "names a file already", func(x *Examination) {
			x.Session.Lookup, x.File.State = HeldKey("session", `{"fileId":"`+File1+`"}`), FileFailed
		}},
	} {
		x := orphan(Held(FoxPrompt, "", ""))
		c.change(&x)
		for _, action := range []Action{ActionFix, ActionGenerate} {
			p := plan(t, action, x)
			if len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], c.want) {
				t.Errorf("%s, %s: %q", c.name, action, p.Warnings)
			}
			if p.Retrying != (c.name == "retry") {
				t.Errorf("%s, %s: retrying %v", c.name, action, p.Retrying)
			}
		}
	}
}

func TestRetrying(t *testing.T) {
	t.Parallel()
	orphaned := Held(FoxPrompt, "", "")
	for _, c := range []struct {
		state EventState
		age   time.Duration
		want  bool
	}{
		{EventPending, time.Minute, true}, {EventFailed, 71 * time.Hour, true}, {EventFailed, 73 * time.Hour, false},
		{EventDelivered, time.Minute, false}, {EventNone, 0, false}, {EventUnknown, 0, false},
	} {
		x := orphan(orphaned)
		if x.Event = (Event{State: c.state, Created: At.Add(-c.age)}); retrying(x, At) != c.want {
			t.Errorf("%q after %s: %v", c.state, c.age, !c.want)
		}
	}
}

// TestSiteTold: then an undelivered event is another endpoint's, and no plan warns.
func TestSiteTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		session Session
		change  func(*Examination)
		want    bool
	}{
		{"an orphan", Held(FoxPrompt, "", ""), nil, false},
		{"pending", Held("", "", `{"prompt":"A fox","status":"pending"}`), nil, false},
		{"processing", Held(FoxPrompt, `{"status":"processing"}`, ""), nil, false},
		{"error", Held("", "", `{"prompt":"A fox","status":"error"}`), nil, true},
		{"a file", Held(FoxPrompt, "", `{"fileId":"`+File1+`"}`), nil, true},
		{"an error of ours", Held(FoxPrompt, `{"status":"error"}`, ""), func(x *Examination) { x.Repair.ID = "job" }, false},
		{"an error of whoever", Held(FoxPrompt, `{"status":"error"}`, ""), func(x *Examination) { x.JobErr = errors.New("silent") }, false},
	} {
		x := orphan(c.session)
		if c.change != nil {
			c.change(&x)
		}
		if got := x.SiteTold(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		for _, state := range []EventState{EventFailed, EventPending, EventUnknown} {
			x.Event = Event{State: state, Created: At.Add(-time.Minute)}
			list, _ := warnings(x, ActionGenerate, retrying(x, At))
			warned := strings.Contains(strings.Join(list, " "), "Stripe will still deliver")
			if warned == c.want {
				t.Errorf("%s, event %q: warned %v", c.name, state, warned)
			}
		}
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	p := plan(t, ActionGenerate, orphan(Held(FoxPrompt, "", "")))
	for _, c := range []struct {
		name string
		now  Examination
		want []string
	}{
		{"nothing", orphan(Held(FoxPrompt, "", "")), nil},
		{"the webhook came", orphan(Held(FoxPrompt, `{"status":"processing","fileId":"`+File1+`","timestamp":"`+Ago(time.Minute)+`"}`, "")), []string{
			"The verdict was orphaned and is processing now.", "The status was none and is processing now.",
			"The file was none and is unknown now.", "The session names another file now.",
			"The value of webhook:… was changed by somebody else."}},
		{"another prompt", orphan(Held(strings.Replace(FoxPrompt, "fox", "hen", 1), "", "")), []string{"The prompt is another one now."}},
		{"a mapping", orphan(Held(FoxPrompt, "", `{}`)), []string{"The value of session:… was changed by somebody else."}},
		{"silence", Examination{Evidence: Evidence{RedisSilent: true}}, []string{"Redis did not answer, so the session could not be seen again."}},
		{"a refund", func() Examination {
			x := orphan(Held(FoxPrompt, "", ""))
			x.Payment.State = PaymentPartiallyRefunded
			return x
		}(), []string{"The payment was paid and is partially refunded now."}},
		{"a dispute", func() Examination {
			x := orphan(Held(FoxPrompt, "", ""))
			x.Payment.Disputed = true
			return x
		}(), []string{"The customer disputes the payment now."}},
		{"Stripe delivers again", func() Examination {
			x := orphan(Held(FoxPrompt, "", ""))
			x.Event = Event{State: EventFailed, Created: At.Add(-time.Hour)}
			return x
		}(), []string{"Stripe will still deliver the event, which was not known."}},
	} {
		if diff := cmp.Diff(c.want, p.Changed(c.now)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// TestPlansOfWhatCannotBeRead: what is taken out is listed, and what is replaced
// as a whole is said to be; nothing else happens to the value.
func TestPlansOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		webhook  string
		replaced bool
		odd      []string // listed as unreadable
		without  []string // of these: taken out
	}{
		{`{"status":7,"fileId":{},"createdAt":1,"error":null,"x":1}`, false, []string{"status", "fileId", "createdAt"}, []string{"fileId", "createdAt"}},
		{`{"status":"done"}`, false, nil, nil},
		{`{"status":`, true, nil, nil},
		{`["processing"]`, true, nil, nil},
	} {
		x := orphan(Held(FoxPrompt, c.webhook, ""))
		w := plan(t, ActionFix, x).Writes[0]
		var odd, without []string
		for _, change := range w.Changes {
			if change.Odd {
				odd = append(odd, change.Name)
			}
			if change.After == nil {
				without = append(without, change.Name)
			}
		}
		if x.Verdict != VerdictCorrupt || !w.Unreadable || w.Replaced != c.replaced {
			t.Errorf("%s is %s: unreadable %v, replaced %v", c.webhook, x.Verdict, w.Unreadable, w.Replaced)
		}
		if diff := cmp.Diff([][]string{c.odd, c.without}, [][]string{odd, without}); diff != "" {
			t.Errorf("%s: %s", c.webhook, diff)
		}
	}
}

// TestTooLargeToBeWritten: what cannot be read and saved whole is refused, and
// why is said, before anybody approves anything.
func TestTooLargeToBeWritten(t *testing.T) {
	t.Parallel()
	tooLarge := func(kind string) Key { return Key{Kind: kind, Exists: true, Fault: FaultTooLarge} }
	for _, kind := range []string{"webhook", "session"} {
		s := Held(FoxPrompt, "", "")
		if kind == "webhook" {
			s.Webhook = tooLarge(kind)
		} else {
			s.Lookup = tooLarge(kind)
		}
		x := orphan(s)
		_, err := MakePlan(ActionFix, x, ann, making, At)
		var refused *NotAllowed
		if !errors.As(err, &refused) || !strings.Contains(refused.Reason, kind+":… cannot be read: it is larger than 32 MiB") {
			t.Errorf("%s: %v, %q", kind, err, x.Reason)
		}
	}
	s := Held("", "", FoxObject)
	s.Prompt = tooLarge("prompt") // is not written
	if x := orphan(s); x.Verdict != VerdictCorrupt || !x.Allows(ActionFix) {
		t.Errorf("beside a prompt: that is not written: %s, allowed %v", x.Verdict, x.Allowed)
	}
}

// TestPlanWritesWhatTheSiteReads: the keys of its layout.
func TestPlanWritesWhatTheSiteReads(t *testing.T) {
	t.Parallel()
	x := orphan(Held(FoxPrompt, "", ""))
	x.Reads = LayoutOneKey
	for _, action := range []Action{ActionFix, ActionGenerate} {
		p := plan(t, action, x)
		if p.Reads != LayoutOneKey || len(p.Writes) != 2 || p.Writes[0].Kind != "session" || p.Writes[0].Changes[0].Name != "status" {
			t.Errorf("%s: %+v", action, p.Writes)
		}
	}
}
