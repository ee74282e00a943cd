// A bot on the official SDK that answers with what the keys of a session hold.
import bolt from '@slack/bolt';
import { createClient } from 'redis';

const { REDIS_URL: url, SLACK_BOT_TOKEN: token, SLACK_APP_TOKEN: appToken, SLACK_API_URL: slackApiUrl } = process.env;
const redis = await createClient({ url }).connect();
const app = new bolt.App({ token, appToken, socketMode: true, clientOptions: { slackApiUrl } });

app.command('/session', async ({ ack, respond, command }) => {
  await ack();
  const id = command.text.replace('debug ', '');
  const values = await Promise.all(['prompt:', 'webhook:', 'session:'].map((prefix) => redis.get(prefix + id)));
  await respond(`${id}: ${values.join(' ')}`);
});

await app.start();
