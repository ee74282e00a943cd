package health_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/superduperai/sessionbot/internal/health"
	"github.com/superduperai/sessionbot/store/rdb"
	"github.com/superduperai/sessionbot/store/stats"
)

// TestAlertRules: every metric and label value of a rule is exported, and every
// rule says what to do.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	m := health.NewMetrics()
	rate := 1.0
	m.Counted(&stats.Rollup{Count: stats.Count{WebhookSuccessRate: &rate, GenerationSuccessRate: &rate}, Server: &rdb.Server{}})
	m.Acked(time.Millisecond)
	m.Answered("session debug", "failed", time.Millisecond)
	m.Answered("", "busy", 0)
	m.Repaired("generate", "failed")
	m.Jobs(0, 0)
	w := httptest.NewRecorder()
	health.Handler(m).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	exported := w.Body.String()
	metric, label := regexp.MustCompile(`sessionbot_\w+`), regexp.MustCompile(`\w+="[^"]+"`)
	raw, err := os.ReadFile("../../deploy/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr         string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(raw, &file); err != nil || len(file.Groups) != 1 || len(file.Groups[0].Rules) == 0 {
		t.Fatalf("%+v, %v", file, err)
	}
	for _, rule := range file.Groups[0].Rules {
		name := rule.Alert
		for _, used := range metric.FindAllString(rule.Expr, -1) {
			if !strings.Contains(exported, "\n"+used+" ") && !strings.Contains(exported, "\n"+used+"{") {
				t.Errorf("%s uses %s, which is not exported", name, used)
			}
		}
		for _, used := range label.FindAllString(rule.Expr, -1) {
			if !strings.Contains(exported, used) {
				t.Errorf("%s uses %s, which is not exported", name, used)
			}
		}
		if want := "docs/operating.md#" + strings.ToLower(name); rule.Annotations["runbook"] != want {
			t.Errorf("%s: its runbook is %s, want %s", name, rule.Annotations["runbook"], want)
		}
		if rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
			t.Errorf("%s does not say how urgent it is, or what is wrong", name)
		}
	}
}
