package page

import (
	"encoding/json"
	"html/template"
	"net/http"
	"strconv"

	"github.com/superduperai/sessionbot/internal/workspace/page/blockhtml"
)

// Story is a message to be looked at by itself. The stories page shows all of
// them, chapter by chapter, as they were given.
type Story struct {
	Chapter string
	Title   string
	Blocks  json.RawMessage
}

// chapter is what the stories page shows under one title.
type chapter struct {
	Title, Anchor string
	Stories       []shownStory
}

type shownStory struct {
	Title string
	Body  template.HTML
}

// handleStorybook shows the stories. Their buttons do nothing.
func (s *server) handleStorybook(w http.ResponseWriter, r *http.Request) {
	if s.key != "" && !s.hasCookie(r) {
		http.Error(w, "Open the address that was printed at the start: its key lets a browser in.", http.StatusForbidden)
		return
	}
	if len(s.stories) == 0 {
		http.NotFound(w, r)
		return
	}
	http.SetCookie(w, &s.cookie) // for the page's own files
	reader := s.reader(Person{}, s.backend.People(), s.backend.Channels(""))
	var chapters []chapter
	for _, story := range s.stories {
		if len(chapters) == 0 || chapters[len(chapters)-1].Title != story.Chapter {
			chapters = append(chapters, chapter{Title: story.Chapter, Anchor: "chapter-" + strconv.Itoa(len(chapters)+1)})
		}
		last := &chapters[len(chapters)-1]
		last.Stories = append(last.Stories, shownStory{story.Title, blockhtml.Blocks(reader, story.Blocks)})
	}
	s.render(w, "storybook.html", struct {
		Team     string
		Chapters []chapter
	}{s.backend.Team(), chapters})
}
