package blockhtml

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden HTML")

type goldenCase struct {
	name   string
	blocks string
}

// goldenCases are the blocks in testdata/blocks, one file a kind.
func goldenCases(t testing.TB) []goldenCase {
	t.Helper()
	files, err := filepath.Glob("testdata/blocks/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no blocks in testdata: %v", err)
	}
	var cases []goldenCase
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, goldenCase{strings.TrimSuffix(filepath.Base(file), ".json"), string(data)})
	}
	return cases
}

// TestGolden holds the HTML of every kind of block against testdata/html.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, c := range goldenCases(t) {
		t.Run(c.name, func(t *testing.T) {
			got := string(Blocks(testReader(), []byte(c.blocks)))
			checkSafe(t, got)
			// One tag a line, so that a difference can be read.
			got = strings.ReplaceAll(got, "><", ">\n<") + "\n"
			file := filepath.Join("testdata", "html", c.name+".html")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
