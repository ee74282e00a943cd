package socketmode

import "testing"

func TestUnknownConnections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		counted, own, living, want int
		why                        string
	}{
		{1, 1, 1, 0, "the first connection"},
		{2, 2, 1, 0, "both"},
		{3, 3, 1, 0, "one is being replaced"},
		{3, 2, 1, 1, "somebody else has one"},
		{4, 2, 1, 2, "somebody else has two"},
		{4, 2, 2, 0, "a replica has two"},
		{5, 2, 2, 0, "a replica replaces one"},
		{6, 2, 2, 1, "a replica, and somebody else"},
		{2, 2, 3, 0, "replicas that have not connected yet"},
		{0, 1, 1, 0, "Slack does not say"},
	} {
		if got := unknownConnections(hello{counted: c.counted, own: c.own}, c.living); got != c.want {
			t.Errorf("%s: %d, want %d", c.why, got, c.want)
		}
	}
}
