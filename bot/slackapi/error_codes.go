package slackapi

import "strings"

// errorClass is what a refusal of Slack's holds for, and with it what may be tried next.
type errorClass int

const (
	unknownError   errorClass = iota
	transientError            // the same call may succeed later
	unclearError              // likewise, and it may have been done all the same
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

// errorCodes are those that are known; any other is an unknownError.
var errorCodes = func() map[string]errorCode {
	byCode := map[string]errorCode{}
	for _, group := range errorGroups {
		for code := range strings.FieldsSeq(group.codes) {
			byCode[code] = errorCode{group.class, group.advice}
		}
	}
	return byCode
}()

// errorGroups are Slack's error codes, what they hold for and what helps.
var errorGroups = []struct {
	class         errorClass
	codes, advice string
}{
	{messageGone, "message_not_found thread_not_found", "The message was deleted: what it showed is posted anew."},
	{messageError, "edit_window_closed cant_update_message as_user_not_supported block_mismatch",
		"Slack lets nobody change this message any more: what it showed is posted anew."},
	{messageError, "cannot_reply_to_message cant_broadcast_message restricted_action_thread_locked",
		"Slack takes no replies to this message: what was to be said is posted anew."},

	{channelError, "not_in_channel", "Invite the bot into the channel: /invite @sessionbot."},
	{channelError, "channel_not_found",
		"Invite the bot into the channel: /invite @sessionbot. Where it is one of the configuration, check its id."},
	{channelError, "is_archived", "The channel is archived: unarchive it or choose another."},
	{channelError, "is_inactive", "The channel is frozen: ask an admin, or choose another."},
	{channelError, "channel_is_limited_access restricted_action restricted_action_read_only_channel restricted_action_thread_only_channel " +
		"restricted_action_non_threadable_channel no_permission not_authorized enterprise_is_restricted",
		"The channel's or the workspace's settings do not let the app post there: ask an admin to allow it, or choose another channel."},
	{channelError, "method_not_supported_for_channel_type channel_type_not_supported",
		"Apps cannot post in a conversation of this kind: choose a channel."},
	{channelError, "team_not_found",
		"The channel's workspace is not known to the app: choose a channel of the workspace that it is installed in."},
	{channelError, "messages_tab_disabled cannot_dm_bot user_disabled",
		"This person or app takes no direct messages of the bot: set ALERT_CHANNEL to a channel that it is a member of."},

	{transientError, "ratelimited rate_limited message_limit_exceeded", "Slack asks for a pause: try again in a minute."},
	{unclearError, "internal_error fatal_error request_timeout",
		"Slack has a fault of its own: try again in a minute, and see its status page."},
	{transientError, "service_unavailable update_failed",
		"Slack has a fault of its own: try again in a minute, and see its status page."},
	{transientError, "team_added_to_org org_login_required external_channel_migrating",
		"Slack is moving the channel or the workspace: try again in some minutes."},
	{transientError, "too_many_websockets",
		"Slack allows an app ten connections: stop the processes that nobody needs any more."},
	{transientError, "ekm_access_denied",
		"The workspace's key management refuses messages at present: ask one of its admins."},
	{transientError, "accesslimited",
		"The workspace allows the app's calls from certain networks only: have an admin add this one."},

	{blocksError, "invalid_blocks invalid_blocks_format",
		"Slack refuses the message's blocks: a fault of this program, please report it."},
	{blocksError, "msg_blocks_too_long", "The message is too long for Slack: a fault of this program, please report it."},

	{appError, "missing_scope", ""}, // the advice depends on the scope
	{appError, "invalid_auth not_authed",
		"Check that the token is whole and of this app; the app's pages show the current one."},
	{appError, "token_revoked", "The token was revoked: reinstall the app and use the new one."},
	{appError, "token_expired", "The token has expired: switch token rotation off or create a new one."},
	{appError, "account_inactive", "The app was removed or its workspace closed: reinstall it and use the new token."},
	{appError, "not_allowed_token_type",
		"SLACK_APP_TOKEN takes an app-level token (xapp-…), SLACK_BOT_TOKEN a bot token (xoxb-…)."},
	{appError, "team_access_not_granted", "The app is not approved for this workspace: ask one of its admins."},
	{appError, "two_factor_setup_required", "Slack asks for two-factor authentication: ask one of the workspace's admins."},
	{appError, "access_denied", "The workspace does not allow this app: ask one of its admins."},
	{appError, orgWideInstall,
		"The app is installed for the whole organization, where it cannot be told who belongs to the workspace: install it in that one workspace, and use the token shown there."},
	{appError, "link_disabled socket_mode_not_enabled",
		"Socket Mode is switched off: switch it on in the app's settings."},

	{unknownError, "unknown_method method_deprecated deprecated_endpoint",
		"What answers does not have this call: check SLACK_API_URL if it is set, and install the newest version of this program."},
	{requestError, "invalid_arguments invalid_arg_name no_text too_many_attachments metadata_too_large invalid_metadata_format",
		"Slack does not understand what it was asked: a fault of this program, please report it."},
	{requestError, "msg_too_long", "The message is too long for Slack: a fault of this program, please report it."},
	{requestError, "user_not_found", "Slack does not know this person; check the id."},
	{requestError, "user_not_visible", "This person belongs to another workspace."},
	{requestError, "no_such_subteam", "Slack does not know this user group; check the id."},
	{requestError, "expired_trigger_id trigger_expired exchanged_trigger_id trigger_exchanged invalid_trigger_id invalid_trigger",
		"Slack opens a window within three seconds of a click only: try again."},
	{requestError, "not_found", "The window was closed."},
	{requestError, "not_enabled", "The app has no Home tab: paste manifest.yml again, or switch the Home tab on under App Home."},
	{requestError, "push_limit_reached", "Slack shows three windows above each other: close one."},
	{requestError, "view_too_large hash_conflict duplicate_external_id", "Slack does not take this window: a fault of this program, please report it."},
	{requestError, "used_url", "Slack takes five answers to one request: ask again."},
	{requestError, "expired_url", "Slack takes answers for 30 minutes: ask again."},
	{requestError, "plan_upgrade_required paid_teams_only", "User groups need a paid plan of Slack: list user ids instead."},
}
