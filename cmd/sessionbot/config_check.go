package main

import (
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot/store/diagnosis"
	"github.com/superduperai/sessionbot/store/rdb"
)

// configError lists the variables that are wrong, with the remedy for each.
type configError []configFault

type configFault struct{ variable, fault, remedy string }

func (f configFault) String() string { return f.variable + " " + f.fault + ": " + f.remedy + "." }

func (e configError) Error() string {
	lines := make([]string, len(e))
	for i, f := range e {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// add appends a fault, unless the file of the secret is known to be wrong.
func (e *configError) add(variable, fault, remedy string) {
	if !slices.ContainsFunc(*e, func(f configFault) bool { return f.variable == variable+"_FILE" }) {
		*e = append(*e, configFault{variable, fault, remedy})
	}
}

func (e *configError) check(ok bool, variable, fault, remedy string) {
	if !ok {
		e.add(variable, fault, remedy)
	}
}

// checkSecret checks a secret that is set. No fault quotes it.
func (e *configError) checkSecret(variable, secret string, pattern *regexp.Regexp, fault, remedy string) {
	if stray, cure := strayIn(secret); stray != "" {
		e.add(variable, stray, cure)
		return
	}
	e.check(secret == "" || pattern.MatchString(secret), variable, fault, remedy)
}

// checkURL checks a URL that receives a token: it is encrypted, unless it stays on
// this machine.
func (e *configError) checkURL(variable, value string) {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		e.add(variable, "is not a URL", "write it like https://host")
	case u.User != nil:
		e.add(variable, "carries a user name", "write it without one")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		e.add(variable, "is not encrypted", "use https; plain http is for loopback addresses only")
	}
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func parseRemedy(typeName string) string {
	if typeName == "time.Duration" {
		return "write a number with its unit, such as 90s or 10m"
	}
	return "see the table of variables"
}

var (
	stripeKeyPattern = regexp.MustCompile(`^[rs]k_[!-~]+$`)
	webhookPattern   = regexp.MustCompile(`^whsec_[!-~]+$`)
	headerPattern    = regexp.MustCompile(`^[!-~]+$`)        // what fits into a header
	metadataPattern  = regexp.MustCompile(`^[^\[\]]{1,40}$`) // what Stripe takes as a member's name
	personPattern    = regexp.MustCompile(`^[UWS][A-Z0-9]{2,}$`)
	channelPattern   = regexp.MustCompile(`^[CG][A-Z0-9]{2,}$`)
)

func (c *config) checkSlack(faults *configError) {
	for _, t := range []struct{ variable, value, prefix, remedy string }{
		{"SLACK_APP_TOKEN", c.SlackAppToken, "xapp-", "create an app-level token with connections:write under Basic Information"},
		{"SLACK_BOT_TOKEN", c.SlackBotToken, "xoxb-", "install the app and copy the bot token from OAuth & Permissions"},
	} {
		faults.check(t.value != "", t.variable, "is missing", t.remedy)
		faults.checkSecret(t.variable, t.value, regexp.MustCompile("^"+t.prefix+"[!-~]*$"), "does not look like one (they start with "+t.prefix+otherToken(t.value)+")", t.remedy)
	}
	if c.SlackAPIURL != "" {
		faults.check(strings.HasSuffix(c.SlackAPIURL, "/"), "SLACK_API_URL", "does not end in a slash", "write it like https://slack.example/api/")
		faults.checkURL("SLACK_API_URL", c.SlackAPIURL)
	}
}

// otherToken names the kind of a Slack token that is in the wrong place.
func otherToken(token string) string {
	for prefix, kind := range map[string]string{
		"xoxb-": "; this is a bot token, for SLACK_BOT_TOKEN", "xapp-": "; this is an app-level token, for SLACK_APP_TOKEN",
		"xoxp-": "; this is a person's token", "xoxe": "; this is a token that rotates",
	} {
		if strings.HasPrefix(token, prefix) {
			return kind
		}
	}
	return ""
}

func (c *config) checkRedis(faults *configError) {
	const remedy = "write it like redis://user:password@host:6379/0, several nodes of a cluster as ?addr=host:port"
	faults.check(c.RedisURL != "", "REDIS_URL", "is missing", remedy)
	for variable, value := range map[string]string{"REDIS_URL": c.RedisURL, "STATE_REDIS_URL": c.StateRedisURL} {
		if value == "" {
			continue
		}
		if err := rdb.CheckURL(value); err != nil {
			faults.add(variable, "is not usable ("+err.Error()+")", remedy)
		}
	}
}

func (c *config) checkServices(faults *configError) {
	faults.checkSecret("STRIPE_SECRET_KEY", c.StripeKey, stripeKeyPattern, "does not look like one (they start with rk_ or sk_)",
		"create a restricted key with read access in Stripe's dashboard under Developers, API keys")
	faults.checkSecret("STRIPE_WEBHOOK_SECRET", c.WebhookSecret, webhookPattern, "does not look like one (they start with whsec_)",
		"copy the signing secret of the site's endpoint from Stripe's dashboard under Developers, Webhooks")
	faults.checkSecret("SUPERDUPERAI_TOKEN", c.SuperDuperToken, headerPattern, "cannot be one: it contains a character no token has",
		"copy it again from the SuperDuperAI editor")
	trim(c.ProductMetadata)
	if slices.ContainsFunc(c.ProductMetadata, func(member string) bool { return !metadataPattern.MatchString(member) }) {
		faults.add("STRIPE_PRODUCT_METADATA", "lists a name that metadata cannot have",
			"write names of at most 40 characters with commas between them, such as video_count,tool; empty counts every session of mode payment")
	}
	if c.WebhookURL != c.SiteURL+webhookPath { // else SITE_URL is to blame
		faults.checkURL("SITE_WEBHOOK_URL", c.WebhookURL)
	}
	for variable, value := range map[string]string{
		"STRIPE_API_URL": c.StripeAPIURL, "SUPERDUPERAI_URL": c.SuperDuperURL, "SITE_URL": c.SiteURL,
	} {
		faults.checkURL(variable, value)
		if u, err := url.Parse(value); err == nil && (u.Path != "" || u.RawQuery != "") {
			faults.add(variable, "carries a path", "write only the origin, without a trailing slash, such as https://"+u.Host)
		}
	}
}

func (c *config) checkRunbook(faults *configError) {
	faults.checkURL("RUNBOOK_URL", c.RunbookURL)
	faults.check(!strings.Contains(c.RunbookURL, "#"), "RUNBOOK_URL", "names a section", "write the address without #: the section is appended")
}

func trim(words []string) {
	for i, word := range words {
		words[i] = strings.TrimSpace(word)
	}
}

func (c *config) checkPeople(faults *configError) {
	faults.check(len(c.Readers) > 0, "READERS", "is empty, so nobody could use the bot", "list ids with commas between them, or write * for every full member of the workspace")
	for variable, ids := range map[string][]string{"READERS": c.Readers, "OPERATORS": c.Operators} {
		trim(ids)
		for _, id := range ids {
			faults.check(id == "*" || personPattern.MatchString(id), variable, "lists something that is neither a user id (U…) nor a group id (S…)",
				"list ids with commas between them, or write * for every full member of the workspace")
		}
	}
	faults.check(c.AlertChannel == "" || channelPattern.MatchString(c.AlertChannel), "ALERT_CHANNEL", "is not a channel id",
		"copy the id (C…) from the bottom of the channel's details")
	for variable, id := range map[string]string{"ONCALL_MENTION": c.OncallMention, "ESCALATE_MENTION": c.EscalateMention} {
		faults.check(id == "" || personPattern.MatchString(id), variable, "is neither a user id nor a group id", "copy the id (U… or S…) from the profile or the group")
	}
}

func (c *config) checkValues(faults *configError) {
	for _, verdict := range c.AlertOn {
		faults.check(slices.Contains(diagnosis.Verdicts, diagnosis.Verdict(verdict)), "ALERT_ON", "names a verdict that does not exist",
			"write verdicts with commas between them, such as orphaned,stalled")
	}
	for variable, value := range map[string]time.Duration{
		"CONFIRM_TTL": c.ConfirmTTL, "ORPHAN_GRACE": c.OrphanGrace,
		"STALL_AFTER": c.StallAfter, "SWEEP_INTERVAL": c.SweepInterval, "GIVE_UP_AFTER": c.GiveUpAfter,
	} {
		faults.check(value > 0, variable, "is not above zero", parseRemedy("time.Duration"))
	}
	faults.check(c.BulkLimit > 0 && c.BulkLimit <= 500, "BULK_LIMIT", "is not from 1 to 500", "write how many sessions one bulk plan may repair, such as 50")
	faults.check(c.BulkParallel > 0 && c.BulkParallel <= 20, "BULK_PARALLEL", "is not from 1 to 20", "write how many sessions are repaired at the same time, such as 3")
	const unknown = "is unknown"
	faults.check(slices.Contains([]string{"none", "generate", "all"}, c.Approvals), "APPROVALS", unknown, "write none, generate or all")
	faults.check(slices.Contains([]string{"auto", "one-key", "three-key"}, c.SiteLayout), "SITE_LAYOUT", unknown, "write auto, one-key or three-key")
	faults.check(new(slog.Level).UnmarshalText([]byte(c.LogLevel)) == nil, "LOG_LEVEL", unknown, "write debug, info, warn or error")
	faults.check(slices.Contains([]string{"json", "text"}, c.LogFormat), "LOG_FORMAT", unknown, "write json or text")
	const addrRemedy = "write it like 127.0.0.1:8080; empty switches it off"
	_, _, err := net.SplitHostPort(c.HTTPAddr)
	faults.check(c.HTTPAddr == "" || err == nil, "HTTP_ADDR", "is not an address", addrRemedy)
	host, _, err := net.SplitHostPort(c.PprofAddr)
	faults.check(c.PprofAddr == "" || err == nil && isLoopback(host), "PPROF_ADDR", "is not a loopback address", addrRemedy)
}
