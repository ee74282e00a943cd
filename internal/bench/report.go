package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// row is one line of the report.
type row struct{ what, floor, peer, ours, ratio, reach string }

type rows []row

// report is what was measured. It reads the same each time but for the figures.
type report struct {
	sessions int
	rows
	growth rows
	notes  []string
}

func (r *rows) add(what, floor, peer, ours, ratio, reach string) {
	*r = append(*r, row{what, floor, peer, ours, ratio, reach})
	fmt.Printf("%-46s floor %-9s peer %-9s ours %-12s %-8s to reach: %s\n", what, floor, peer, ours, ratio, reach)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}
func times(a, b time.Duration) string { return fmt.Sprintf("%.2f ×", a.Seconds()/b.Seconds()) }

func (r *report) write(path, on string) error {
	var b strings.Builder
	b.WriteString("# Performance\n\nWritten by `make bench`")
	fmt.Fprintf(&b, " on %s, against redis-servers of its own with %s sessions in the layout named, 97 of 100 completed.\n", on, grouped(r.sessions))
	b.WriteString(explained)
	table := func(rows rows) {
		b.WriteString("\n| what | floor | peer | ours | ratio | to reach |\n|---|---|---|---|---|---|\n")
		for _, l := range rows {
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s |\n", l.what, l.floor, l.peer, l.ours, l.ratio, l.reach)
		}
	}
	table(r.rows)
	b.WriteString("\n## How it grows\n")
	table(r.growth)
	if len(r.notes) > 0 {
		b.WriteString("\n")
		for _, note := range r.notes {
			b.WriteString("- " + note + "\n")
		}
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

func grouped(n int) string {
	text := fmt.Sprint(n)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + " " + text[at:]
	}
	return text
}

const explained = `
The floor is a bare loop of SCAN over the prompts (in the one-key layout: over
` + "`session:*`" + `), with COUNT 1000 or 3000, whichever was quicker in a first run that does
not count, by the same Redis client; figures are medians, and what is compared was
measured in turn. ` + "`redis-cli --scan`" + ` asks for ten keys at a time, as it does by
itself. Floors and sweeps run on all processors, and without the pacing that the bot
has, which sweeps on one (small pages, one after the other, and rests), but where
others' PING and Redis' own times are told.
What a bot asks of Redis while sessions rest is counted beside all that comes after
its first sweep, on a server of its own.

An answer's time is from a command's typing until the answer has reached the
workspace; what that makes of it is nobody's work here. The peers are bare bots on
slack-go that reply with what the keys hold. Ours asks Redis, in one round trip, and
the site at the same time, and then SuperDuperAI for the file, where Redis names one;
as the peers it is a new process in a new workspace, without alerts, that has given 25
answers before. It runs Go on one processor, which it sets by itself; the peers run it
as it comes.

## How a sweep works
- SCANs overlap: the next one is sent as soon as the cursor of the last is there.
- The first sweep over more than 50 000 keys looks for fresh trouble: it goes by the
  prompts, and asks for nothing but the status of those written within two days. How
  long a key lives still, which tells that, the server asks itself in a script right
  behind each SCAN, while its caches hold the key, and only fresh ones cross the
  wire; a cluster, or a server that runs no such script, shows all. Who says
  ` + "`completed`" + `, or is older, is left to the second sweep, which follows at once and
  reads everything, once; all others are read there and then.
- A session that is completed rests: only a write can change that. Of each that
  rests 12 bytes are kept in a table that is at least four fifths full. Later
  sweeps scan the keys ` + "`prompt:`" + ` and read what does not rest.
- Sessions without a prompt are remembered by their ids, up to 10 000 of them. Where
  there are more, or the one-key layout is in use, all three keys are scanned. Every
  tenth sweep, and the next one after writes may have been missed, scans all keys
  there are: until then a new session without a prompt, or one that lost it, is not
  seen where Redis told nothing of it.
- What rests is believed until Redis tells of a write to it, and read again every
  60th sweep in any case. Fingerprints are of 64 bits from a seed that changes each
  day, with everything that is kept: two sessions that share one do so for a day at
  most.
- A recount from the terminal asks for each value right behind the SCAN that showed
  its key, while the server's caches hold it, and puts sessions together itself. How
  long keys live it asks of one page in sixteen.
- After each page of keys Redis rests for as long as the page took, and for many
  times that when it was slow.
- Where the one-key layout is in use one command asks of a hundred sessions met at
  their ` + "`session:`" + ` whether any has another key; if none has, one key of each is read.
- Of a value larger than 2 kB the server leaves out inlined pictures, by a script
  over that one key; where that is not certain to read the same the whole is read.
- While Redis is proven to tell of every write (a key of ours is written to every
  master each ` + "`SWEEP_INTERVAL`" + `, and its notification has to come) a full sweep comes
  every 30 minutes only. In between each proof counts as the sweep, for ` + "`/readyz`" + ` as
  for ` + "`sessionbot_sweep_last_success_timestamp_seconds`" + `. A connection that broke, a
  proof that fails or a Stripe that is silent brings full sweeps back at once.

## What was measured
`
