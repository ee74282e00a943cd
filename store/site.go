package store

import "strings"

// Site is what the site's webhook-status answers, which is what the customer's
// page goes by.
type Site struct {
	Found  bool   // false: "not found or processing not yet started"
	Status string // as answered; may be empty
	FileID string
}

// Sees reports whether the customer's page shows the file by this answer: without
// a status it is "File Not Found" there, and a pending one waits for ever.
func (s Site) Sees(fileID string) bool {
	shows := Status(s.Status) == StatusProcessing || Status(s.Status) == StatusCompleted
	return s.Found && shows && strings.EqualFold(s.FileID, fileID)
}
