package socketmode

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/superduperai/sessionbot/bot/wire"
)

// Envelope is one message of Socket Mode.
type Envelope struct {
	Kind        string            `json:"type"`
	ID          string            `json:"envelope_id"`
	Payload     jsontext.Value    `json:"payload"`
	Reason      string            `json:"reason"`          // of disconnect
	Connections wire.Lenient[int] `json:"num_connections"` // of hello
	Attempt     wire.Lenient[int] `json:"retry_attempt"`   // of an event: how often it came before
	Info        wire.Lenient[struct {
		AppID string `json:"app_id"`
	}] `json:"connection_info"` // of hello: whose connection this is
}
