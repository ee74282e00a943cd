// A small bot on the official SDK, as anybody would write it.
import bolt from '@slack/bolt';

const app = new bolt.App({
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  socketMode: true,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});

app.command('/ack', async ({ ack, command }) => ack(`acked ${command.text}`));

app.command('/ask', async ({ ack, respond, command }) => {
  await ack();
  await respond({
    text: `asked ${command.text}`,
    blocks: [
      { type: 'section', text: { type: 'mrkdwn', text: `<@${command.user_id}> asked *${command.text}*` } },
      { type: 'actions', elements: [
        { type: 'button', action_id: 'publish', value: command.text, text: { type: 'plain_text', text: 'Publish' } },
      ] },
    ],
  });
});

app.action('publish', async ({ ack, respond, action, body, client }) => {
  await ack();
  const posted = await client.chat.postMessage({ channel: body.channel.id, text: `publishing ${action.value}` });
  await client.chat.update({ channel: posted.channel, ts: posted.ts, text: `published ${action.value}` });
  await respond({ text: 'done', replace_original: true });
});

app.message('hello', async ({ message, say }) => say({ text: `hello <@${message.user}>`, thread_ts: message.ts }));

app.event('app_mention', async ({ event, client }) => {
  const { user } = await client.users.info({ user: event.user });
  await client.chat.postEphemeral({ channel: event.channel, user: event.user, text: `yes, ${user.real_name}?` });
});

const form = (title) => ({
  type: 'modal', callback_id: 'form', notify_on_close: true, private_metadata: 'kept',
  title: { type: 'plain_text', text: title }, submit: { type: 'plain_text', text: 'Save' },
  blocks: [
    { type: 'input', block_id: 'name', label: { type: 'plain_text', text: 'Name' }, element: { type: 'plain_text_input', action_id: 'text' } },
    { type: 'input', block_id: 'kind', label: { type: 'plain_text', text: 'Kind' }, element: { type: 'external_select', action_id: 'kinds', min_query_length: 0 } },
    { type: 'actions', block_id: 'more', elements: [{ type: 'button', action_id: 'more', text: { type: 'plain_text', text: 'More' } }] },
  ],
});

app.shortcut('find', async ({ ack, shortcut, client }) => {
  await ack();
  await client.views.open({ trigger_id: shortcut.trigger_id, view: form(shortcut.type === 'shortcut' ? 'Find' : shortcut.message.text) });
});

app.options('kinds', async ({ ack, options }) => ack({
  options: ['cat', 'dog'].filter((kind) => kind.startsWith(options.value)).map((kind) => ({ text: { type: 'plain_text', text: kind }, value: kind })),
}));

app.action('more', async ({ ack, body, client }) => {
  await ack();
  await client.views.push({ trigger_id: body.trigger_id, view: { ...form('More'), submit: undefined, notify_on_close: false, blocks: [{ type: 'divider' }] } });
});

app.view('form', async ({ ack, view, body, client }) => {
  const { value } = view.state.values.name.text;
  if (value.length < 3) {
    await ack({ response_action: 'errors', errors: { name: 'Too short' } });
    return;
  }
  await ack({ response_action: 'clear' });
  const kind = view.state.values.kind.kinds.selected_option.value;
  await client.chat.postMessage({ channel: body.user.id, text: `${value} the ${kind}, ${view.private_metadata}` });
});

app.view({ callback_id: 'form', type: 'view_closed' }, async ({ ack, body, client }) => {
  await ack();
  await client.chat.postMessage({ channel: body.user.id, text: 'closed' });
});

app.event('app_home_opened', async ({ event, client }) => client.views.publish({
  user_id: event.user,
  view: { type: 'home', blocks: [
    { type: 'section', block_id: 's', text: { type: 'mrkdwn', text: `*At home* <@${event.user}>` }, accessory: {
      type: 'static_select', action_id: 'pick', options: ['one', 'two'].map((value) => ({ text: { type: 'plain_text', text: value }, value })) } },
  ] },
}));

app.action('pick', async ({ ack, action, body, client }) => {
  await ack();
  await client.views.publish({ user_id: body.user.id, view: { type: 'home', blocks: [
    { type: 'section', text: { type: 'mrkdwn', text: `picked ${action.selected_option.value}` } },
  ] } });
});

app.error(async (error) => console.error(error));
await app.start();
