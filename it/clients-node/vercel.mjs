import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { jsonSchema, streamText, tool } from 'ai';
import { drive, PROMPT, TOOL } from './drive.mjs';

globalThis.AI_SDK_LOG_WARNINGS = false;

const openai = (s) => createOpenAI({ baseURL: `${s.baseUrl}/v1`, apiKey: 'sk-client' });

const stream = (modelOf) => async (s, seen) => {
  const result = streamText({
    model: modelOf(s),
    prompt: PROMPT,
    maxRetries: 0,
    // Errors come as parts of the stream; by default they would also be printed.
    onError: () => {},
    ...(s.tools && {
      tools: { [TOOL.name]: tool({ description: TOOL.description, inputSchema: jsonSchema(TOOL.schema) }) },
    }),
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

drive({
  chat: stream((s) => openai(s).chat(s.model)),
  responses: stream((s) => openai(s).responses(s.model)),
  messages: stream((s) => createAnthropic({ baseURL: `${s.baseUrl}/v1`, apiKey: 'sk-client' })(s.model)),
  gemini: stream((s) => createGoogle({ baseURL: `${s.baseUrl}/v1beta`, apiKey: 'client-key' })(s.model)),
});
