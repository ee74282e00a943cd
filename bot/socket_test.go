package bot

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

func TestSilentConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first, second := s.both()
		time.Sleep(time.Hour) // PINGs alone keep a connection
		s.quiet()
		synctest.Wait()
		second.types(t, "e1", "x")
		s.answered(second, "e1", "x")
		second.silent.Store(true)
		silent := time.Now()
		third := s.connected()
		if took := time.Since(silent); took > deadlines.Silence {
			t.Errorf("the silence was noticed after %v", took)
		}
		<-second.gone
		synctest.Wait()
		if !first.isUp() || !third.isUp() || s.gauge.least.Load() != 1 || s.gauge.now.Load() != 2 {
			t.Errorf("%d connections are up, %d at least", s.gauge.now.Load(), s.gauge.least.Load())
		}
		if !strings.Contains(s.log.String(), "the connection was half open") {
			t.Errorf("the log does not say why: %s", s.log)
		}
	})
}

func TestSilenceCountsFromTheLastFrame(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first, second := s.both()
		first.silent.Store(true)
		second.silent.Store(true)
		var last time.Time
		for i := range 20 {
			for _, l := range []*line{first, second} {
				id := fmt.Sprint(l == first, i)
				l.types(t, id, id)
				s.answered(l, id, id)
			}
			last = time.Now()
			time.Sleep(deadlines.Silence - time.Second)
			s.quiet()
		}
		s.connected()
		s.connected()
		if took := time.Since(last); took != deadlines.Silence {
			t.Errorf("the silence was noticed after %v", took)
		}
	})
}

func TestConnectionWithoutAHelloIsGivenUp(t *testing.T) {
	t.Parallel()
	inBubble(t, func(s *bubble) { s.hello = false }, func(s *bubble) {
		first := s.connected()
		made := time.Now()
		<-first.gone
		if took := time.Since(made); took != deadlines.Hello || s.bot.Connected() {
			t.Errorf("given up after %v; connected: %v", took, s.bot.Connected())
		}
		s.connected()
	})
}

func TestDuplicateEnvelopesAreDropped(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first, second := s.both()
		first.types(t, "e1", "x")
		s.answered(first, "e1", "x")
		for _, l := range []*line{first, second} {
			l.types(t, "e1", "x")
			if got := within(t, time.Second, "ack", l.acks); got != "e1" {
				t.Errorf("acked %s", got)
			}
		}
		s.quiet()
		time.Sleep(9 * time.Minute)
		second.types(t, "e1", "x")
		within(t, time.Second, "ack", second.acks)
		s.quiet()
		time.Sleep(21 * time.Minute)
		second.types(t, "e1", "x")
		s.answered(second, "e1", "x") // a new one, as far as anybody can tell
	})
}

func TestNoFrameEndsTheConnection(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first, _ := s.both()
		for _, frame := range []string{
			"", " ", "null", "7", `"text"`, "[]", "{", "{}", "\x00", "\xff\xfe", `{"type":null}`, `{"type":["hello"]}`,
			`{"type":"hello","num_connections":"many"}`, `{"type":"hello"}`, `{"type":"disconnect","reason":7}`,
			`{"type":"slash_commands"}`, `{"type":"slash_commands","payload":null}`, `{"type":"interactive","payload":[]}`,
			`{"type":"interactive","payload":{"type":"block_actions","actions":[null]}}`,
			`{"type":"interactive","payload":{"type":"block_actions","actions":[{}],"message":{"blocks":[{"type":"actions","elements":[{"type":7}]}]}}}`,
			`{"type":"events_api","payload":{"event":{"type":"message","blocks":7}}}`,
			strings.Repeat("[", 20_000), `{"payload":` + strings.Repeat(`{"a":`, 5_000),
			`{"type":"slash_commands","payload":{"text":"` + strings.Repeat("x", 1<<20-100) + `"}}`,
		} {
			first.send(t, frame)
		}
		first.types(t, "e1", "x")
		s.answered(first, "e1", "x")
		if strings.Contains(s.log.String(), "panic") {
			t.Errorf("log: %s", s.log)
		}
		s.quiet()
	})
}

// Whatever a frame holds, what people type and where they are answered is not
// logged, and neither is what cannot be read.
func TestNothingOfAFrameIsLogged(t *testing.T) {
	t.Parallel()
	const mark = "canary7"
	inBubble(t, nil, func(s *bubble) {
		first, second := s.both()
		for i, frame := range []string{
			mark, `{"` + mark, `{"type":"` + mark + `","envelope_id":"e"}`, `{"type":"hello","num_connections":"` + mark + `"}`,
			`{"type":"slash_commands","envelope_id":"e","payload":{"user_id":"U1","channel_id":"C1","command":"/` + mark + `","text":"` + mark + `","response_url":"http://slack.test/response?` + mark + `"}}`,
			`{"type":"slash_commands","envelope_id":"e","payload":{"user_id":"U1","channel_id":"C1","text":"` + mark + `","response_url":"http://` + mark + `.test/%zz"}}`,
			`{"type":"slash_commands","envelope_id":"e","payload":{"user_id":["` + mark + `"],"response_url":"http://` + mark + `"}}`,
			`{"type":"interactive","envelope_id":"e","payload":{"type":"` + mark + `","user":{"id":"U1","name":"` + mark + `"}}}`,
			`{"type":"interactive","envelope_id":"e","payload":{"type":"block_actions","user":{"id":"U1"},"channel":{"id":"C1"},"actions":[{"action_id":"` + mark + `","value":"` + mark + `"}]}}`,
			`{"type":"events_api","envelope_id":"e","payload":{"event":{"type":"message","text":"` + mark + `"}}}`,
			`{"type":"disconnect","reason":"` + mark + `"}`,
		} {
			second.send(t, strings.ReplaceAll(frame, `"envelope_id":"e"`, fmt.Sprintf(`"envelope_id":"e%d"`, i)))
		}
		s.connected() // after the disconnect
		bye := websocket.FormatCloseMessage(websocket.ClosePolicyViolation, mark)
		if err := first.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second)); err != nil {
			t.Error(err)
		}
		s.connected()
		time.Sleep(time.Minute)
		if log := s.log.String(); strings.Contains(log, mark) {
			t.Errorf("the log holds it: %s", log)
		}
		for len(s.answers) > 0 {
			<-s.answers // their answers are not checked
		}
	})
}

func TestOverlongCommandIsRefused(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first, _ := s.both()
		first.types(t, "e1", strings.Repeat("x", maxText))
		s.answered(first, "e1", "x")
		first.types(t, "e2", strings.Repeat("x", maxText+1))
		if got := within(t, time.Second, "answer", s.answers); !strings.Contains(got, "too long") || len(got) > 1000 {
			t.Errorf("answered %.200s", got)
		}
	})
}

func TestOversizedFrameEndsItsConnectionAlone(t *testing.T) {
	t.Parallel()
	inBubble(t, nil, func(s *bubble) {
		first, second := s.both()
		_ = first.WriteMessage(1, []byte(`{"text":"`+strings.Repeat("x", 1<<20)+`"}`)) // the bot ends it
		third := s.connected()
		for i, l := range []*line{second, third} {
			id := fmt.Sprint("e", i)
			l.types(t, id, id)
			s.answered(l, id, id)
		}
	})
}

func TestUnknownConnectionsAreLoggedOnce(t *testing.T) {
	t.Parallel()
	counts := map[int]int{1: 1, 2: 2, 3: 4, 4: 5, 5: 2, 6: 4}
	const words = "unknown connections of this app"
	inBubble(t, func(s *bubble) { s.counted = func(n int) int { return counts[n] } }, func(s *bubble) {
		expectWarnings := func(want int) {
			t.Helper()
			synctest.Wait()
			if n := strings.Count(s.log.String(), words); n != want {
				t.Errorf("warned %d times, want %d; log: %s", n, want, s.log)
			}
		}
		line, _ := s.both()
		for n := 3; n <= 6; n++ {
			expectWarnings(map[int]int{3: 0, 4: 1, 5: 1, 6: 1}[n])
			time.Sleep(time.Minute)
			_ = line.Close()
			line = s.connected()
		}
		expectWarnings(2)
	})
}
