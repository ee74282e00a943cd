// Stands in until the package has its own: delete this file then. Names and
// shapes are those that commands uses; keep them where nothing speaks against it.

package superduper

type Kind string

const (
	NoToken, Unauthorised, Forbidden, NotFound, Rejected, RateLimited, Unavailable, Certificate, Unclear, Malformed Kind = "a", "b", "c", "d", "e", "f", "g", "h", "i", "j"
)

type Error struct {
	Kind   Kind
	Status int
}

func (e *Error) Error() string { return string(e.Kind) }
