package workspace

import (
	"cmp"
	"slices"
	"time"
)

func userInfo(c call) (object, error) {
	p, ok := c.world.person(c.args.text("user"))
	if !ok {
		return nil, fail("user_not_found")
	}
	return object{"user": c.userObject(p)}, nil
}

func userList(c call) (object, error) {
	members := make([]object, 0, len(c.world.people))
	for _, p := range c.world.people {
		members = append(members, c.userObject(p))
	}
	answer, err := paged(c, "members", members, 1000)
	if err != nil {
		return nil, err
	}
	answer["cache_ts"] = c.now().Unix()
	return answer, nil
}

func groupList(c call) (object, error) {
	list := make([]object, 0, len(c.world.groups))
	for _, g := range c.world.groups {
		o := object{
			"id": g.ID, "team_id": teamID, "is_usergroup": true, "name": g.Name, "handle": g.Handle,
			"user_count": len(g.Members), "date_delete": 0,
		}
		if c.args.bool("include_users") {
			o["users"] = g.Members
		}
		list = append(list, o)
	}
	return object{"usergroups": list}, nil
}

func groupMembers(c call) (object, error) {
	i := slices.IndexFunc(c.world.groups, func(g group) bool { return g.ID == c.args.text("usergroup") })
	if i < 0 {
		return nil, fail("no_such_subteam")
	}
	return object{"users": c.world.groups[i].Members}, nil
}

// userObject is a person as the Web API writes them.
func (c call) userObject(p person) object {
	profile := object{"real_name": p.RealName, "display_name": p.Name, "team": p.Team}
	c.addImages(profile, p.ID)
	if c.app.hasScope("users:read.email") && !p.Bot && !p.External {
		profile["email"] = p.Name + "@example.com"
	}
	zone, err := time.LoadLocation(p.TZ)
	if err != nil { // a seed with such a zone is refused
		zone = time.UTC
	}
	_, offset := c.now().In(zone).Zone()
	o := object{
		"id": p.ID, "team_id": p.Team, "name": p.Name, "real_name": p.RealName, "deleted": false,
		"is_bot": p.Bot, "is_restricted": p.Guest, "is_ultra_restricted": false,
		"is_admin": false, "is_owner": false, "tz": cmp.Or(p.TZ, "Etc/UTC"), "tz_offset": offset, "profile": profile,
	}
	if p.External {
		o["is_stranger"] = true
	}
	return o
}
