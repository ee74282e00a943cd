package main

import (
	"time"
	_ "time/tzdata" // the image holds no time zones

	"github.com/superduperai/sessionbot/internal/watch"
	"github.com/superduperai/sessionbot/store/diagnosis"
)

// clockLayout is how DIGEST_AT is written.
const clockLayout = "15:04"

func (c *config) checkDigest(faults *configError) {
	_, err := time.Parse(clockLayout, c.DigestAt)
	faults.check(c.DigestAt == "" || err == nil, "DIGEST_AT", "is not a time of day", "write hours and minutes, such as 09:00; empty switches it off")
	_, err = time.LoadLocation(c.DigestTZ)
	faults.check(err == nil && c.DigestTZ != "Local", "DIGEST_TZ", "is not a time zone", "write its name, such as Europe/Berlin or UTC")
}

// digestTime is when the digest is due, the zero value if it is off. The variables were
// checked.
func (c *config) digestTime() watch.DigestTime {
	at, err := time.Parse(clockLayout, c.DigestAt)
	if err != nil {
		return watch.DigestTime{}
	}
	zone, err := time.LoadLocation(c.DigestTZ)
	if err != nil {
		return watch.DigestTime{}
	}
	return watch.DigestTime{Hour: at.Hour(), Minute: at.Minute(), Zone: zone}
}

// digestText says when the digest is due, "" = it is off.
func (c *config) digestText() string {
	if c.DigestAt == "" {
		return ""
	}
	return c.DigestAt + " " + c.DigestTZ
}

// alertOn are the verdicts that are alerted.
func (c *config) alertOn() []diagnosis.Verdict {
	var verdicts []diagnosis.Verdict
	for _, verdict := range c.AlertOn {
		verdicts = append(verdicts, diagnosis.Verdict(verdict))
	}
	return verdicts
}
