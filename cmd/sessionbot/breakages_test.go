package main

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/superduperai/sessionbot"
	"github.com/superduperai/sessionbot/internal/demo"
	"github.com/superduperai/sessionbot/internal/redistest"
	"github.com/superduperai/sessionbot/internal/workspace"
)

// breakage is one fault of the environment.
type breakage struct {
	name    string
	code    int
	breakIt func(*doctorStage)
}

// with is a breakage of variables alone.
func with(pairs ...string) func(*doctorStage) {
	return func(c *doctorStage) {
		for pair := range slices.Chunk(pairs, 2) {
			c.env[pair[0]] = pair[1]
		}
	}
}

// The first breakage is none.
var breakages = slices.Concat([]breakage{{"all is well", 0, func(*doctorStage) {}}},
	brokenVariables, brokenSlack, behindProxies, brokenRedis, brokenTLS, brokenServices)

var brokenVariables = []breakage{
	{"no variable is set", 2, func(c *doctorStage) {
		c.env = map[string]string{"SITE_URL": c.env["SITE_URL"], "SSL_CERT_FILE": c.env["SSL_CERT_FILE"]}
	}},
	{"the two tokens are swapped", 2, func(c *doctorStage) {
		c.env["SLACK_APP_TOKEN"], c.env["SLACK_BOT_TOKEN"] = c.env["SLACK_BOT_TOKEN"], c.env["SLACK_APP_TOKEN"]
	}},
	{"several variables are wrong, and the rest is checked", 2, with("ALERT_CHANNEL", "#alerts", "OPERATORS", "lea", "STRIPE_SECRET_KEY", "pk_live_MARKED",
		"SUPERDUPERAI_URL", "https://dev-editor.superduperai.co/api", "SWEEP_INTERVAL", "soon")},
	{"a secret is set twice", 2, func(c *doctorStage) { c.env["SLACK_BOT_TOKEN_FILE"] = c.file("xoxb-other") }},
	{"the file of a secret is missing", 2, func(c *doctorStage) {
		delete(c.env, "STRIPE_SECRET_KEY")
		c.env["STRIPE_SECRET_KEY_FILE"] = "/nowhere/stripe"
	}},
	{"the file of a secret is empty", 2, func(c *doctorStage) {
		delete(c.env, "SLACK_BOT_TOKEN")
		c.env["SLACK_BOT_TOKEN_FILE"] = c.file("\n")
	}},
	{"all secrets come from files", 0, func(c *doctorStage) {
		for _, variable := range []string{"SLACK_APP_TOKEN", "SLACK_BOT_TOKEN", "REDIS_URL", "STRIPE_SECRET_KEY", "SUPERDUPERAI_TOKEN"} {
			c.env[variable+"_FILE"] = c.file(c.env[variable] + "\n")
			c.env[variable] = ""
		}
	}},
}

var brokenSlack = []breakage{
	{"the bot token was revoked", 1, func(c *doctorStage) {
		c.fault(workspace.Fault{Kind: workspace.Refuse, Method: "auth.test", Error: "token_revoked"})
	}},
	{"the bot token is another workspace's", 1, with("SLACK_BOT_TOKEN", "xoxb-MARKED-of-another-workspace")},
	{"the app-level token lacks its scope", 1, func(c *doctorStage) {
		c.fault(workspace.Fault{Kind: workspace.Refuse, Method: "apps.connections.open", Error: "missing_scope"})
	}},
	{"Socket Mode is off", 1, func(c *doctorStage) { c.without("socket_mode_enabled: true") }},
	{"a scope is missing that is needed", 1, func(c *doctorStage) { c.without("- chat:write") }},
	{"scopes are missing that are good to have", 0, func(c *doctorStage) { c.without("- channels:history", "- groups:history") }},
	{"the app may do more than it needs", 0, func(c *doctorStage) { c.slack(workspace.Config{}) }},
	{"no alert channel is set", 0, with("ALERT_CHANNEL", "")},
	{"the alert channel does not exist", 1, with("ALERT_CHANNEL", "C0NOWHERE")},
	{"the alert channel is private, and the bot outside", 1, with("ALERT_CHANNEL", "C0LEADS")},
	{"the alert channel is archived", 1, with("ALERT_CHANNEL", "C0ARCHIVE")},
	{"the bot is not in the alert channel yet", 0, with("ALERT_CHANNEL", "C0RANDOM")},
	{"the bot may not join the alert channel", 1, func(c *doctorStage) {
		c.without("- channels:join")
		c.env["ALERT_CHANNEL"] = "C0RANDOM"
	}},
	{"nobody may approve", 0, with("OPERATORS", "")},
	{"an operator is unknown", 1, with("OPERATORS", "U0LEAD,U0LEFT")},
	{"the operators' group is unknown", 1, with("OPERATORS", "S0LEFT")},
	{"the only operator is a guest", 1, with("OPERATORS", "U0GUEST")},
	{"one of the operators is a guest", 0, with("OPERATORS", "U0LEAD,U0GUEST")},
	{"the second operator is missing", 1, with("OPERATORS", "U0LEAD", "APPROVALS", "all")},
	{"groups need a paid plan", 1, func(c *doctorStage) {
		c.fault(workspace.Fault{Kind: workspace.Refuse, Method: "usergroups.users.list", Error: "plan_upgrade_required"})
	}},
	{"a reader is unknown", 1, with("READERS", "U0SUPPORT,U0LEFT")},
	{"the one on call is unknown", 1, with("ONCALL_MENTION", "U0LEFT")},
	{"whom to call if nobody answers is unknown", 1, with("ESCALATE_MENTION", "U0LEFT")},
	{"Slack's clock is ahead", 1, func(c *doctorStage) {
		c.slack(workspace.Config{Manifest: sessionbot.Manifest, Now: func() time.Time { return time.Now().Add(6 * time.Minute) }})
	}},
	{"Slack does not answer", 1, func(c *doctorStage) {
		c.env[impatience] = "1"
		c.fault(workspace.Fault{Kind: workspace.Slow, Seconds: 600})
	}},
	{"Slack has a fault of its own", 1, func(c *doctorStage) { c.fault(workspace.Fault{Kind: workspace.ServerError}) }},
	{"Slack asks for a pause", 1, func(c *doctorStage) {
		c.fault(workspace.Fault{Kind: workspace.RateLimit, Method: "users.info", Seconds: 600})
		c.fault(workspace.Fault{Kind: workspace.Refuse, Method: "conversations.info", Error: "internal_error"})
	}},
}

var brokenRedis = []breakage{
	{"nobody listens at Redis' address", 1, func(c *doctorStage) { c.redis.Kill(c.t) }},
	{"Redis is frozen", 1, func(c *doctorStage) { c.redis.Freeze(c.t) }},
	{"the password of Redis is wrong", 1, func(c *doctorStage) {
		c.env["REDIS_URL"] = "redis://sessionbot:MARKEDwrong@" + c.redis.Addr()
	}},
	{"the user of Redis may do too little", 1, func(c *doctorStage) {
		few := slices.DeleteFunc(slices.Concat(aclRules(c.t, aclProduct), aclRules(c.t, aclState)), func(rule string) bool {
			return slices.Contains([]string{"+hset", "+eval", "+scan", "+psubscribe", "+time", "(%W~prompt:* %W~webhook:* %W~session:* +set)"}, rule)
		})
		c.admit(c.redis, append(few, "(%W~session:* +set)")...)
	}},
	{"Redis does not have all commands", 1, func(c *doctorStage) {
		c.env["REDIS_URL"] = redistest.Start(c.t, "--rename-command", "WATCH", "", "--rename-command", "STRLEN", "", "--rename-command", "DBSIZE", "").URL()
	}},
	{"Redis does not have EVAL", 1, func(c *doctorStage) {
		c.env["REDIS_URL"] = redistest.Start(c.t, "--rename-command", "EVAL", "", "--rename-command", "EVALSHA", "", "--rename-command", "EVAL_RO", "").URL()
	}},
	{"Redis does not have INFO", 0, func(c *doctorStage) { c.env["REDIS_URL"] = redistest.Start(c.t, "--rename-command", "INFO", "").URL() }},
	{"Redis accepts no more clients", 1, func(c *doctorStage) { c.env["REDIS_URL"] = redistest.Start(c.t, "--maxclients", "1").URL() }},
	{"Redis has no such database", 1, func(c *doctorStage) { c.env["REDIS_URL"] = redistest.Start(c.t).URL() + "/99" }},
	{"the Sentinel knows no such master", 1, func(c *doctorStage) {
		c.env["REDIS_URL"] = redistest.StartSentinel(c.t).Watch.URL() + "?master_name=another"
	}},
	{"a Sentinel's master is requested from a plain Redis", 1, func(c *doctorStage) { c.env["REDIS_URL"] = redistest.Start(c.t).URL() + "?master_name=main" }},
	{"a Sentinel in place of Redis", 1, func(c *doctorStage) { c.env["REDIS_URL"] = redistest.StartSentinel(c.t).Watch.URL() }},
	{"the cluster announces what nobody reaches", 1, func(c *doctorStage) {
		cluster := redistest.StartCluster(c.t)
		for _, node := range cluster.Nodes {
			c.set(node, "cluster-announce-port", "1")
		}
		c.env["REDIS_URL"] = cluster.Nodes[0].URL()
	}},
	{"the URL of Redis stands in quotes", 2, func(c *doctorStage) { c.env["REDIS_URL"] = `"` + c.env["REDIS_URL"] + `"` }},
	{"the user of Redis may do too much", 0, func(c *doctorStage) { c.env["REDIS_URL"] = c.redis.URL() }},
	{"Redis is a replica", 1, func(c *doctorStage) {
		replica := redistest.StartReplica(c.t, c.redis)
		c.admit(replica, slices.Concat(aclRules(c.t, aclProduct), aclRules(c.t, aclState))...)
		c.notify(replica, "KA")
	}},
	{"Redis' memory is full", 1, func(c *doctorStage) { c.set(c.redis, "maxmemory", "1mb") }},
	{"Redis may throw sessions away", 0, func(c *doctorStage) {
		c.set(c.redis, "maxmemory-policy", "volatile-lru")
		c.set(c.redis, "maxmemory", "200mb")
	}},
	{"the database is another one", 0, func(c *doctorStage) {
		rules := slices.Concat(aclRules(c.t, aclProduct), aclRules(c.t, aclState), []string{"+select"})
		for n := range rules {
			rules[n] = strings.ReplaceAll(rules[n], "@0__", "@3__")
		}
		c.admit(c.redis, rules...)
		c.env["REDIS_URL"] += "/3"
	}},
	{"Redis is behind a Sentinel", 0, func(c *doctorStage) {
		sentinel := redistest.StartSentinel(c.t)
		redistest.StartReplica(c.t, sentinel.Master)
		c.client = sentinel.Master.Client()
		c.seed(func(id string) bool { return strings.HasPrefix(id, "cs_live_") })
		c.env["REDIS_URL"] = sentinel.URL()
	}},
	{"no replica follows the master behind a Sentinel", 1, func(c *doctorStage) { c.env["STATE_REDIS_URL"] = redistest.StartSentinel(c.t).URL() }},
	{"Redis is a cluster", 0, func(c *doctorStage) {
		cluster := redistest.StartCluster(c.t)
		for _, node := range cluster.Nodes {
			c.admit(node, slices.Concat(aclRules(c.t, aclProduct), aclRules(c.t, aclState), aclRules(c.t, aclCluster))...)
		}
		c.client = cluster.Client()
		c.seed(func(id string) bool { return strings.HasPrefix(id, "cs_live_") })
	}},
	{"a database number on a cluster", 1, func(c *doctorStage) { c.env["REDIS_URL"] = redistest.StartCluster(c.t).Nodes[0].URL() + "/2" }},
	{"the bot's own Redis is away", 1, func(c *doctorStage) {
		other := redistest.Start(c.t)
		c.env["STATE_REDIS_URL"] = other.URL()
		other.Kill(c.t)
	}},
	{"the bot's own Redis is another", 0, func(c *doctorStage) {
		product := c.env["REDIS_URL"]
		other := redistest.Start(c.t)
		c.admit(other, aclRules(c.t, aclState)...)
		c.env["STATE_REDIS_URL"], c.env["REDIS_URL"] = c.env["REDIS_URL"], product
		c.admit(c.redis, aclRules(c.t, aclProduct)...)
	}},
}

var brokenServices = []breakage{
	{"there is no Stripe key", 0, with("STRIPE_SECRET_KEY", "")},
	{"a full secret key", 0, with("STRIPE_SECRET_KEY", "sk_live_MARKEDsecretMARKED")},
	{"the Stripe key is not accepted", 1, func(c *doctorStage) {
		c.stripe.Break(demo.Fault{Status: 401, Body: `{"error":{"message":"Invalid API Key"}}`})
	}},
	{"the Stripe key may not read all", 1, func(c *doctorStage) {
		c.stripe.BreakFor("charges", demo.Fault{Status: 403, Body: `{"error":{"message":"rk MARKED"}}`})
		c.stripe.BreakFor("events", demo.Fault{Status: 403})
	}},
	{"Stripe's clock is ahead: this machine's is behind", 1, func(c *doctorStage) {
		c.serveTLS("STRIPE_API_URL", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(6*time.Minute).UTC().Format(http.TimeFormat))
			c.stripe.ServeHTTP(w, r)
		}))
	}},
	{"Stripe does not answer", 1, func(c *doctorStage) { c.stripe.Break(demo.Fault{Hang: true}) }},
	{"the Stripe key is of the other mode", 1, with("STRIPE_SECRET_KEY", "rk_test_MARKEDsecretMARKED")},
	{"some sessions are of the other mode", 0, func(c *doctorStage) {
		c.seed(func(id string) bool { return strings.HasPrefix(id, "cs_test_") })
	}},
	{"there is no token of SuperDuperAI", 0, with("SUPERDUPERAI_TOKEN", "")},
	{"SuperDuperAI does not accept the token", 1, func(c *doctorStage) {
		c.files.BreakFor("00000000-0000-4000-8000-000000000000", demo.Fault{Status: 401, Body: `{"detail":"MARKED"}`})
	}},
	{"SuperDuperAI is another host than the site's", 1, func(c *doctorStage) {
		c.serveTLS("SUPERDUPERAI_URL", demo.NewSuperDuper(time.Now, time.Minute))
	}},
	{"the certificate is for another host", 1, func(c *doctorStage) {
		c.env["SUPERDUPERAI_URL"] = strings.Replace(c.env["SUPERDUPERAI_URL"], "127.0.0.1", "localhost", 1)
	}},
	{"the certificates are not trusted", 1, func(c *doctorStage) { delete(c.env, "SSL_CERT_FILE") }},
	{"a model does not exist", 1, with("SUPERDUPERAI_MODEL", "google-cloud/veo9")},
	{"the list of models is rubbish", 0, func(c *doctorStage) { c.files.BreakFor("generation-config", demo.Fault{Status: 200, Body: "<html>"}) }},
	{"SuperDuperAI hangs up", 1, func(c *doctorStage) { c.files.Break(demo.Fault{Cut: true}) }},
	{"the site is broken", 0, func(c *doctorStage) { c.site.Break(demo.Fault{Status: 500, Body: "MARKED"}) }},
	{"all services hang at once", 1, func(c *doctorStage) {
		c.env[impatience] = "1"
		c.fault(workspace.Fault{Kind: workspace.Slow, Seconds: 600})
		c.redis.Freeze(c.t)
		c.stripe.Break(demo.Fault{Hang: true})
		c.files.Break(demo.Fault{Hang: true})
		c.site.Break(demo.Fault{Hang: true})
	}},
}
