package rdb

import "testing"

func TestListsReplica(t *testing.T) {
	t.Parallel()
	const masters = "a 127.0.0.1:1@11 myself,master - 0 0 1 connected 0-100\nb 127.0.0.1:2@12 master - 0 0 2 connected 101-200\n"
	for name, c := range map[string]struct {
		nodes string
		want  bool
	}{
		"masters only":         {masters, false},
		"another's":            {masters + "c 127.0.0.1:3@13 slave b 0 0 2 connected\n", false},
		"its own":              {masters + "c 127.0.0.1:3@13 slave a 0 0 1 connected\n", true},
		"its own, which died":  {masters + "c 127.0.0.1:3@13,host slave,fail a 0 0 1 disconnected\n", true},
		"a master that failed": {masters + "c 127.0.0.1:3@13 master,fail - 0 0 1 disconnected\n", false},
		"nothing":              {"", false},
	} {
		if got := listsReplica(c.nodes); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
