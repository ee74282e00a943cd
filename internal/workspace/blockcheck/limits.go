package blockcheck

import (
	_ "embed" // the limits are data
	"encoding/json"
)

//go:embed limits.json
var limitsJSON []byte

// limits are the numbers of limits.json by their dotted path, such as
// "section.text.max_length".
var limits = readLimits(limitsJSON)

func readLimits(raw []byte) map[string]int {
	var tree map[string]any
	if err := json.Unmarshal(raw, &tree); err != nil {
		panic("blockcheck: limits.json: " + err.Error())
	}
	flat := map[string]int{}
	flatten("", tree, flat)
	return flat
}

func flatten(path string, tree map[string]any, into map[string]int) {
	for name, v := range tree {
		switch v := v.(type) {
		case float64:
			into[path+name] = int(v)
		case map[string]any:
			flatten(path+name+".", v, into)
		}
	}
}

// limit is a limit that limits.json has to have.
func limit(path string) int {
	n, ok := limits[path]
	if !ok {
		panic("blockcheck: limits.json has no " + path)
	}
	return n
}
