package store

// Order is what a customer ordered. Members that are not known are empty.
type Order struct {
	Prompt              string  `json:",omitempty"`
	VideoCount          int     `json:",omitempty"`
	Seconds             float64 `json:",omitempty"`
	Resolution          string  `json:",omitempty"` // such as 1280x720
	Style               string  `json:",omitempty"`
	ToolSlug, ToolTitle string  `json:",omitempty"`
}
