import OpenAI from 'openai';
import { drive, PROMPT, RESULT, TOOL } from './drive.mjs';

const client = (s) =>
  new OpenAI({ baseURL: `${s.baseUrl}/v1`, apiKey: 'sk-client', maxRetries: 0 });

const chatRequest = (s) => ({
  model: s.model,
  stream: true,
  stream_options: { include_usage: true },
  messages: [{ role: 'user', content: PROMPT }],
  ...(s.tools && {
    tools: [
      { type: 'function', function: { name: TOOL.name, description: TOOL.description, parameters: TOOL.schema } },
    ],
  }),
});

const responsesRequest = (s) => ({
  model: s.model,
  stream: true,
  input: PROMPT,
  ...(s.tools && {
    tools: [
      { type: 'function', name: TOOL.name, description: TOOL.description, parameters: TOOL.schema, strict: false },
    ],
  }),
});

async function chat(stream, seen) {
  for await (const chunk of stream) {
    for (const choice of chunk.choices) {
      seen.delta(choice.delta.content);
      for (const call of choice.delta.tool_calls ?? []) {
        seen.toolCall(call.index, call.function?.name, call.function?.arguments);
      }
      seen.finish = choice.finish_reason ?? seen.finish;
    }
    if (chunk.usage) seen.usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens);
  }
}

async function responses(stream, seen) {
  for await (const event of stream) {
    switch (event.type) {
      case 'response.output_text.delta':
        seen.delta(event.delta);
        break;
      case 'response.output_item.added':
        if (event.item.type === 'function_call') seen.toolCall(event.output_index, event.item.name);
        break;
      case 'response.function_call_arguments.delta':
        seen.toolCall(event.output_index, undefined, event.delta);
        break;
      case 'response.completed':
      case 'response.incomplete':
      case 'response.failed':
        seen.finish = event.response.status;
        seen.usage(event.response.usage?.input_tokens, event.response.usage?.output_tokens);
        break;
    }
  }
}

/** The first `most` deltas of a stream that is then left; `at` learns where that was. */
async function* begin(stream, most, at) {
  for await (const event of stream) {
    at.events = (at.events ?? 0) + 1;
    at.number = event.sequence_number;
    at.id ??= event.response?.id;
    yield event;
    const delta = event.type?.endsWith('.delta') || event.choices?.[0]?.delta.content;
    if (delta && --most === 0) return;
  }
}

async function* skip(stream, count) {
  for await (const event of stream) {
    if (count-- <= 0) yield event;
  }
}

drive({
  chat: async (s, seen) => chat(await client(s).chat.completions.create(chatRequest(s)), seen),

  'chat.helper': async (s, seen) => {
    const stream = client(s).chat.completions.stream(chatRequest(s));
    await chat(stream, seen);
    const completion = await stream.finalChatCompletion();
    seen.finish = completion.choices[0].finish_reason;
  },

  'chat.tools': async (s, seen) => {
    const first = chatRequest(s);
    const stream = client(s).chat.completions.stream(first);
    const { message } = (await stream.finalChatCompletion()).choices[0];
    const results = message.tool_calls.map((call) => {
      seen.toolCall(call.id, call.function.name, call.function.arguments);
      return { role: 'tool', tool_call_id: call.id, content: RESULT };
    });
    const second = { ...first, messages: [...first.messages, message, ...results] };
    await chat(await client(s).chat.completions.create(second), seen);
  },

  responses: async (s, seen) => responses(await client(s).responses.create(responsesRequest(s)), seen),

  'responses.helper': async (s, seen) => {
    const stream = client(s).responses.stream(responsesRequest(s));
    await responses(stream, seen);
    const response = await stream.finalResponse();
    seen.finish = response.status;
  },

  'responses.resumed': async (s, seen) => {
    const at = {};
    await responses(begin(await client(s).responses.create(responsesRequest(s)), 3, at), seen);
    await responses(await client(s).responses.retrieve(at.id, { stream: true, starting_after: at.number }), seen);
  },

  'responses.resumed.helper': async (s, seen) => {
    const at = {};
    await responses(begin(await client(s).responses.create(responsesRequest(s)), 3, at), seen);
    const rest = client(s).responses.stream({ response_id: at.id, starting_after: at.number });
    await responses(rest, seen);
    seen.finish = (await rest.finalResponse()).status;
  },

  'chat.followed': async (s, seen) => {
    const at = {};
    const { data, response } = await client(s).chat.completions.create(chatRequest(s)).withResponse();
    await chat(begin(data, 3, at), seen);
    const path = `/../millrace/streams/${response.headers.get('x-millrace-stream')}`;
    await chat(skip(await client(s).get(path, { stream: true }), at.events), seen);
  },

  'responses.tools': async (s, seen) => {
    const first = responsesRequest(s);
    const { output } = await client(s).responses.stream(first).finalResponse();
    // The SDK's own addition, which no server knows.
    const items = output.map(({ parsed_arguments, ...item }) => item);
    const calls = items.filter((item) => item.type === 'function_call');
    const results = calls.map((call) => {
      seen.toolCall(call.id, call.name, call.arguments);
      return { type: 'function_call_output', call_id: call.call_id, output: RESULT };
    });
    const second = { ...first, input: [{ role: 'user', content: PROMPT }, ...items, ...results] };
    await responses(await client(s).responses.create(second), seen);
  },

  'chat.body': async (s, seen) => {
    const { completions } = client(s).chat;
    seen.answers.push(
      await (s.body.stream ? completions.stream(s.body).finalChatCompletion() : completions.create(s.body)),
    );
  },

  // For answers that pass as they are: the helper wants more of a chunk than some servers say.
  'chat.pieces.body': async (s, seen) => {
    for await (const chunk of await client(s).chat.completions.create(s.body)) seen.answers.push(chunk);
  },

  'completions.body': async (s, seen) => {
    for await (const chunk of await client(s).completions.create(s.body)) seen.answers.push(chunk);
  },

  'responses.body': async (s, seen) => {
    const { responses } = client(s);
    seen.answers.push(await (s.body.stream ? responses.stream(s.body).finalResponse() : responses.create(s.body)));
  },
});
