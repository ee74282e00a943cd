package bot

// class is what a refusal of Slack's holds for, and with it what may be tried next.
type class int

const (
	unknownError   class = iota
	transientError       // the same call may succeed later
	messageError         // this message takes no change or reply any more; another one may
	channelError         // this place takes no messages of ours; another one may
	blocksError          // Slack refuses these blocks; it may take the text alone
	appError             // a person has to mend the app or its token; met while connecting, it ends the process
	requestError         // what was asked for: nothing else can be tried
)

// errorCode is what is known of one of Slack's error codes.
type errorCode struct {
	class   class
	unclear bool // it may have been done all the same
	gone    bool // the message is not there any more
	advice  string
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

// errorCodes are Slack's error codes, what they hold for and what helps. One that
// is missing here is unknown.
var errorCodes = map[string]errorCode{
	"message_not_found":               {class: messageError, gone: true, advice: "The message was deleted: what it showed is posted anew."},
	"thread_not_found":                {class: messageError, gone: true, advice: "The message was deleted: what it showed is posted anew."},
	"edit_window_closed":              {class: messageError, advice: frozen},
	"cant_update_message":             {class: messageError, advice: frozen},
	"as_user_not_supported":           {class: messageError, advice: frozen},
	"block_mismatch":                  {class: messageError, advice: frozen},
	"cannot_reply_to_message":         {class: messageError, advice: threadShut},
	"cant_broadcast_message":          {class: messageError, advice: threadShut},
	"restricted_action_thread_locked": {class: messageError, advice: threadShut},

	"not_in_channel":                           {class: channelError, advice: "Invite the bot into the channel: /invite @sessionbot."},
	"channel_not_found":                        {class: channelError, advice: "Invite the bot into the channel: /invite @sessionbot. Where it is one of the configuration, check its id."},
	"is_archived":                              {class: channelError, advice: "The channel is archived: unarchive it or choose another."},
	"is_inactive":                              {class: channelError, advice: "The channel is frozen: ask an admin, or choose another."},
	"channel_is_limited_access":                {class: channelError, advice: restricted},
	"restricted_action":                        {class: channelError, advice: restricted},
	"restricted_action_read_only_channel":      {class: channelError, advice: restricted},
	"restricted_action_thread_only_channel":    {class: channelError, advice: restricted},
	"restricted_action_non_threadable_channel": {class: channelError, advice: restricted},
	"no_permission":                            {class: channelError, advice: restricted},
	"not_authorized":                           {class: channelError, advice: restricted},
	"team_not_found":                           {class: channelError, advice: "The channel's workspace is not known to the app: choose a channel of the workspace that it is installed in."},
	"enterprise_is_restricted":                 {class: channelError, advice: restricted},
	"messages_tab_disabled":                    {class: channelError, advice: noMessages},
	"cannot_dm_bot":                            {class: channelError, advice: noMessages},
	"user_disabled":                            {class: channelError, advice: noMessages},

	"ratelimited":                {class: transientError, advice: slackBusy},
	"rate_limited":               {class: transientError, advice: slackBusy},
	"message_limit_exceeded":     {class: transientError, advice: slackBusy},
	"internal_error":             {class: transientError, unclear: true, advice: slackFault},
	"fatal_error":                {class: transientError, unclear: true, advice: slackFault},
	"request_timeout":            {class: transientError, unclear: true, advice: slackFault},
	"service_unavailable":        {class: transientError, advice: slackFault},
	"update_failed":              {class: transientError, advice: slackFault},
	"team_added_to_org":          {class: transientError, advice: slackMoves},
	"external_channel_migrating": {class: transientError, advice: slackMoves},

	"invalid_blocks":        {class: blocksError, advice: badBlocks},
	"invalid_blocks_format": {class: blocksError, advice: badBlocks},
	"msg_blocks_too_long":   {class: blocksError, advice: tooLong},
	"msg_too_long":          {class: requestError, advice: tooLong},

	"missing_scope":           {class: appError}, // the advice depends on the scope
	"invalid_auth":            {class: appError, advice: badToken},
	"not_authed":              {class: appError, advice: badToken},
	"token_revoked":           {class: appError, advice: "The token was revoked: reinstall the app and use the new one."},
	"token_expired":           {class: appError, advice: "The token has expired: switch token rotation off or create a new one."},
	"account_inactive":        {class: appError, advice: "The app was removed or its workspace closed: reinstall it and use the new token."},
	"not_allowed_token_type":  {class: appError, advice: "SLACK_APP_TOKEN takes an app-level token (xapp-…), SLACK_BOT_TOKEN a bot token (xoxb-…)."},
	"team_access_not_granted": {class: appError, advice: notApproved},
	"access_denied":           {class: appError, advice: "The workspace does not allow this app: ask one of its admins."},
	"link_disabled":           {class: appError, advice: socketsOff},
	"socket_mode_not_enabled": {class: appError, advice: socketsOff},
	"too_many_websockets":     {class: transientError, advice: "Slack allows an app ten connections: stop the processes that nobody needs any more."},
	"ekm_access_denied":       {class: transientError, advice: "The workspace's key management refuses messages at present: ask one of its admins."},
	"accesslimited":           {class: transientError, advice: "The workspace allows the app's calls from certain networks only: have an admin add this one."},

	"user_not_found":        {class: requestError, advice: "Slack does not know this person; check the id."},
	"user_not_visible":      {class: requestError, advice: "This person belongs to another workspace."},
	"no_such_subteam":       {class: requestError, advice: "Slack does not know this user group; check the id."},
	"used_url":              {class: requestError, advice: "Slack takes five answers to one request: ask again."},
	"expired_url":           {class: requestError, advice: "Slack takes answers for 30 minutes: ask again."},
	"plan_upgrade_required": {class: requestError, advice: needsPlan},
	"paid_teams_only":       {class: requestError, advice: needsPlan},
}
