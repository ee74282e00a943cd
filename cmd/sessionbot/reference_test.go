package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/superduperai/sessionbot/store/repair"
)

// TestConfigurationReference: docs/configuration.md says what the code says. Of
// a variable that is the field's tags and the comment above it, of the rights in
// Redis what the store uses.
func TestConfigurationReference(t *testing.T) {
	t.Parallel()
	const path = "../../docs/configuration.md"
	text := reference(t)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readFile(t, path)), text); diff != "" {
		t.Errorf("docs/configuration.md is stale (-is +should be); make docs writes it anew:\n%s", diff)
	}
}

// TestDefaultPrices: without a variable the bot estimates as the demo does.
func TestDefaultPrices(t *testing.T) {
	t.Parallel()
	field, _ := reflect.TypeFor[config]().FieldByName("Prices")
	prices := repair.Prices{}
	for entry := range strings.SplitSeq(field.Tag.Get("default"), ",") {
		model, price, _ := strings.Cut(entry, ":")
		dollars, err := strconv.ParseFloat(price, 64)
		if err != nil {
			t.Fatal(err)
		}
		prices[model] = dollars
	}
	if diff := cmp.Diff(repair.ListPrices, prices); diff != "" {
		t.Errorf("(-listed +default):\n%s", diff)
	}
}

func reference(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(`<!-- Written by make docs from cmd/sessionbot/config.go and store/probe/access.go. -->
# Configuration

Sessionbot is set by environment variables. ` + "`sessionbot doctor`" + ` tells which are wrong, and whether what they name can be used. An empty variable counts as not set, but for HTTP_ADDR, READERS and STRIPE_PRODUCT_METADATA.

A **secret** can also be read from a file: ` + "`SLACK_BOT_TOKEN_FILE=/run/secrets/slack_bot_token`" + ` names one that holds the token and nothing else. Setting both is an error. Secrets are never logged or shown; doctor shows their kind and their last four letters.

Durations are written with their unit: ` + "`90s`, `10m`, `1h30m`" + `. The terminal commands need REDIS_URL alone; run needs what is marked as required.

| variable | default | secret | meaning |
|---|---|---|---|
`)
	for _, field := range documented(t) {
		tag := reflect.StructTag(field.tag)
		value, secret := "", ""
		if tag.Get("default") != "" {
			value = "`" + tag.Get("default") + "`"
		}
		if tag.Get("secret") != "" {
			secret = "yes"
		}
		if field.doc == "" {
			t.Errorf("%s has no comment that tells its meaning", tag.Get("envconfig"))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", tag.Get("envconfig"), value, secret, strings.ReplaceAll(field.doc, "|", "\\|"))
	}
	b.WriteString("\nThe rights that the bot's user needs in Redis stand in [security](security.md).\n")
	return b.String()
}

type documentedField struct{ tag, doc string }

// documented reads the fields of config from the source, which has the comments.
func documented(t *testing.T) []documentedField {
	t.Helper()
	file, err := parser.ParseFile(gotoken.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var fields []documentedField
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.TypeSpec)
		if !ok || spec.Name.Name != "config" {
			return true
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			if field.Tag == nil { // it is no variable of its own
				continue
			}
			tag, err := strconv.Unquote(field.Tag.Value)
			if err != nil {
				t.Fatal(err)
			}
			fields = append(fields, documentedField{tag, strings.Join(strings.Fields(field.Doc.Text()), " ")})
		}
		return false
	})
	if len(fields) != len(variables()) {
		t.Errorf("%d fields are documented, of %d", len(fields), len(variables()))
	}
	return fields
}
