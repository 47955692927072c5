import { randomUUID } from 'node:crypto';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { isStepCount, jsonSchema, streamText, tool } from 'ai';
import { drive, PROMPT, RESULT, TOOL } from './drive.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;

const openai = (s) => createOpenAI({ baseURL: `${s.baseUrl}/v1`, apiKey: 'sk-client' });

/** `execute` runs the tool, so that the SDK makes the round trip by itself. */
const stream = (modelOf, execute) => async (s, seen) => {
  const result = streamText({
    model: modelOf(s),
    prompt: PROMPT,
    maxRetries: 0,
    // Errors come as parts of the stream; by default they would also be printed.
    onError: () => {},
    ...(s.tools && {
      tools: { [TOOL.name]: tool({ description: TOOL.description, inputSchema: jsonSchema(TOOL.schema), execute }) },
    }),
    ...(execute && { stopWhen: isStepCount(2) }),
  });
  await read(result.stream, seen);
};

async function read(parts, seen) {
  for await (const part of parts) {
    switch (part.type) {
      case 'text-delta':
        seen.delta(part.text);
        break;
      case 'tool-call':
        seen.toolCall(part.toolCallId, part.toolName, JSON.stringify(part.input));
        break;
      case 'finish':
        seen.finish = part.finishReason;
        seen.usage(part.totalUsage.inputTokens, part.totalUsage.outputTokens);
        break;
      case 'error':
        seen.fail(part.error);
        break;
    }
  }
}

/** Leaves after three deltas, and asks again under the same name; skips what it had. */
const joined = (modelOf) => async (s, seen) => {
  const headers = { 'Idempotency-Key': randomUUID() };
  const asked = (abortSignal) =>
    streamText({ model: modelOf(s), prompt: PROMPT, maxRetries: 0, onError: () => {}, headers, abortSignal }).stream;
  const leaving = new AbortController();
  let came = 0;
  async function* whole() {
    for await (const part of asked(leaving.signal)) {
      if (part.type === 'text-delta') {
        yield part;
        if (++came === 3) break;
      }
    }
    leaving.abort();
    for await (const part of asked()) {
      if (part.type !== 'text-delta' || came-- <= 0) yield part;
    }
  }
  await read(whole(), seen);
};

const namesOfTools = (body) =>
  (body.tools ?? []).flatMap((entry) => entry.functionDeclarations ?? [entry.function ?? entry]).map(({ name }) => name);

/** Of Responses, the SDK hands on no status, only why an answer is incomplete. */
const stopOf = (api, { rawFinishReason: raw }) => {
  if (api !== 'responses') return raw;
  return raw ? `incomplete:${raw}` : 'completed';
};

/** Asks in the SDK's own words, with the tools that the body names; hands on one answer in the form of Chat. */
const offering = (api, modelOf) => async (s, seen) => {
  const schema = jsonSchema({ type: 'object', additionalProperties: true });
  const result = streamText({
    model: modelOf(s),
    prompt: PROMPT,
    maxRetries: 0,
    onError: () => {},
    tools: Object.fromEntries(namesOfTools(s.body).map((name) => [name, tool({ inputSchema: schema })])),
  });
  const message = { content: '', tool_calls: [] };
  for await (const part of result.stream) {
    switch (part.type) {
      case 'text-delta':
        message.content += part.text;
        break;
      case 'tool-call':
        message.tool_calls.push({
          id: part.toolCallId,
          function: { name: part.toolName, arguments: JSON.stringify(part.input) },
        });
        break;
      case 'finish':
        seen.answers.push({
          choices: [{ message, finish_reason: stopOf(api, part) }],
          usage: { prompt_tokens: part.totalUsage.inputTokens, completion_tokens: part.totalUsage.outputTokens },
        });
        break;
      case 'error':
        seen.fail(part.error);
        break;
    }
  }
};

const models = {
  chat: (s) => openai(s).chat(s.model),
  responses: (s) => openai(s).responses(s.model),
  messages: (s) => createAnthropic({ baseURL: `${s.baseUrl}/v1`, apiKey: 'sk-client' })(s.model),
  gemini: (s) => createGoogle({ baseURL: `${s.baseUrl}/v1beta`, apiKey: 'client-key' })(s.model),
};

drive(
  Object.fromEntries(
    Object.entries(models).flatMap(([api, modelOf]) => [
      [api, stream(modelOf)],
      [`${api}.body`, offering(api, modelOf)],
      [`${api}.tools`, stream(modelOf, () => RESULT)],
      [`${api}.joined`, joined(modelOf)],
    ]),
  ),
);
