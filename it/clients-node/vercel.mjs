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
  for await (const part of result.stream) {
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
      [`${api}.tools`, stream(modelOf, () => RESULT)],
    ]),
  ),
);
