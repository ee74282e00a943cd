package main

import (
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/superduperai/sessionbot/internal/workspace/wstest"
)

// alertsGoTo is a channel in which nobody types during the soak.
const alertsGoTo = "C0ALERTS"

// somebody is a person in a channel who makes one request after the other.
type somebody struct {
	*soak
	place         wstest.Place
	user, channel string
	rand          *rand.Rand
}

// crowd lets all of them type and click until the time is over. In one of the
// channels the bot is no member.
func (k *soak) crowd(people *sync.WaitGroup, seed uint64) {
	for i, user := range []string{"U0SUPPORT", "U0ONCALL", "U0LEAD"} {
		for j, channel := range []string{"C0SUPPORT", "C0RANDOM"} {
			p := &somebody{soak: k, place: k.workspace.As(user).In(channel), user: user, channel: channel,
				rand: rand.New(rand.NewPCG(seed, uint64(10+2*i+j)))}
			people.Go(p.live)
		}
	}
}

func (p *somebody) live() {
	for p.pause(between(p.rand, 50*time.Millisecond, 400*time.Millisecond)) {
		if p.channel == "C0SUPPORT" && p.rand.IntN(8) == 0 {
			p.repair([]string{"fix", "generate"}[p.rand.IntN(2)])
		} else {
			p.question()
		}
	}
}

// question asks about an unknown session, and presses the buttons of the answer.
func (p *somebody) question() {
	m := p.tally.about(p.user, p.channel)
	going := p.tally.ask(p.t, m, "a command", func() (string, error) { return p.place.Command("/session debug " + m.id) })
	for _, button := range []string{"session.debug", "session.share"} {
		if !going || p.rand.IntN(3) > 0 {
			continue
		}
		p.pause(between(p.rand, 10*time.Millisecond, 200*time.Millisecond))
		if shown := p.tally.lastOf(m); strings.Contains(string(shown.Blocks), button) {
			going = p.tally.ask(p.t, m, "a click on "+button, func() (string, error) { return "", p.place.TryClick(shown, button, "") })
		}
	}
}

// repair plans a repair, approves it, and sees it brought to its end.
func (p *somebody) repair(action string) {
	m := p.tally.about(p.user, p.channel)
	if p.orphan(m.id) != nil {
		return // Redis is frozen
	}
	if !p.tally.ask(p.t, m, "a command", func() (string, error) { return p.place.Command("/session " + action + " " + m.id) }) {
		return
	}
	plan := p.tally.planOf(m)
	if plan.TS == "" {
		return // it could not be made, which was said
	}
	for range 10 {
		if plan = p.tally.planOf(m); !strings.Contains(string(plan.Blocks), `"confirm.approve"`) {
			break
		}
		p.tally.ask(p.t, m, "an approval", func() (string, error) { return "", p.place.TryClick(plan, "confirm.approve", "") })
		p.pause(time.Second) // as who reads the answer before pressing again
	}
	ended := p.tally.until(patience, func() bool { return over(m.inPlan.Text) })
	p.tally.planEnded(p.t, m, action, ended)
}

// over reports whether a plan's message shows its end.
func over(text string) bool {
	for _, end := range []string{"Done: ", "Not done", "Not made by us", "Failed: ", "Unclear: "} {
		if strings.HasPrefix(text, end) {
			return true
		}
	}
	return false
}
