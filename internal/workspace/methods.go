package workspace

// methods are the Web API methods that the workspace has.
var methods = map[string]method{
	"api.test":              {run: apiTest},
	"apps.connections.open": {run: openConnection, appToken: true},
	"auth.test":             {run: authTest},
	"blocks.validate":       {run: validateBlocks},
	"bots.info":             {run: botInfo, scopes: []string{"users:read"}},
	"team.info":             {run: teamInfo, scopes: []string{"team:read"}},

	"chat.postMessage":   {run: postMessage, scopes: []string{"chat:write"}},
	"chat.postEphemeral": {run: postEphemeral, scopes: []string{"chat:write"}},
	"chat.update":        {run: updateMessage, scopes: []string{"chat:write"}},
	"chat.delete":        {run: deleteMessage, scopes: []string{"chat:write"}},
	"chat.getPermalink":  {run: permalink},

	"conversations.info":    {run: conversationInfo, scopes: reads},
	"conversations.list":    {run: conversationList, scopes: reads},
	"conversations.members": {run: conversationMembers, scopes: reads},
	"conversations.join":    {run: joinConversation, scopes: []string{"channels:join"}},
	"conversations.open":    {run: openConversation, scopes: []string{"im:write"}},
	"conversations.history": {run: history, scopes: histories},
	"conversations.replies": {run: replies, scopes: histories},

	"users.info":            {run: userInfo, scopes: []string{"users:read"}},
	"users.list":            {run: userList, scopes: []string{"users:read"}},
	"usergroups.list":       {run: groupList, scopes: []string{"usergroups:read"}},
	"usergroups.users.list": {run: groupMembers, scopes: []string{"usergroups:read"}},
}

var (
	reads     = []string{"channels:read", "groups:read", "im:read"}
	histories = []string{"channels:history", "groups:history", "im:history"}
)

// everyScope lists what a token may do whose app came without a manifest.
var everyScope = []string{
	"app_mentions:read", "channels:history", "channels:join", "channels:read",
	"chat:write", "commands", "groups:history", "groups:read",
	"im:history", "im:read", "im:write", "team:read", "usergroups:read",
	"users:read", "users:read.email",
}
