// Package retryafter reads how long a server asks to be left alone.
package retryafter

import (
	"net/http"
	"strconv"
	"time"
)

// Header is the header's name.
const Header = "Retry-After"

// Read returns what Retry-After says in either form, limit at most; 0 = nothing
// that can be read. Seconds may have a fraction. A date counts from the server's
// own clock, where it tells it.
func Read(h http.Header, limit time.Duration) time.Duration {
	value := h.Get(Header)
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if seconds >= limit.Seconds() {
			return limit
		}
		if seconds > 0 { // which what is no number is not
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
