package incident

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/superduperai/sessionbot/internal/testenv"
	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/rdb/rdbtest"
	"github.com/superduperai/sessionbot/store/storetest"
)

// TestSameCase: whatever is another about a case, it is not the same, and so is
// stored.
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
		default:
			f.SetString("x")
		}
		if a.same(&b) || !b.same(&b) {
			t.Errorf("%s makes no difference", reflect.TypeFor[Case]().Field(n).Name)
		}
	}
}

// TestLargeIncident: each of its sessions is read as it was stored, and what
// changes is written without the others.
func TestLargeIncident(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := NewWatch(r)
		l := leading(t, w, "one")
		i := Incident{ID: "i", Opened: storetest.At}
		for n := range 2*caseChunk + 1 {
			i.Cases = append(i.Cases, Case{ID: fmt.Sprint("cs_", n), At: storetest.At})
		}
		i, err := w.OpenIncident(t.Context(), l, i)
		testenv.Must(t, err)
		testenv.Must(t, client.HSet(t.Context(), incidentKey("i"), "0", `{"id":"nobody writes it again"}`).Err())
		_, err = w.ChangeIncident(t.Context(), l, i, func(i *Incident) bool {
			i.Cases[caseChunk].Ending = EndLate
			i.Cases = append(i.Cases, Case{ID: "last"})
			return true
		})
		testenv.Must(t, err)
		if i.Cases[caseChunk].Ending != "" {
			t.Error("what the caller knows was changed")
		}
		_, _, err = w.Acknowledge(t.Context(), "i", "U1", storetest.At)
		testenv.Must(t, err)
		got, err := w.Incident(t.Context(), "i")
		testenv.Must(t, err)
		if n := len(got.Cases); n != 2*caseChunk+2 || got.Cases[n-1].ID != "last" || got.Acknowledged == nil {
			t.Fatalf("%d cases, acknowledged by %+v", n, got.Acknowledged)
		}
		if got.Cases[0].ID != "nobody writes it again" || got.Cases[caseChunk].Ending != EndLate || got.Cases[1].ID != "cs_1" {
			t.Errorf("%+v", got.Cases[:2])
		}
		// Whoever does not know of a click changes it all the same, as it is by now.
		got, err = w.ChangeIncident(t.Context(), l, i, func(i *Incident) bool { i.Cases[0].Ending = EndGone; return true })
		if err != nil || got.Acknowledged == nil || got.Cases[caseChunk].Ending != EndLate {
			t.Errorf("%+v, %v", got.Acknowledged, err)
		}
	})
}

// TestForgottenIncident: one that is gone, while somebody still knows it as open,
// is open no more.
func TestForgottenIncident(t *testing.T) {
	t.Parallel()
	rdbtest.Everywhere(t, func(t *testing.T, client redis.UniversalClient, r *rdb.Redis) {
		w := NewWatch(r)
		l := leading(t, w, "one")
		i, err := w.OpenIncident(t.Context(), l, Incident{ID: "i", Opened: storetest.At})
		testenv.Must(t, err)
		testenv.Must(t, client.Del(t.Context(), incidentKey("i")).Err())
		if _, err := w.ChangeIncident(t.Context(), l, i, func(*Incident) bool { return true }); !errors.Is(err, ErrUnknownIncident) {
			t.Errorf("it is changed: %v", err)
		}
		if open, err := w.OpenIncidents(t.Context(), map[string]Incident{"i": i}); err != nil || len(open) > 0 {
			t.Errorf("%+v, %v", open, err)
		}
	})
}
