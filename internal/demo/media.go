package demo

import (
	_ "embed"
	"hash/fnv"
	"net/http"
	"strconv"
	"strings"
)

// video is a moving picture of a fox in the snow, with HUE for the colour of its sky.
//
//go:embed video.svg
var video string

// media serves the picture of a finished video.
func media(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = w.Write([]byte(placeholder(r.PathValue("name")))) // who asked has hung up, and notices by itself
}

// placeholder is the video, at another hour of the day for every name.
func placeholder(name string) string {
	hash := fnv.New32a()
	_, _ = hash.Write([]byte(name)) // never fails
	return strings.ReplaceAll(video, "HUE", strconv.Itoa(int(200+hash.Sum32()%80)))
}
