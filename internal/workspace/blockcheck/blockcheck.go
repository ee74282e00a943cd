// Package blockcheck checks Block Kit as Slack checks it.
package blockcheck

import "encoding/json"

// Violation is one fault.
type Violation struct {
	Code    string
	Pointer string
	Text    string
}

func (v Violation) String() string { return v.Text + " [json-pointer:" + v.Pointer + "]" }

// Check lists the violations of blocks.
func Check(blocks json.RawMessage) []Violation { return nil }
