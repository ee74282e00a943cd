// Package doctor checks all that the bot needs of its surroundings: Slack,
// Redis, Stripe, SuperDuperAI and the site. Each check is one line with what was
// seen and the remedy. Nothing is posted, and nothing of the product's is
// written. What is seen is read at the edges, and judged by pure functions.
package doctor

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Level says how a check went.
type Level string

// The levels. What is required and does not hold has failed; a warning is for
// what works, but not as it should.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Failed  Level = "failed"
)

// Result is one check and what came of it.
type Result struct {
	Check  string `json:"check"`
	Level  Level  `json:"result"`
	Seen   string `json:"seen"`
	Remedy string `json:"remedy,omitempty"`
}

func fine(seen string) Result           { return Result{Level: OK, Seen: seen} }
func warn(seen, remedy string) Result   { return Result{Level: Warning, Seen: seen, Remedy: remedy} }
func broken(seen, remedy string) Result { return Result{Level: Failed, Seen: seen, Remedy: remedy} }

// Config is what the bot is going to work with. What is empty is not checked;
// where that is optional, a line says what goes without it.
type Config struct {
	SlackAppToken, SlackBotToken string
	SlackURL                     string   // base of the Web API, "" = Slack's
	Scopes                       []string // the bot scopes of the manifest
	AlertChannel, Oncall         string
	Operators, Readers           []string
	Approvals                    string

	RedisURL, StateURL string // the second is empty where it is the first

	StripeKey, StripeURL string
	SuperToken, SuperURL string
	Models               []string
	SiteURL              string
	Now                  func() time.Time
	Unusable             map[string]bool // variables that are wrong and so cannot be checked
}

const (
	// patience is how long one check may take. What builds on another's answer
	// has to wait for that, twice at most: all is told within ten seconds.
	patience = 4 * time.Second
	// cheapFor bounds the checks that are made at the start.
	cheapFor = 10 * time.Second
)

// check is one line to be, or none where there is nothing to say.
type check struct {
	name string
	run  func(ctx context.Context) Result
}

// exam is one examination.
type exam struct {
	Config
	cheap   bool          // only what the bot does not find out by itself
	sampled chan struct{} // closed when sample is known, or will never be
	sample  *sample
}

// Examine makes all checks side by side. A neighbour that does not answer costs
// its own line, and those that would build on it are not made.
func Examine(ctx context.Context, c Config) []Result { return examine(ctx, c, false) }

// ExamineCheaply makes the checks that cost little and that the bot does not
// make by itself when it connects: what it may not do in Slack and Redis.
func ExamineCheaply(ctx context.Context, c Config) []Result {
	ctx, cancel := context.WithTimeout(ctx, cheapFor)
	defer cancel()
	return examine(ctx, c, true)
}

func examine(ctx context.Context, c Config, cheap bool) []Result {
	e := &exam{Config: c, cheap: cheap, sampled: make(chan struct{})}
	neighbours := []func(context.Context) []Result{e.slack, e.product, e.state}
	if !cheap {
		neighbours = append(neighbours, e.stripe, e.superduper, e.site)
	}
	parts := make([][]Result, len(neighbours))
	var wg sync.WaitGroup
	for i, neighbour := range neighbours {
		wg.Go(func() { parts[i] = neighbour(ctx) })
	}
	wg.Wait()
	var all []Result
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

// sideBySide makes checks at the same time, each with its own deadline.
func sideBySide(ctx context.Context, checks ...check) []Result {
	results := make([]Result, len(checks))
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			results[i] = c.run(ctx)
			results[i].Check = c.name
			results[i].Seen, results[i].Remedy = clean(results[i].Seen), clean(results[i].Remedy)
		})
	}
	wg.Wait()
	return slices.DeleteFunc(results, func(r Result) bool { return r.Level == "" })
}
