package lease

import "time"

// LeaseTimings are how long a lease holds without being renewed, and the pause
// between two renewals.
type LeaseTimings struct{ Life, Renew time.Duration }

// The leases of production.
var (
	JobLease        = LeaseTimings{Life: 15 * time.Second, Renew: 5 * time.Second}
	LeadershipLease = LeaseTimings{Life: 8 * time.Second, Renew: 2 * time.Second}
)
