package slackapi

import "strings"

// errorClass is the scope of an error of Slack, which decides what may be tried next.
type errorClass int

const (
	unknownError   errorClass = iota
	transientError            // the same call may succeed later
	unclearError              // likewise, and the call may have been carried out
	messageError              // this message takes no change or reply any more; another one may
	messageGone               // likewise, since it was deleted
	channelError              // this place takes no messages of ours; another one may
	blocksError               // Slack refuses these blocks; it may take the text alone
	appError                  // a person has to repair the app or its token; met while connecting, it ends the process
	requestError              // what was asked for: nothing else can be tried
)

// errorCode is what is known of one of Slack's error codes.
type errorCode struct {
	class  errorClass
	advice string
}

// orgWideInstall is no code of Slack's: the token works, but not for this app.
const orgWideInstall = "org_wide_install"

// errorCodes are the known ones; any other is an unknownError.
var errorCodes = func() map[string]errorCode {
	byCode := map[string]errorCode{}
	for _, group := range errorGroups {
		for code := range strings.FieldsSeq(group.codes) {
			byCode[code] = errorCode{group.class, group.advice}
		}
	}
	return byCode
}()

// errorGroups are Slack's error codes with their scope and remedy.
var errorGroups = []struct {
	class         errorClass
	codes, advice string
}{
	{messageGone, "message_not_found thread_not_found", "The message was deleted: its content is posted again."},
	{messageError, "edit_window_closed cant_update_message as_user_not_supported block_mismatch",
		"Slack no longer allows this message to be edited: its content is posted again."},
	{messageError, "cannot_reply_to_message cant_broadcast_message restricted_action_thread_locked",
		"Slack accepts no replies to this message: the reply is posted as a new message."},

	{channelError, "not_in_channel", "Invite the bot into the channel: /invite @sessionbot."},
	{channelError, "channel_not_found",
		"Invite the bot into the channel: /invite @sessionbot. If the channel is from the configuration, check its id."},
	{channelError, "is_archived", "The channel is archived: unarchive it or choose another."},
	{channelError, "is_inactive", "The channel is frozen: ask an admin, or choose another."},
	{channelError, "channel_is_limited_access restricted_action restricted_action_read_only_channel restricted_action_thread_only_channel " +
		"restricted_action_non_threadable_channel no_permission not_authorized enterprise_is_restricted",
		"The settings of the channel or workspace do not allow the app to post there: ask an admin to allow it, or choose another channel."},
	{channelError, "method_not_supported_for_channel_type channel_type_not_supported",
		"Apps cannot post in a conversation of this kind: choose a channel."},
	{channelError, "team_not_found",
		"The channel belongs to a workspace the app is not in: choose a channel of the workspace where it is installed."},
	{channelError, "messages_tab_disabled cannot_dm_bot user_disabled",
		"This person or app accepts no direct messages from the bot: set ALERT_CHANNEL to a channel that the bot is in."},

	{transientError, "ratelimited rate_limited message_limit_exceeded", "Slack's rate limit was reached: try again in a minute."},
	{unclearError, "internal_error fatal_error request_timeout",
		"Slack answered with an internal error: try again in a minute, and check its status page."},
	{transientError, "service_unavailable update_failed",
		"Slack answered with an internal error: try again in a minute, and check its status page."},
	{transientError, "team_added_to_org org_login_required external_channel_migrating",
		"Slack is migrating the channel or workspace: try again in a few minutes."},
	{transientError, "too_many_websockets",
		"Slack allows ten connections per app: stop processes that are no longer needed."},
	{transientError, "ekm_access_denied",
		"The workspace's key management is refusing messages: ask one of its admins."},
	{transientError, "accesslimited",
		"The workspace allows the app's calls only from certain networks: ask an admin to add this one."},

	{blocksError, "invalid_blocks invalid_blocks_format",
		"Slack rejected the message's blocks. This is a bug in sessionbot: please report it."},
	{blocksError, "msg_blocks_too_long", "The message is too long for Slack. This is a bug in sessionbot: please report it."},

	{appError, "missing_scope", ""}, // the advice depends on the scope
	{appError, "invalid_auth not_authed",
		"Check that the token is complete and belongs to this app; the app's settings pages show the current one."},
	{appError, "token_revoked", "The token was revoked: reinstall the app and use the new one."},
	{appError, "token_expired", "The token has expired: switch token rotation off or create a new one."},
	{appError, "account_inactive", "The app was removed or its workspace closed: reinstall it and use the new token."},
	{appError, "not_allowed_token_type",
		"SLACK_APP_TOKEN takes an app-level token (xapp-…), SLACK_BOT_TOKEN a bot token (xoxb-…)."},
	{appError, "team_access_not_granted", "The app is not approved for this workspace: ask one of its admins."},
	{appError, "two_factor_setup_required", "Slack requires two-factor authentication: ask one of the workspace's admins."},
	{appError, "access_denied", "The workspace does not allow this app: ask one of its admins."},
	{appError, orgWideInstall,
		"The app is installed for the whole organization, so nobody's workspace membership can be checked: install it in that one workspace, and use the token shown there."},
	{appError, "link_disabled socket_mode_not_enabled",
		"Socket Mode is switched off: switch it on in the app's settings."},

	{unknownError, "unknown_method method_deprecated deprecated_endpoint",
		"The server does not know this call: check SLACK_API_URL if it is set, and install the newest version of sessionbot."},
	{requestError, "invalid_arguments invalid_arg_name no_text too_many_attachments metadata_too_large invalid_metadata_format",
		"Slack rejected the request. This is a bug in sessionbot: please report it."},
	{requestError, "msg_too_long", "The message is too long for Slack. This is a bug in sessionbot: please report it."},
	{requestError, "user_not_found", "Slack does not know this person; check the id."},
	{requestError, "user_not_visible", "This person belongs to another workspace."},
	{requestError, "no_such_subteam", "Slack does not know this user group; check the id."},
	{requestError, "expired_trigger_id trigger_expired exchanged_trigger_id trigger_exchanged invalid_trigger_id invalid_trigger",
		"Slack opens a window only within three seconds of a click: try again."},
	{requestError, "not_found", "The window was closed."},
	{requestError, "not_enabled", "The app has no Home tab: paste manifest.yml again, or switch the Home tab on under App Home."},
	{requestError, "push_limit_reached", "Slack allows three windows on top of each other: close one."},
	{requestError, "view_too_large hash_conflict duplicate_external_id", "Slack rejected this window. This is a bug in sessionbot: please report it."},
	{requestError, "used_url", "Slack allows five answers to one request: ask again."},
	{requestError, "expired_url", "Slack allows answers for 30 minutes: ask again."},
	{requestError, "plan_upgrade_required paid_teams_only", "User groups need a paid Slack plan: list user ids instead."},
}
