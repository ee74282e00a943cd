package incident

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestSameCase: a difference in any field makes it another case, which is stored.
func TestSameCase(t *testing.T) {
	t.Parallel()
	for n := range reflect.TypeFor[Case]().NumField() {
		var a, b Case
		switch f := reflect.ValueOf(&b).Elem().Field(n); f.Interface().(type) {
		case time.Time:
			f.Set(reflect.ValueOf(storetest.At))
		case int64:
			f.SetInt(1)
		case bool:
			f.SetBool(true)
		case []store.Action:
			f.Set(reflect.ValueOf([]store.Action{store.ActionFix}))
		case *Repair:
			f.Set(reflect.ValueOf(&Repair{Job: "x"}))
		default:
			f.SetString("x")
		}
		if a.Same(&b) || !b.Same(&b) {
			t.Errorf("%s makes no difference", reflect.TypeFor[Case]().Field(n).Name)
		}
	}
}

func TestCommonEvent(t *testing.T) {
	t.Parallel()
	c := func(state store.EventState) Case {
		return Case{Event: state, EventAt: storetest.At, Amount: 100, Currency: "usd"}
	}
	for _, test := range []struct {
		cases []Case
		want  store.EventState
	}{
		{nil, store.EventUnknown},
		{[]Case{c(store.EventFailed)}, store.EventUnknown},
		{[]Case{c(store.EventFailed), c(store.EventFailed)}, store.EventFailed},
		{[]Case{c(store.EventFailed), c(store.EventNone)}, store.EventUnknown},
		{[]Case{c(store.EventNone), c(store.EventFailed), c(store.EventFailed), c(store.EventFailed), c(store.EventFailed)}, store.EventFailed},
		{[]Case{c(store.EventUnknown), c(store.EventUnknown)}, store.EventUnknown},
	} {
		if got, _ := CommonEvent(test.cases); got != test.want {
			t.Errorf("%v: %q, want %q", test.cases, got, test.want)
		}
	}
	if diff := cmp.Diff(Sum{Sessions: 3, Unverified: 1, Money: map[string]int64{"usd": 200}}, SumOf([]Case{c(""), c(""), {Payment: store.PaymentUnverified}})); diff != "" {
		t.Error(diff)
	}
}
