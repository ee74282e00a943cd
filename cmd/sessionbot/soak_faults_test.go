package main

import (
	"math/rand/v2"
	"time"
)

// outages are how long those of Slack's Web API last at most, as long as an
// answer is kept trying for, and the time that it has to arrive in between:
// Slack asks for a pause of a second at least.
func outages() (longest, recovery time.Duration) {
	return timings.bot.OutageRetryDelay, 2*timings.bot.OutageRetryDelay + time.Second
}

// breakSlack lets Slack misbehave, one way after the other.
func (k *soak) breakSlack(r *rand.Rand) {
	longest, recovery := outages()
	for k.pause(between(r, longest/4, longest)) {
		lasts := between(r, longest/8, longest)
		switch kind := []string{"drop_connections", "disconnect_warning", "half_open", "rate_limit", "server_error", "slow"}[r.IntN(6)]; kind {
		case "drop_connections", "disconnect_warning", "half_open":
			k.fault(kind, lasts, "")
		case "slow":
			k.fault(kind, lasts/2, method(r))
			k.pause(lasts)
			k.workspace.Fault("clear", 0, "")
		default:
			k.fault(kind, lasts, method(r))
			k.pause(lasts + recovery)
		}
	}
	k.workspace.Fault("clear", 0, "")
}

// method is one of Slack's, "" = all.
func method(r *rand.Rand) string {
	return []string{"", "response_url", "chat.postMessage", "chat.update", "users.info"}[r.IntN(5)]
}

func (k *soak) fault(kind string, lasts time.Duration, method string) {
	k.faults.add(kind)
	k.workspace.Fault(kind, lasts.Seconds(), method)
}

// breakTheRest ends and starts a replica again, in good order or not, and lets
// Redis stand still.
func (k *soak) breakTheRest(r *rand.Rand) {
	_, recovery := outages()
	for k.pause(between(r, recovery/3, recovery)) {
		switch r.IntN(3) {
		case 0:
			k.faults.add("SIGTERM")
			k.other.stop(k.t)
			k.quiet(k.other.process, prompt)
			k.other.start(k.t)
		case 1:
			k.faults.add("SIGKILL")
			k.other.process.kill()
			k.quiet(k.other.process, prompt)
			k.tally.killed(k.other.process.log.String())
			k.other.start(k.t)
		case 2:
			k.faults.add("frozen Redis")
			k.redis.Freeze(k.t)
			k.pause(between(r, time.Second/5, 2*time.Second))
			k.redis.Thaw(k.t)
		}
	}
}

// pause waits, no longer than the soak goes on, and reports whether it does.
func (k *soak) pause(d time.Duration) bool {
	timer := time.NewTimer(min(d, time.Until(k.until)))
	defer timer.Stop()
	<-timer.C
	return time.Now().Before(k.until)
}

func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)))
}
