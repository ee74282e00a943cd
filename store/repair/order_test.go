package repair

import (
	"testing"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/storetest"
)

func TestOrders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sessionValue, model string
		seconds             int
		width, height       int
		cents, notes        int
		from                Source
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
		o, notes := newOrder(storetest.Held("", "", c.sessionValue), Models{Video: c.model, Image: "pictures"}, ListPrices)
		if o.Seconds != c.seconds || o.SecondsFrom != c.from || o.Width != c.width || o.Height != c.height ||
			o.Cents != c.cents || len(notes) != c.notes {
			t.Errorf("%s for %s: %+v, %q", c.sessionValue, c.model, o, notes)
		}
		if sized := o.Width != 1280; sized != (o.SizeFrom == FromSession) {
			t.Errorf("%s: the size is taken from %s", c.sessionValue, o.SizeFrom)
		}
		if o.Image != (o.Model == "pictures") || o.PromptFrom != FromSession {
			t.Errorf("%s: %+v", c.sessionValue, o)
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
