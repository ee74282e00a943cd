package main

import "reflect"

// variables are the names of all environment variables, and whether each is a
// secret, which a file can hold.
func variables() map[string]bool {
	names := map[string]bool{}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[config]()) {
		names[field.Tag.Get("envconfig")] = field.Tag.Get("secret") != ""
	}
	return names
}
