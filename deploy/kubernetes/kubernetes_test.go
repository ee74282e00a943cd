// Package kubernetes tests the manifests. It is a module of its own, so that the
// program depends neither on Kubernetes nor on Kustomize.
package kubernetes

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	security "k8s.io/pod-security-admission/api"
	standards "k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write monitoring/prometheusrule.yaml")

const ruleFile = "monitoring/prometheusrule.yaml"

// TestMain writes the rules for the operator before they are rendered.
func TestMain(m *testing.M) {
	flag.Parse()
	if *update {
		rules, err := operatorRules()
		if err == nil {
			err = os.WriteFile(ruleFile, []byte(rules), 0o644)
		}
		if err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// operatorRules are those of alerts.yml, for the Prometheus operator.
func operatorRules() (string, error) {
	raw, err := os.ReadFile("../alerts.yml")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	b.WriteString(`# Generated from deploy/alerts.yml by go test -update in deploy/kubernetes.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: sessionbot
  labels:
    app.kubernetes.io/name: sessionbot
spec:
`)
	for line := range strings.Lines(string(raw)) {
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.TrimSpace(line) == "":
			b.WriteString(line)
		default:
			b.WriteString("  " + line)
		}
	}
	return b.String(), nil
}

func TestRulesAreThoseOfPrometheus(t *testing.T) {
	want, err := operatorRules()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(ruleFile); err != nil || string(got) != want {
		t.Errorf("%s is stale, run go test -update: %v", ruleFile, err)
	}
}

// manifests are everything that was rendered.
type manifests struct {
	deployment apps.Deployment
	budget     policy.PodDisruptionBudget
	network    networking.NetworkPolicy
	config     core.ConfigMap
	secret     *core.Secret // nil = none
	service    *core.Service
	monitor    *monitoring.ServiceMonitor
	rules      *monitoring.PrometheusRule
}

// render renders a folder. A member that the API does not know is an error.
func render(t *testing.T, folder string) (m manifests) {
	t.Helper()
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, resource := range rendered.Resources() {
		var into any
		switch resource.GetKind() {
		case "Deployment":
			into = &m.deployment
		case "PodDisruptionBudget":
			into = &m.budget
		case "NetworkPolicy":
			into = &m.network
		case "ConfigMap":
			into = &m.config
		case "Secret":
			m.secret = &core.Secret{}
			into = m.secret
		case "Service":
			m.service = &core.Service{}
			into = m.service
		case "ServiceMonitor":
			m.monitor = &monitoring.ServiceMonitor{}
			into = m.monitor
		case "PrometheusRule":
			m.rules = &monitoring.PrometheusRule{}
			into = m.rules
		default:
			t.Fatalf("nothing is known of a %s", resource.GetKind())
		}
		raw, err := resource.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.UnmarshalStrict(raw, into); err != nil {
			t.Errorf("%s: %v", resource.CurId(), err)
		}
	}
	return m
}

// renderOverlay renders the kustomization that deploy/README.md describes
// write, with this checkout in place of the release.
func renderOverlay(t *testing.T) manifests {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```yaml\n(.*?)\n *```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("deploy/README.md has no overlay")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	base, err := filepath.Rel(dir, here)
	if err != nil {
		t.Fatal(err)
	}
	overlay := regexp.MustCompile(`https://github\.com/superduperai/sessionbot//deploy/kubernetes([\w/]*)\?ref=v[\d.]+`).ReplaceAllString(string(block[1]), base+"$1")
	secrets := "SLACK_APP_TOKEN=x\nSLACK_BOT_TOKEN=x\nREDIS_URL=x\n"
	for name, text := range map[string]string{"kustomization.yaml": overlay, "secrets.env": secrets} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return render(t, dir)
}

// TestBase: two processes on different nodes that no voluntary disruption stops
// together, without privileges.
func TestBase(t *testing.T) {
	m := render(t, ".")
	d := m.deployment.Spec
	surge := d.Strategy.RollingUpdate.MaxSurge.IntValue()
	if *d.Replicas != 2 || int(*d.Replicas)+surge > 3 || d.Strategy.RollingUpdate.MaxUnavailable.IntValue() != 0 {
		t.Errorf("%d replicas, and %d more during an update: Slack takes connections of three", *d.Replicas, surge)
	}
	if m.budget.Spec.MinAvailable.IntValue() != int(*d.Replicas)-1 {
		t.Errorf("a drain leaves %v of %d replicas", m.budget.Spec.MinAvailable, *d.Replicas)
	}
	pod := labels.Set(d.Template.Labels)
	apart := d.Template.Spec.Affinity.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution[0].PodAffinityTerm
	if apart.TopologyKey != core.LabelHostname {
		t.Errorf("the replicas stay apart by %s", apart.TopologyKey)
	}
	for what, selector := range map[string]*meta.LabelSelector{
		"Deployment": d.Selector, "PodDisruptionBudget": m.budget.Spec.Selector, "NetworkPolicy": &m.network.Spec.PodSelector, "anti-affinity": apart.LabelSelector,
	} {
		if s, err := meta.LabelSelectorAsSelector(selector); err != nil || s.Empty() || !s.Matches(pod) {
			t.Errorf("the %s does not select the pods: %v, %v", what, selector, err)
		}
	}
	evaluator, err := standards.NewEvaluator(standards.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := security.LevelVersion{Level: security.LevelRestricted, Version: security.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(restricted, &d.Template.ObjectMeta, &d.Template.Spec) {
		if !result.Allowed {
			t.Errorf("it is not restricted: %s: %s", result.ForbiddenReason, result.ForbiddenDetail)
		}
	}
	c := d.Template.Spec.Containers[0]
	if !*c.SecurityContext.ReadOnlyRootFilesystem || *d.Template.Spec.SecurityContext.RunAsUser == 0 || *d.Template.Spec.AutomountServiceAccountToken {
		t.Error("it may write to its root folder, is root, or has a token of the cluster")
	}
	if *d.Template.Spec.TerminationGracePeriodSeconds < 12 {
		t.Error("it is killed while it answers what it acked")
	}
	for probe, path := range map[*core.Probe]string{c.LivenessProbe: "/healthz", c.ReadinessProbe: "/readyz"} {
		if probe == nil || probe.HTTPGet.Path != path || !hasPort(c, probe.HTTPGet.Port) {
			t.Errorf("%s is not probed: %+v", path, probe)
		}
	}
	if m.config.Data["HTTP_ADDR"] != ":8080" || c.Ports[0].ContainerPort != 8080 {
		t.Errorf("it listens on %q, but is probed at %d", m.config.Data["HTTP_ADDR"], c.Ports[0].ContainerPort)
	}
	if !slices.Contains(m.network.Spec.PolicyTypes, networking.PolicyTypeIngress) || len(m.network.Spec.Ingress) > 0 {
		t.Error("others may connect to it")
	}
	var ports []int
	for _, port := range m.network.Spec.Egress[0].Ports {
		ports = append(ports, port.Port.IntValue())
	}
	if want := []int{53, 53, 443, 6379, 26379}; !slices.Equal(ports, want) {
		t.Errorf("it may connect to the ports %v, not %v", ports, want)
	}
}

func hasPort(c core.Container, port intstr.IntOrString) bool {
	return slices.ContainsFunc(c.Ports, func(p core.ContainerPort) bool {
		return port == intstr.FromString(p.Name) || port == intstr.FromInt32(p.ContainerPort)
	})
}

// TestOverlay: the documented overlay passes the variables on
// and secrets, is of one release, and is scraped.
func TestOverlay(t *testing.T) {
	m := renderOverlay(t)
	c := m.deployment.Spec.Template.Spec.Containers[0]
	if m.secret == nil || len(c.EnvFrom) != 2 || c.EnvFrom[0].ConfigMapRef.Name != m.config.Name || c.EnvFrom[1].SecretRef.Name != m.secret.Name {
		t.Fatalf("its variables are from %+v, not from %s and %+v", c.EnvFrom, m.config.Name, m.secret)
	}
	if !regexp.MustCompile(`^ghcr\.io/superduperai/sessionbot:v\d+\.\d+\.\d+$`).MatchString(c.Image) {
		t.Errorf("the image is %s", c.Image)
	}
	reference, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(m.config.Data) < 3 || m.config.Data["HTTP_ADDR"] != ":8080" {
		t.Errorf("the variables are %v", m.config.Data)
	}
	for name := range m.config.Data {
		if !regexp.MustCompile("(?m)^\\| `" + name + "` \\|[^|]*\\|  \\|").Match(reference) {
			t.Errorf("%s is no variable, or is a secret", name)
		}
	}
	s, err := meta.LabelSelectorAsSelector(&m.monitor.Spec.Selector)
	if err != nil || s.Empty() || !s.Matches(labels.Set(m.service.Labels)) {
		t.Errorf("the ServiceMonitor does not select the Service: %v, %v", m.monitor.Spec.Selector, err)
	}
	port, endpoint := m.service.Spec.Ports[0], m.monitor.Spec.Endpoints[0]
	if endpoint.Port != port.Name || endpoint.Path != "/metrics" || !hasPort(c, port.TargetPort) || !labels.SelectorFromSet(m.service.Spec.Selector).Matches(labels.Set(m.deployment.Spec.Template.Labels)) {
		t.Errorf("%+v is not scraped as %+v", port, endpoint)
	}
	if in := m.network.Spec.Ingress; len(in) != 1 || len(in[0].From) != 1 || in[0].From[0].NamespaceSelector == nil || !hasPort(c, *in[0].Ports[0].Port) {
		t.Errorf("Prometheus alone may connect, but it is %+v", in)
	}
	if m.rules == nil || len(m.rules.Spec.Groups) == 0 || len(m.rules.Spec.Groups[0].Rules) == 0 {
		t.Error("it has no rules")
	}
	for _, object := range []meta.ObjectMeta{m.deployment.ObjectMeta, m.budget.ObjectMeta, m.network.ObjectMeta, m.config.ObjectMeta, m.secret.ObjectMeta, m.service.ObjectMeta, m.monitor.ObjectMeta, m.rules.ObjectMeta} {
		if object.Namespace != "sessionbot" {
			t.Errorf("%s is in the namespace %q", object.Name, object.Namespace)
		}
	}
}

// TestCommands: the commands in the documents name objects that are rendered.
func TestCommands(t *testing.T) {
	d := renderOverlay(t).deployment
	of := "--namespace=" + d.Namespace + " "
	want := []string{"create namespace " + d.Namespace, "apply -k .", "delete -k .", of + "get pods", of + "logs deployment/" + d.Name}
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var typed []string
	for _, file := range append(files, "../README.md") {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile("kubectl ([^`\n]*)").FindAllSubmatch(raw, -1) {
			typed = append(typed, string(match[1]))
			if !slices.Contains(want, string(match[1])) {
				t.Errorf("%s: kubectl %s is about something else", file, match[1])
			}
		}
	}
	if len(typed) < len(want) {
		t.Errorf("the documents have no other commands than %q", typed)
	}
}
