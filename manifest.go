// Package sessionbot holds what belongs to the product as a whole: the manifest
// of its Slack app.
package sessionbot

import _ "embed"

// Manifest is the Slack app, as YAML.
//
//go:embed manifest.yml
var Manifest []byte
