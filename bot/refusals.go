package bot

// reach is what a refusal of Slack's holds for, and with it what may be tried next.
type reach int

const (
	unknown   reach = iota
	ofNow           // the same call may succeed later
	ofMessage       // this message takes no change or reply any more; another one may
	ofChannel       // this place takes no messages of ours; another one may
	ofBlocks        // these blocks; the text alone may be taken
	ofApp           // a person has to mend the app or its token; met while connecting, it ends the process
	ofRequest       // what was asked for: nothing else can be tried
)

// refusal is what is known of one of Slack's error codes.
type refusal struct {
	about   reach
	unclear bool // it may have been done all the same
	gone    bool // the message is not there any more
	words   string
}

const (
	badToken    = "Check that the token is whole and of this app; the app's pages show the current one."
	restricted  = "The channel's or the workspace's settings do not let the app post there: ask an admin to allow it, or choose another channel."
	slackFault  = "Slack has a fault of its own: try again in a minute, and see its status page."
	slackBusy   = "Slack asks for a pause: try again in a minute."
	slackMoves  = "Slack is moving the channel or the workspace: try again in some minutes."
	needsPlan   = "User groups need a paid plan of Slack: list user ids instead."
	frozen      = "Slack lets nobody change this message any more: what it showed is posted anew."
	threadShut  = "Slack takes no replies to this message: what was to be said is posted anew."
	badBlocks   = "Slack refuses the message's blocks: a fault of this program, please report it."
	tooLong     = "The message is too long for Slack: a fault of this program, please report it."
	socketsOff  = "Socket Mode is switched off: switch it on in the app's settings."
	notApproved = "The app is not approved for this workspace: ask one of its admins."
	noMessages  = "This person or app takes no direct messages of the bot: set ALERT_CHANNEL to a channel that it is a member of."
)

// refusals are Slack's error codes, what they hold for and what helps. One that
// is missing here is unknown.
var refusals = map[string]refusal{
	"message_not_found":               {about: ofMessage, gone: true, words: "The message was deleted: what it showed is posted anew."},
	"thread_not_found":                {about: ofMessage, gone: true, words: "The message was deleted: what it showed is posted anew."},
	"edit_window_closed":              {about: ofMessage, words: frozen},
	"cant_update_message":             {about: ofMessage, words: frozen},
	"as_user_not_supported":           {about: ofMessage, words: frozen},
	"block_mismatch":                  {about: ofMessage, words: frozen},
	"cannot_reply_to_message":         {about: ofMessage, words: threadShut},
	"cant_broadcast_message":          {about: ofMessage, words: threadShut},
	"restricted_action_thread_locked": {about: ofMessage, words: threadShut},

	"not_in_channel":                           {about: ofChannel, words: "Invite the bot into the channel: /invite @sessionbot."},
	"channel_not_found":                        {about: ofChannel, words: "Invite the bot into the channel: /invite @sessionbot. Where it is one of the configuration, check its id."},
	"is_archived":                              {about: ofChannel, words: "The channel is archived: unarchive it or choose another."},
	"is_inactive":                              {about: ofChannel, words: "The channel is frozen: ask an admin, or choose another."},
	"channel_is_limited_access":                {about: ofChannel, words: restricted},
	"restricted_action":                        {about: ofChannel, words: restricted},
	"restricted_action_read_only_channel":      {about: ofChannel, words: restricted},
	"restricted_action_thread_only_channel":    {about: ofChannel, words: restricted},
	"restricted_action_non_threadable_channel": {about: ofChannel, words: restricted},
	"no_permission":                            {about: ofChannel, words: restricted},
	"not_authorized":                           {about: ofChannel, words: restricted},
	"team_not_found":                           {about: ofChannel, words: "The channel's workspace is not known to the app: choose a channel of the workspace that it is installed in."},
	"enterprise_is_restricted":                 {about: ofChannel, words: restricted},
	"messages_tab_disabled":                    {about: ofChannel, words: noMessages},
	"cannot_dm_bot":                            {about: ofChannel, words: noMessages},
	"user_disabled":                            {about: ofChannel, words: noMessages},

	"ratelimited":                {about: ofNow, words: slackBusy},
	"rate_limited":               {about: ofNow, words: slackBusy},
	"message_limit_exceeded":     {about: ofNow, words: slackBusy},
	"internal_error":             {about: ofNow, unclear: true, words: slackFault},
	"fatal_error":                {about: ofNow, unclear: true, words: slackFault},
	"request_timeout":            {about: ofNow, unclear: true, words: slackFault},
	"service_unavailable":        {about: ofNow, words: slackFault},
	"update_failed":              {about: ofNow, words: slackFault},
	"team_added_to_org":          {about: ofNow, words: slackMoves},
	"external_channel_migrating": {about: ofNow, words: slackMoves},

	"invalid_blocks":        {about: ofBlocks, words: badBlocks},
	"invalid_blocks_format": {about: ofBlocks, words: badBlocks},
	"msg_blocks_too_long":   {about: ofBlocks, words: tooLong},
	"msg_too_long":          {about: ofRequest, words: tooLong},

	"missing_scope":           {about: ofApp}, // the words depend on the scope
	"invalid_auth":            {about: ofApp, words: badToken},
	"not_authed":              {about: ofApp, words: badToken},
	"token_revoked":           {about: ofApp, words: "The token was revoked: reinstall the app and use the new one."},
	"token_expired":           {about: ofApp, words: "The token has expired: switch token rotation off or create a new one."},
	"account_inactive":        {about: ofApp, words: "The app was removed or its workspace closed: reinstall it and use the new token."},
	"not_allowed_token_type":  {about: ofApp, words: "SLACK_APP_TOKEN takes an app-level token (xapp-…), SLACK_BOT_TOKEN a bot token (xoxb-…)."},
	"team_access_not_granted": {about: ofApp, words: notApproved},
	"access_denied":           {about: ofApp, words: "The workspace does not allow this app: ask one of its admins."},
	"link_disabled":           {about: ofApp, words: socketsOff},
	"socket_mode_not_enabled": {about: ofApp, words: socketsOff},
	"too_many_websockets":     {about: ofNow, words: "Slack allows an app ten connections: stop the processes that nobody needs any more."},
	"ekm_access_denied":       {about: ofNow, words: "The workspace's key management refuses messages at present: ask one of its admins."},
	"accesslimited":           {about: ofNow, words: "The workspace allows the app's calls from certain networks only: have an admin add this one."},

	"user_not_found":        {about: ofRequest, words: "Slack does not know this person; check the id."},
	"user_not_visible":      {about: ofRequest, words: "This person belongs to another workspace."},
	"no_such_subteam":       {about: ofRequest, words: "Slack does not know this user group; check the id."},
	"used_url":              {about: ofRequest, words: "Slack takes five answers to one request: ask again."},
	"expired_url":           {about: ofRequest, words: "Slack takes answers for 30 minutes: ask again."},
	"plan_upgrade_required": {about: ofRequest, words: needsPlan},
	"paid_teams_only":       {about: ofRequest, words: needsPlan},
}
