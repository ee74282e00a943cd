package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/superduperai/sessionbot/store"
	"github.com/superduperai/sessionbot/superduper"
)

// mostFiles is how many are asked for at most, to find one that is known.
const mostFiles = 3

// superHosts are those that the product's own code and documents name, the usual
// one first. Each knows its own files only.
var superHosts = []string{superHost, "https://api.superduperai.com", "https://editor.superduperai.co"}

// files tells whether SUPERDUPERAI_URL is the host at which the site has its files
// made: another one knows none of them. Why it gives no answer at all is told by
// other lines.
func (e *exam) files(ctx context.Context, client *superduper.Client) Result {
	select {
	case <-e.sampled:
	case <-ctx.Done():
		return Result{}
	}
	if e.sample == nil {
		return Result{}
	}
	state, err := store.Open(ctx, cmp.Or(e.StateURL, e.RedisURL))
	if err != nil {
		return Result{}
	}
	defer func() { _ = state.Close() }() // the look is over
	ledger, unknown := store.NewLedger(state), 0
	for _, named := range e.sample.Files {
		job, err := ledger.JobOf(ctx, named.Session)
		switch {
		case err != nil:
			return Result{}
		case job.ID != "": // what it names may be made by us, wherever that is
			continue
		}
		switch _, err := client.File(ctx, named.FileID); {
		case err == nil:
			return fine("it knows a file that a recent session names")
		case !errors.Is(err, superduper.NotFound) && !errors.Is(err, superduper.Malformed):
			return Result{}
		}
		if unknown++; unknown == mostFiles {
			break
		}
	}
	return judgeFiles(unknown, e.SuperURL)
}

// judgeFiles judges a host that knows none of so many files.
func judgeFiles(unknown int, host string) Result {
	if unknown == 0 {
		return fine("no session of the sample names a file that the site had made")
	}
	others := slices.DeleteFunc(slices.Clone(superHosts), func(other string) bool { return other == host })
	return broken(fmt.Sprintf("it knows none of the files that recent sessions name (asked for %d)", unknown),
		"set SUPERDUPERAI_URL to the host at which the site has its files made, such as "+strings.Join(others, " or "))
}
