package watch

import (
	"context"
	"time"

	"github.com/superduperai/sessionbot/store/incident"
)

// lateDigest is how late a digest is still posted, such as by a bot that starts after
// its time; then that of the next day has to do.
const lateDigest = 6 * time.Hour

// DigestTime is when the digest of the day before is due, each day. The zero value means
// never.
type DigestTime struct {
	Hour, Minute int
	Zone         *time.Location
}

// due returns the day whose digest is due, false = none is. Whether it was posted is not
// known here.
func (d DigestTime) due(now time.Time) (from, until time.Time, due bool) {
	if d.Zone == nil {
		return time.Time{}, time.Time{}, false
	}
	year, month, day := now.In(d.Zone).Date()
	at := time.Date(year, month, day, d.Hour, d.Minute, 0, 0, d.Zone)
	midnight := func(day int) time.Time { return time.Date(year, month, day, 0, 0, 0, 0, d.Zone) }
	return midnight(day - 1), midnight(day), !now.Before(at) && now.Sub(at) < lateDigest
}

// digester opens the incident that each day's digest is: it is posted, once, as alerts
// are, and holds only its day.
type digester struct {
	*term
	opened string // the id of the last one
}

// open opens the digest that is due, unless there is one. It waits until a sweep has shown
// what is still open: with the payments, unless Stripe does not answer.
func (d *digester) open(ctx context.Context) error {
	from, until, due := d.Digest.due(d.Now())
	id := "digest-" + from.Format(time.DateOnly)
	known := d.snapshot()
	swept := known.sessions >= 0 && (known.allVerified || !known.stripeDownSince.IsZero())
	if !due || d.opened == id || !swept {
		return nil
	}
	i := newIncident(incident.Digest, d.Now())
	i.ID, i.Since, i.Until = id, from, until
	i.Changed(string(Digest))
	if err := d.retireOthers(ctx, id); err != nil {
		return err
	}
	created, err := d.Records.OpenOnce(ctx, d.lead, i)
	if err != nil {
		return err
	}
	d.opened = id
	if created {
		signal(d.incidents.notifyNow)
	}
	return nil
}

// retireOthers gives up digests of earlier days that could not be posted.
func (d *digester) retireOthers(ctx context.Context, id string) error {
	open, err := d.incidents.list(ctx)
	if err != nil {
		return err
	}
	for _, i := range open {
		if i.Kind != incident.Digest || i.ID == id {
			continue
		}
		d.Log.WarnContext(ctx, "digest never posted", "incident", i.ID)
		if err := d.Records.RetireIncident(ctx, d.lead, i.ID); err != nil {
			return err
		}
	}
	return nil
}
