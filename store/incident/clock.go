package incident

import "time"

// Clock is how long customers have waited because of an incident, and what they paid.
type Clock struct {
	Customers int
	Longest   time.Duration    // that one of them waits, or waited
	InAll     time.Duration    // that they waited, added up
	Money     map[string]int64 // what they had paid, by currency, in its smallest unit
}

// ClockOf returns how long customers have waited by now: each from when the trouble
// began until the session left the incident. A customer who turned
// out to have paid nothing did not wait.
func ClockOf(cases []Case, now time.Time) (c Clock) {
	var sum Sum
	for _, of := range cases {
		if of.Ending == EndUnpaid {
			continue
		}
		end := now
		if !of.Gone.IsZero() {
			end = of.Gone
		}
		waited := max(end.Sub(of.started()), 0)
		c.InAll += waited
		c.Longest = max(c.Longest, waited)
		sum.Add(of)
	}
	c.Customers, c.Money = sum.Sessions, sum.Money
	return c
}
