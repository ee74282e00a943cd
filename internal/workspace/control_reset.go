package workspace

import "net/http"

// Reset takes away all messages, modals, home tabs, what was filled in or uploaded,
// and faults. People, channels and the app's connections stay.
func (s *Server) Reset() {
	s.faults.clear()
	s.setHalfOpen(false)
	s.limits.reset()
	s.inputs.reset()
	s.uploads.reset()
	s.views.reset()
	s.world.reset()
}

func (s *Server) controlReset(struct{}) (object, error) {
	s.Reset()
	return object{}, nil
}

// controlFrames lists the frames and calls of the last minutes, oldest first.
func (s *Server) controlFrames(*http.Request) (object, error) {
	list := []object{}
	for _, f := range s.frames.recent() {
		list = append(list, object{
			"at": f.At.UnixMilli(), "direction": f.Direction, "kind": f.Kind, "title": f.Title, "body": f.Body,
		})
	}
	return object{"frames": list}, nil
}
