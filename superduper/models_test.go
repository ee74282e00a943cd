package superduper

import (
	"slices"
	"testing"
)

func TestParseModels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		raw   string
		names []string
		whole bool
		fails bool
	}{
		{`[{"name":"a","type":"x"},{"name":"b"}]`, []string{"a", "b"}, true, false},
		{`{"items":[{"name":"a"}],"total":70}`, []string{"a"}, false, false},
		{`[]`, nil, true, false},
		{`{"detail":"no"}`, nil, false, true},
		{`<html>`, nil, false, true},
		{`[1]`, nil, false, true},
	} {
		names, whole, err := parseModels([]byte(c.raw))
		if !slices.Equal(names, c.names) || whole != c.whole || (err != nil) != c.fails {
			t.Errorf("%s: %q, %v, %v", c.raw, names, whole, err)
		}
	}
}
