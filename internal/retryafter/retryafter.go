// Package retryafter parses the Retry-After header.
package retryafter

import (
	"net/http"
	"strconv"
	"time"
)

// Header is the header's name.
const Header = "Retry-After"

// Read returns the delay in Retry-After, in seconds (with or without
// a fraction) or as a date, at most limit; 0 if it cannot be parsed. A date is
// relative to the Date header, the server's own clock, where there is one.
func Read(h http.Header, limit time.Duration) time.Duration {
	value := h.Get(Header)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if seconds >= limit.Seconds() {
			return limit
		}
		if seconds > 0 { // false for NaN
			return time.Duration(seconds * float64(time.Second))
		}
		return 0
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	sent, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		sent = time.Now()
	}
	return min(max(at.Sub(sent), 0), limit)
}
