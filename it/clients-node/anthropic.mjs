import Anthropic from '@anthropic-ai/sdk';
import { drive, PROMPT, RESULT, TOOL } from './drive.mjs';

const client = (s) =>
  new Anthropic({ baseURL: s.baseUrl, apiKey: 'sk-client', maxRetries: 0 });

const request = (s) => ({
  model: s.model,
  max_tokens: 1024,
  messages: [{ role: 'user', content: PROMPT }],
  ...(s.tools && { tools: [{ name: TOOL.name, description: TOOL.description, input_schema: TOOL.schema }] }),
});

async function messages(stream, seen) {
  let input;
  for await (const event of stream) {
    switch (event.type) {
      case 'message_start':
        input = event.message.usage.input_tokens;
        break;
      case 'content_block_start':
        if (event.content_block.type === 'tool_use') seen.toolCall(event.index, event.content_block.name);
        break;
      case 'content_block_delta':
        if (event.delta.type === 'text_delta') seen.delta(event.delta.text);
        if (event.delta.type === 'input_json_delta') seen.toolCall(event.index, undefined, event.delta.partial_json);
        break;
      case 'message_delta':
        seen.finish = event.delta.stop_reason;
        seen.usage(event.usage.input_tokens ?? input, event.usage.output_tokens);
        break;
    }
  }
}

drive({
  messages: async (s, seen) => messages(await client(s).messages.create({ ...request(s), stream: true }), seen),

  'messages.helper': async (s, seen) => {
    const stream = client(s).messages.stream(request(s));
    await messages(stream, seen);
    const message = await stream.finalMessage();
    seen.finish = message.stop_reason;
  },

  'messages.followed': async (s, seen) => {
    const { data, response } = await client(s).messages.create({ ...request(s), stream: true }).withResponse();
    const path = `/millrace/streams/${response.headers.get('x-millrace-stream')}`;
    let came = 0;
    async function* followed() {
      for await (const event of data) {
        came++;
        yield event;
        if (seen.deltas === 3) break;
      }
      for await (const event of await client(s).get(path, { stream: true })) {
        if (came-- <= 0) yield event;
      }
    }
    await messages(followed(), seen);
  },

  'messages.tools': async (s, seen) => {
    const first = request(s);
    const { content } = await client(s).messages.stream(first).finalMessage();
    const results = content
      .filter((block) => block.type === 'tool_use')
      .map((call) => {
        seen.toolCall(call.id, call.name, JSON.stringify(call.input));
        return { type: 'tool_result', tool_use_id: call.id, content: RESULT };
      });
    const turns = [...first.messages, { role: 'assistant', content }, { role: 'user', content: results }];
    await messages(await client(s).messages.create({ ...first, messages: turns, stream: true }), seen);
  },

  'messages.body': async (s, seen) => {
    const { messages } = client(s);
    seen.answers.push(await (s.body.stream ? messages.stream(s.body).finalMessage() : messages.create(s.body)));
  },
});
