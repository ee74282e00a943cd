// Package doctor checks the bot's environment: Slack, Redis, Stripe, SuperDuperAI and
// the site. Each check yields one line with the finding and the remedy. Nothing is
// posted, and no session is written. Pure functions judge what was found.
package doctor

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Level is the result of a check.
type Level string

// The levels. A check of a requirement fails; a warning is for what works, but not as it
// should.
const (
	OK      Level = "ok"
	Warning Level = "warning"
	Failed  Level = "failed"
)

// Result is the result of a check, and why.
type Result struct {
	Check  string `json:"check"`
	Level  Level  `json:"result"`
	Seen   string `json:"seen"`
	Remedy string `json:"remedy,omitempty"`
}

func pass(seen string) Result         { return Result{Level: OK, Seen: seen} }
func warn(seen, remedy string) Result { return Result{Level: Warning, Seen: seen, Remedy: remedy} }
func fail(seen, remedy string) Result { return Result{Level: Failed, Seen: seen, Remedy: remedy} }

// Config is the configuration that the bot will use. What is empty is not
// checked; where it is optional, a line says what is lost without it.
type Config struct {
	SlackAppToken, SlackBotToken string
	SlackURL                     string   // base of the Web API, "" = Slack's
	Scopes                       []string // the bot scopes of the manifest
	AlertChannel                 string
	Oncall, Escalate             string // whom alerts mention
	Operators, Readers           []string
	Approvals                    string

	RedisURL, StateURL string // the second is empty where it is the first

	StripeKey, StripeURL string
	SuperToken, SuperURL string
	Models               []string
	SiteURL              string
	WebhookURL           string // of the site, for Stripe's events
	WebhookSecret        string
	Digest               string // when the digest is posted, "" = it is off
	TracesURL            string // "" = traces are not exported
	// SendTraces exports an empty batch, to see whether traces would be accepted: it returns
	// the status of a refusal, 0 = they would be.
	SendTraces func(ctx context.Context) (status int, err error)
	Now        func() time.Time
	Unusable   map[string]bool // variables that are invalid and so cannot be checked
	Patience   int             // factor of all deadlines, at least 1, for machines that are slow
}

const (
	// checkTimeout bounds one check. A check may wait for two others, so that all
	// of them take ten seconds at most.
	checkTimeout = 4 * time.Second
	// quickTimeout bounds RunQuick.
	quickTimeout = 10 * time.Second
)

func (c Config) within(timeout time.Duration) time.Duration {
	return time.Duration(max(1, c.Patience)) * timeout
}

// check is one check. A result without a level is not shown.
type check struct {
	name string
	run  func(ctx context.Context) Result
}

// known is a check whose result is known without a request.
func known(name string, r Result) check {
	return check{name, func(context.Context) Result { return r }}
}

// checker runs the checks of one configuration.
type checker struct {
	Config
	quick   bool          // only what the bot does not notice by itself
	sampled chan struct{} // closed when sample is set, or never will be
	sample  *sample
}

// Run runs all checks in parallel. A service that does not answer fails one
// check, and those that depend on it are left out.
func Run(ctx context.Context, c Config) []Result { return run(ctx, c, false) }

// RunQuick runs the checks that take little time and that the bot does not make
// by itself when it connects: what it may not do in Slack and Redis.
func RunQuick(ctx context.Context, c Config) []Result {
	ctx, cancel := context.WithTimeout(ctx, c.within(quickTimeout))
	defer cancel()
	return run(ctx, c, true)
}

func run(ctx context.Context, c Config, quick bool) []Result {
	e := &checker{Config: c, quick: quick, sampled: make(chan struct{})}
	services := []func(context.Context) []Result{e.slack, e.product, e.state}
	if !quick {
		services = append(services, e.stripe, e.superduper, e.site, e.webhook, e.traces)
	}
	results := make([][]Result, len(services))
	var wg sync.WaitGroup
	for i, service := range services {
		wg.Go(func() { results[i] = service(ctx) })
	}
	wg.Wait()
	return slices.Concat(results...)
}

// runChecks runs checks in parallel, each with its own deadline.
func (e *checker) runChecks(ctx context.Context, checks ...check) []Result {
	results := make([]Result, len(checks))
	var wg sync.WaitGroup
	for i, c := range checks {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, e.within(checkTimeout))
			defer cancel()
			r := c.run(ctx)
			results[i] = Result{Check: c.name, Level: r.Level, Seen: clean(r.Seen), Remedy: clean(r.Remedy)}
		})
	}
	wg.Wait()
	return slices.DeleteFunc(results, func(r Result) bool { return r.Level == "" })
}

// awaitSample returns the sample of sessions, nil if none could be taken.
func (e *checker) awaitSample(ctx context.Context) *sample {
	select {
	case <-e.sampled:
		return e.sample
	case <-ctx.Done():
		return nil
	}
}
