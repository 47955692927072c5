import { GoogleGenAI } from '@google/genai';
import { drive, PROMPT, TOOL } from './drive.mjs';

drive({
  gemini: async (s, seen) => {
    const client = new GoogleGenAI({ apiKey: 'client-key', httpOptions: { baseUrl: s.baseUrl } });
    const stream = await client.models.generateContentStream({
      model: s.model,
      contents: PROMPT,
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
    let calls = 0;
    for await (const chunk of stream) {
      const candidate = chunk.candidates?.[0];
      for (const part of candidate?.content?.parts ?? []) {
        if (part.text && !part.thought) seen.delta(part.text);
        if (part.functionCall) {
          seen.toolCall(calls++, part.functionCall.name, JSON.stringify(part.functionCall.args));
        }
      }
      seen.finish = candidate?.finishReason ?? chunk.promptFeedback?.blockReason ?? seen.finish;
      seen.usage(chunk.usageMetadata?.promptTokenCount, chunk.usageMetadata?.candidatesTokenCount);
    }
  },
});
