package main

import (
	"reflect"
	"slices"
	"testing"
)

// variables are the names of all environment variables, and whether each is a
// secret, which a file can hold.
func variables() map[string]bool {
	names := map[string]bool{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[config]()) {
		if name := field.Tag.Get("envconfig"); name != "" {
			names[name] = field.Tag.Get("secret") != ""
		}
	}
	return names
}

// TestProductMetadata: set but empty is not the same as not set.
func TestProductMetadata(t *testing.T) {
	t.Setenv("REDIS_URL", "redis://127.0.0.1:6379")
	for _, c := range []struct {
		value string
		want  []string
	}{{"", nil}, {"plan, tool", []string{"plan", "tool"}}} {
		t.Setenv("STRIPE_PRODUCT_METADATA", c.value)
		if got, err := loadConfig(false); err != nil || !slices.Equal(got.ProductMetadata, c.want) {
			t.Errorf("%q: %q, %v", c.value, got.ProductMetadata, err)
		}
	}
}

// TestHealthStaysOnThisMachine: the unauthenticated endpoints listen for other machines only
// if configured.
func TestHealthStaysOnThisMachine(t *testing.T) {
	t.Setenv("REDIS_URL", "redis://127.0.0.1:6379")
	if got, err := loadConfig(false); err != nil || got.HTTPAddr != "127.0.0.1:8080" {
		t.Errorf("HTTP_ADDR is %q by default, %v", got.HTTPAddr, err)
	}
}
