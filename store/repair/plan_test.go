package repair

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/storetest"
)

const sorry = "We could not start your video."

var (
	thresholds = diagnosis.Thresholds{OrphanGrace: 10 * time.Minute, StallAfter: 30 * time.Minute}
	ann        = store.Actor{ID: "U0ANN"}
	bob        = store.Actor{ID: "U0BOB"}
	making     = PlanOptions{TTL: 10 * time.Minute, Models: Models{"google-cloud/veo3-text2video", "azure-openai/gpt-image-1"},
		Prices: ListPrices, FixText: sorry}
)

// orphan is what is seen of a session that was paid and has no video.
func orphan(s store.Session) diagnosis.Examination {
	e := diagnosis.Evidence{Session: s, Payment: store.Payment{State: store.PaymentPaid, ChargedAt: storetest.At.Add(-time.Hour)},
		Event: store.Event{State: store.EventDelivered, Created: storetest.At.Add(-time.Hour)}}.Complete(storetest.At)
	return diagnosis.Examination{Evidence: e, Diagnosis: diagnosis.Diagnose(e, storetest.At, thresholds), At: storetest.At}
}

func plan(t *testing.T, action store.Action, x diagnosis.Examination) Plan {
	t.Helper()
	p, err := MakePlan(action, x, ann, making, storetest.At)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMakePlanOfAGeneration(t *testing.T) {
	t.Parallel()
	p := plan(t, store.ActionGenerate, orphan(storetest.Held(storetest.FoxPrompt, "", "")))
	if p.ID == "" || p.ID == plan(t, store.ActionGenerate, orphan(storetest.Held(storetest.FoxPrompt, "", ""))).ID {
		t.Errorf("id %q is not its own", p.ID)
	}
	order := &Order{Model: "google-cloud/veo3-text2video", Seconds: 8, SecondsFrom: FromDefault, Width: 1280, Height: 720,
		SizeFrom: FromDefault, Cents: 2400, PromptFrom: FromPrompt, PromptChars: 5, PromptDigest: store.Digest([]byte("A fox"))}
	if diff := cmp.Diff(order, p.Order); diff != "" {
		t.Error(diff)
	}
	if len(p.Writes) != 2 || p.Writes[0].Kind != "webhook" || !p.Writes[0].Create ||
		p.Writes[1].Kind != "session" || !p.Writes[1].Create || p.Writes[1].Changes != nil {
		t.Errorf("writes %+v", p.Writes)
	}
	for _, w := range p.Writes {
		if !slices.Equal(w.LaterMembers, []string{"fileId", "timestamp"}) {
			t.Errorf("%s: is followed by %v", w.Kind, w.LaterMembers)
		}
	}
	if p.Expires.Sub(p.Created) != making.TTL || p.Requester != ann || p.Warnings != nil || p.Retrying {
		t.Errorf("plan %+v", p)
	}
}

// TestPlansHoldNoPrompt: what is stored is read by others than the session is.
func TestPlansHoldNoPrompt(t *testing.T) {
	t.Parallel()
	x := orphan(storetest.Held(`{"prompt":"Sesame"}`, "", `{"prompt":"Sesame too","imageFile":{"content":"Sesame"},"generationType":"text-to-video"}`))
	for _, action := range []store.Action{store.ActionFix, store.ActionGenerate} {
		raw, err := json.Marshal(Job{Plan: plan(t, action, x)})
		if err != nil || strings.Contains(string(raw), "Sesame") {
			t.Errorf("%s: %s, %v", action, raw, err)
		}
	}
}

func TestMakePlanRefuses(t *testing.T) {
	t.Parallel()
	x := orphan(storetest.Held(storetest.FoxPrompt, `{"status":"completed","fileId":"`+storetest.File1+`"}`, ""))
	_, err := MakePlan(store.ActionGenerate, x, ann, making, storetest.At)
	var refused *NotAllowed
	if !errors.As(err, &refused) || refused.Verdict != diagnosis.VerdictCompleted || refused.Reason != x.Reason {
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
		o, notes := newOrder(storetest.Held("", "", c.lookup), Models{Video: c.model, Image: "pictures"}, ListPrices)
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
	for value, want := range map[string]store.Kind{
		`{}`:                                                     store.KindVideo,
		`{"generationType":"text-to-video"}`:                     store.KindVideo,
		`{"generationType":"image-to-video"}`:                    store.KindVideo,
		`{"generationType":"text-to-image"}`:                     store.KindImage,
		`{"generationType":"image-to-image"}`:                    store.KindImage,
		`{"modelType":"image"}`:                                  store.KindImage,
		`{"modelType":"video"}`:                                  store.KindVideo,
		`{"modelType":["image"]}`:                                store.KindVideo,
		`{"generationType":null,"modelType":"image"}`:            store.KindImage,
		`{"generationType":"text-to-video","modelType":"image"}`: store.KindVideo,
		`{"generationType":"text-to-image","modelType":"video"}`: store.KindImage,
	} {
		if got := storetest.Held("", "", value).Kind(); got != want {
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
		change     func(*diagnosis.Examination)
	}{
		{"retry", "Stripe will still deliver", func(x *diagnosis.Examination) {
			x.Event = store.Event{State: store.EventFailed, Created: storetest.At.Add(-time.Hour)}
		}},
		{"unseen", "could not be seen", func(x *diagnosis.Examination) { x.Event = store.Event{} }},
		{"unverified", "could not be verified", func(x *diagnosis.Examination) { x.Payment.State = store.PaymentUnverified }},
		{"disputed", "disputes", func(x *diagnosis.Examination) { x.Payment.Disputed = true }},
		{"part refunded", "part of the payment", func(x *diagnosis.Examination) { x.Payment.State = store.PaymentPartiallyRefunded }},
		{"three videos", "Paid for 3 videos", func(x *diagnosis.Examination) { x.Payment.VideoCount = 3 }},
		{"three videos by Redis", "Paid for 3 videos", func(x *diagnosis.Examination) { x.Session.SessionKey.Value.VideoCount = 3 }},
		{"old", "expires in 5 h", func(x *diagnosis.Examination) { x.Session.Prompt.TTL = 5*time.Hour + time.Minute }},
		{"prompts", "different prompts", func(x *diagnosis.Examination) {
			x.Session.SessionKey = storetest.HeldKey("session", `{"prompt":"A hen"}`)
		}},
		{"file", "names a file already", func(x *diagnosis.Examination) {
			x.Session.SessionKey, x.File.State = storetest.HeldKey("session", `{"fileId":"`+storetest.File1+`"}`), store.FileFailed
		}},
	} {
		x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
		c.change(&x)
		for _, action := range []store.Action{store.ActionFix, store.ActionGenerate} {
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
	orphaned := storetest.Held(storetest.FoxPrompt, "", "")
	for _, c := range []struct {
		state store.EventState
		age   time.Duration
		want  bool
	}{
		{store.EventPending, time.Minute, true}, {store.EventFailed, 71 * time.Hour, true}, {store.EventFailed, 73 * time.Hour, false},
		{store.EventDelivered, time.Minute, false}, {store.EventNone, 0, false}, {store.EventUnknown, 0, false},
	} {
		x := orphan(orphaned)
		if x.Event = (store.Event{State: c.state, Created: storetest.At.Add(-c.age)}); retrying(x, storetest.At) != c.want {
			t.Errorf("%q after %s: %v", c.state, c.age, !c.want)
		}
	}
}

// TestSiteTold: then an undelivered event is another endpoint's, and no plan warns.
func TestSiteTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		session store.Session
		change  func(*diagnosis.Examination)
		want    bool
	}{
		{"an orphan", storetest.Held(storetest.FoxPrompt, "", ""), nil, false},
		{"pending", storetest.Held("", "", `{"prompt":"A fox","status":"pending"}`), nil, false},
		{"processing", storetest.Held(storetest.FoxPrompt, `{"status":"processing"}`, ""), nil, false},
		{"error", storetest.Held("", "", `{"prompt":"A fox","status":"error"}`), nil, true},
		{"a file", storetest.Held(storetest.FoxPrompt, "", `{"fileId":"`+storetest.File1+`"}`), nil, true},
		{"an error of ours", storetest.Held(storetest.FoxPrompt, `{"status":"error"}`, ""), func(x *diagnosis.Examination) { x.Repair.ID = "job" }, false},
		{"an error of whoever", storetest.Held(storetest.FoxPrompt, `{"status":"error"}`, ""), func(x *diagnosis.Examination) { x.JobErr = errors.New("silent") }, false},
	} {
		x := orphan(c.session)
		if c.change != nil {
			c.change(&x)
		}
		if got := x.SiteShowsOutcome(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
		for _, state := range []store.EventState{store.EventFailed, store.EventPending, store.EventUnknown} {
			x.Event = store.Event{State: state, Created: storetest.At.Add(-time.Minute)}
			list, _ := warnings(x, store.ActionGenerate, retrying(x, storetest.At))
			warned := strings.Contains(strings.Join(list, " "), "Stripe will still deliver")
			if warned == c.want {
				t.Errorf("%s, event %q: warned %v", c.name, state, warned)
			}
		}
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	p := plan(t, store.ActionGenerate, orphan(storetest.Held(storetest.FoxPrompt, "", "")))
	for _, c := range []struct {
		name string
		now  diagnosis.Examination
		want []string
	}{
		{"nothing", orphan(storetest.Held(storetest.FoxPrompt, "", "")), nil},
		{"the webhook came", orphan(storetest.Held(storetest.FoxPrompt, `{"status":"processing","fileId":"`+storetest.File1+`","timestamp":"`+storetest.Ago(time.Minute)+`"}`, "")), []string{
			"The verdict was orphaned and is processing now.", "The status was none and is processing now.",
			"The file was none and is unknown now.", "The session names another file now.",
			"The value of webhook:… was changed by somebody else."}},
		{"another prompt", orphan(storetest.Held(strings.Replace(storetest.FoxPrompt, "fox", "hen", 1), "", "")), []string{"The prompt is another one now."}},
		{"a mapping", orphan(storetest.Held(storetest.FoxPrompt, "", `{}`)), []string{"The value of session:… was changed by somebody else."}},
		{"silence", diagnosis.Examination{Evidence: diagnosis.Evidence{RedisSilent: true}}, []string{"Redis did not answer, so the session could not be seen again."}},
		{"a refund", func() diagnosis.Examination {
			x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
			x.Payment.State = store.PaymentPartiallyRefunded
			return x
		}(), []string{"The payment was paid and is partially refunded now."}},
		{"a dispute", func() diagnosis.Examination {
			x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
			x.Payment.Disputed = true
			return x
		}(), []string{"The customer disputes the payment now."}},
		{"Stripe delivers again", func() diagnosis.Examination {
			x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
			x.Event = store.Event{State: store.EventFailed, Created: storetest.At.Add(-time.Hour)}
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
		x := orphan(storetest.Held(storetest.FoxPrompt, c.webhook, ""))
		w := plan(t, store.ActionFix, x).Writes[0]
		var odd, without []string
		for _, change := range w.Changes {
			if change.Odd {
				odd = append(odd, change.Name)
			}
			if change.After == nil {
				without = append(without, change.Name)
			}
		}
		if x.Verdict != diagnosis.VerdictCorrupt || !w.Unreadable || w.Replaced != c.replaced {
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
	tooLarge := func(kind string) store.Key { return store.Key{Kind: kind, Exists: true, Fault: store.FaultTooLarge} }
	for _, kind := range []string{"webhook", "session"} {
		s := storetest.Held(storetest.FoxPrompt, "", "")
		if kind == "webhook" {
			s.Webhook = tooLarge(kind)
		} else {
			s.SessionKey = tooLarge(kind)
		}
		x := orphan(s)
		_, err := MakePlan(store.ActionFix, x, ann, making, storetest.At)
		var refused *NotAllowed
		if !errors.As(err, &refused) || !strings.Contains(refused.Reason, kind+":… cannot be read: it is larger than 32 MiB") {
			t.Errorf("%s: %v, %q", kind, err, x.Reason)
		}
	}
	s := storetest.Held("", "", storetest.FoxObject)
	s.Prompt = tooLarge("prompt") // is not written
	if x := orphan(s); x.Verdict != diagnosis.VerdictCorrupt || !x.Allows(store.ActionFix) {
		t.Errorf("beside a prompt: that is not written: %s, allowed %v", x.Verdict, x.Allowed)
	}
}

// TestPlanWritesWhatTheSiteReads: the keys of its layout.
func TestPlanWritesWhatTheSiteReads(t *testing.T) {
	t.Parallel()
	x := orphan(storetest.Held(storetest.FoxPrompt, "", ""))
	x.Reads = store.LayoutOneKey
	for _, action := range []store.Action{store.ActionFix, store.ActionGenerate} {
		p := plan(t, action, x)
		if p.Reads != store.LayoutOneKey || len(p.Writes) != 2 || p.Writes[0].Kind != "session" || p.Writes[0].Changes[0].Name != "status" {
			t.Errorf("%s: %+v", action, p.Writes)
		}
	}
}
