// Asks until the relay refuses for its limit, without retries; then once more with the SDK's own retries.
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const messages = [{ role: 'user', content: 'Hi' }];
const sdks = {
  openai: (s, maxRetries) => {
    const client = new OpenAI({ baseURL: `${s.baseUrl}/v1`, apiKey: s.key, maxRetries });
    return async () => (await client.chat.completions.create({ model: 'mock', messages })).choices[0].message.content;
  },
  anthropic: (s, maxRetries) => {
    const client = new Anthropic({ baseURL: s.baseUrl, apiKey: s.key, maxRetries });
    return async () => (await client.messages.create({ model: 'mock', max_tokens: 9, messages })).content[0].text;
  },
};

async function run(s) {
  const impatient = sdks[s.name](s, 0);
  const said = { name: s.name };
  for (let i = 0; i < s.most && !said.error; i++) {
    await impatient().catch((error) => Object.assign(said, { error: error.constructor.name, message: error.message }));
  }
  said.text = await sdks[s.name](s, 2)();
  return said;
}

let input = '';
for await (const piece of process.stdin.setEncoding('utf8')) input += piece;
for (const said of await Promise.all(JSON.parse(input).map(run))) process.stdout.write(JSON.stringify(said) + '\n');
