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

app.error(async (error) => console.error(error));
await app.start();
