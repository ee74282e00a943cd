package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/superduperai/sessionbot/store/ledger"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/superduper"
)

// maxFiles is how many files are requested to find one that is known.
const maxFiles = 3

// superHosts are named by the product's own code and documents, the usual one
// first. Each knows only its own files.
var superHosts = []string{superHost, "https://api.superduperai.com", "https://editor.superduperai.co"}

// files checks that SUPERDUPERAI_URL is the host at which the site generates its
// files: any other knows none of them. That it does not answer at all is reported
// by other checks.
func (e *checker) files(ctx context.Context, client *superduper.Client) Result {
	sample := e.awaitSample(ctx)
	if sample == nil {
		return Result{}
	}
	state, err := rdb.Open(ctx, cmp.Or(e.StateURL, e.RedisURL))
	if err != nil {
		return Result{}
	}
	defer func() { _ = state.Close() }() // nothing was written
	ledger, unknown := ledger.New(state), 0
	for _, named := range sample.Files {
		job, err := ledger.JobOf(ctx, named.Session)
		if err != nil {
			return Result{}
		}
		if job.ID != "" { // the bot may have generated its file, at whatever host
			continue
		}
		_, err = client.File(ctx, named.FileID)
		switch {
		case err == nil:
			return pass("it knows a file of a recent session")
		case !errors.Is(err, superduper.NotFound) && !errors.Is(err, superduper.Malformed):
			return Result{}
		}
		if unknown++; unknown == maxFiles {
			break
		}
	}
	return judgeFiles(unknown, e.SuperURL)
}

// judgeFiles judges a host that does not know so many files.
func judgeFiles(unknown int, host string) Result {
	if unknown == 0 {
		return pass("no session in the sample has a file made by the site")
	}
	others := without(superHosts, []string{host})
	return fail(fmt.Sprintf("it knows none of the files of recent sessions (checked %d)", unknown),
		"set SUPERDUPERAI_URL to the host the site uses, such as "+strings.Join(others, " or "))
}
