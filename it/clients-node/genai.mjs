import { randomUUID } from 'node:crypto';
import { GoogleGenAI } from '@google/genai';
import { drive, PROMPT, RESULT, TOOL } from './drive.mjs';

const models = (s) => new GoogleGenAI({ apiKey: 'client-key', httpOptions: { baseUrl: s.baseUrl } }).models;

const ask = (s, contents) =>
  models(s).generateContentStream({
    model: s.model,
    contents,
    ...(s.tools && {
      config: {
        tools: [
          {
            functionDeclarations: [
              { name: TOOL.name, description: TOOL.description, parametersJsonSchema: TOOL.schema },
            ],
          },
        ],
      },
    }),
  });

/** Returns all parts. */
async function read(stream, seen) {
  const parts = [];
  for await (const chunk of stream) {
    const candidate = chunk.candidates?.[0];
    for (const part of candidate?.content?.parts ?? []) {
      parts.push(part);
      if (part.text && !part.thought) seen.delta(part.text);
      if (part.functionCall) {
        seen.toolCall(parts.length, part.functionCall.name, JSON.stringify(part.functionCall.args));
      }
    }
    seen.finish = candidate?.finishReason ?? chunk.promptFeedback?.blockReason ?? seen.finish;
    seen.usage(chunk.usageMetadata?.promptTokenCount, chunk.usageMetadata?.candidatesTokenCount);
  }
  return parts;
}

drive({
  'gemini.body': async (s, seen) => {
    const { contents, ...config } = s.body;
    const stream = await models(s).generateContentStream({ model: s.model, contents, config });
    for await (const chunk of stream) seen.answers.push(chunk);
  },

  gemini: async (s, seen) => read(await ask(s, PROMPT), seen),

  // The same request under the same name: what the first one had comes again, and is skipped.
  'gemini.joined': async (s, seen) => {
    const headers = { 'Idempotency-Key': randomUUID() };
    const asked = (abortSignal) =>
      models(s).generateContentStream({
        model: s.model,
        contents: PROMPT,
        config: { abortSignal, httpOptions: { headers } },
      });
    const leaving = new AbortController();
    let came = 0;
    async function* whole() {
      for await (const chunk of await asked(leaving.signal)) {
        yield chunk;
        if (++came === 3) break;
      }
      leaving.abort();
      for await (const chunk of await asked()) {
        if (came-- <= 0) yield chunk;
      }
    }
    await read(whole(), seen);
  },

  'gemini.tools': async (s, seen) => {
    const prompt = { role: 'user', parts: [{ text: PROMPT }] };
    const parts = await read(await ask(s, [prompt]), seen);
    const results = parts
      .filter((part) => part.functionCall)
      .map(({ functionCall: { id, name } }) => ({ functionResponse: { id, name, response: { output: RESULT } } }));
    await read(await ask(s, [prompt, { role: 'model', parts }, { role: 'user', parts: results }]), seen);
  },
});
