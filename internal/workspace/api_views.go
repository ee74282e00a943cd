package workspace

// trigger is the meaning of a trigger id: who did what that lets a modal open.
type trigger struct {
	user string
	view string // the id of the modal in which it was done, if any
}

// triggerID makes a trigger id, good for one use within three seconds.
func (s *Server) triggerID(user, view string) string {
	return s.triggers.issue(trigger{user: user, view: view})
}

// triggerErrors are Slack's codes for trigger ids that cannot be used.
var triggerErrors = map[error]error{
	errTokenUnknown: fail("invalid_trigger_id"),
	errTokenExpired: fail("expired_trigger_id"),
	errTokenUsed:    fail("exchanged_trigger_id"),
}

// exchange uses up the call's trigger id, or its interactivity pointer, which is
// the same thing.
func (c call) exchange() (trigger, error) {
	id := c.args.text("trigger_id")
	if id == "" {
		id = c.args.text("interactivity_pointer")
	}
	if id == "" {
		return trigger{}, invalidArguments("missing required field: trigger_id")
	}
	t, err := c.triggers.use(id)
	if err != nil {
		return trigger{}, triggerErrors[err]
	}
	return t, nil
}

func openView(c call) (object, error) {
	content, err := readView(c.args.json("view"), modalView)
	if err != nil {
		return nil, err
	}
	t, err := c.exchange()
	if err != nil {
		return nil, err
	}
	v, replaced, err := c.views.open(t.user, content)
	c.drop(replaced)
	return c.viewAnswer(v, err)
}

func pushView(c call) (object, error) {
	content, err := readView(c.args.json("view"), modalView)
	if err != nil {
		return nil, err
	}
	t, err := c.exchange()
	if err != nil {
		return nil, err
	}
	v, err := c.views.push(t.user, t.view, content)
	return c.viewAnswer(v, err)
}

func updateView(c call) (object, error) {
	id, externalID := c.args.text("view_id"), c.args.text("external_id")
	if id == "" && externalID == "" {
		return nil, invalidArguments("missing required field: view_id")
	}
	old, ok := c.views.find(id, externalID)
	if !ok {
		return nil, fail("not_found")
	}
	content, err := readView(c.args.json("view"), old.Type)
	if err != nil {
		return nil, err
	}
	v, err := c.views.update(old.ID, c.args.text("hash"), content)
	return c.viewAnswer(v, err)
}

func publishView(c call) (object, error) {
	if !c.app.hasHome() {
		return nil, fail("not_enabled")
	}
	p, ok := c.world.person(c.args.text("user_id"))
	if !ok || p.Bot || p.ID == slackbot {
		return nil, invalidArguments("invalid `user_id`")
	}
	content, err := readView(c.args.json("view"), homeView)
	if err != nil {
		return nil, err
	}
	v, err := c.views.publish(p.ID, c.args.text("hash"), content)
	return c.viewAnswer(v, err)
}

func (c call) viewAnswer(v view, err error) (object, error) {
	if err != nil {
		return nil, err
	}
	return object{"view": c.viewObject(v)}, nil
}

// viewObject is a view with what its person has filled in.
func (s *Server) viewObject(v view) object {
	return v.object(s.inputs.of(v.key()))
}
