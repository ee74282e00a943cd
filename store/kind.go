package store

import "strings"

// Kind is what a session makes.
type Kind string

// The kinds. Video is the default.
const (
	KindVideo Kind = "video"
	KindImage Kind = "image"
)

// Kind returns what the session makes, by its generationType, else its modelType.
func (s Session) Kind() Kind {
	v := s.SessionKey.Value
	switch v.GenerationType {
	case "text-to-image", "image-to-image":
		return KindImage
	case "":
		if v.ModelType == "image" {
			return KindImage
		}
	}
	return KindVideo
}

// NeedsPicture reports whether making it again needs the customer's picture.
func (s Session) NeedsPicture() bool {
	v := s.SessionKey.Value
	return v.GenerationType == "image-to-video" || v.GenerationType == "image-to-image" || v.GenerationType == "" && v.Picture
}

// Reword returns a sentence of ours about a video, for an image if k is KindImage. It
// must not contain anybody else's words.
func (k Kind) Reword(sentence string) string {
	if k == KindImage {
		return ofImages.Replace(sentence)
	}
	return sentence
}

// How long an image takes is not known.
var ofImages = strings.NewReplacer(
	" (usually 2–15 min)", "", "; it usually takes 2 to 15 minutes", "", ": a video usually takes 2–15 minutes", " a minute",
	"SUPERDUPERAI_MODEL", "SUPERDUPERAI_IMAGE_MODEL",
	"A video", "An image", "a video", "an image", "Video", "Image", "video", "image")
