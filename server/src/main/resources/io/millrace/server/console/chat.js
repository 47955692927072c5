/** A request to `/chat` and the events of its answer. */

/** The relay, or what stands before it, refused: nothing of an answer came. */
export class Refused extends Error {
  constructor(status, statusText, message) {
    super(message);
    this.status = status;
    this.statusText = statusText;
  }
}

/**
 * Asks, and yields `{event, data, at}` as they come: `data` parsed from its JSON, `at` by `performance.now()` when it was
 * read, the same for all that one read brought. Returns when the body has ended, whether
 * or not that was the answer's end: an event says so.
 */
export async function* chat(request, { key, signal }) {
  const headers = { 'Content-Type': 'application/json', Accept: 'text/event-stream' };
  if (key) headers.Authorization = `Bearer ${key}`;
  const response = await fetch('chat', {
    method: 'POST',
    headers,
    body: JSON.stringify({ ...request, format: 'json' }),
    signal,
    cache: 'no-store',
  });
  if (!response.ok) throw new Refused(response.status, response.statusText, messageIn(await response.text()));
  const type = response.headers.get('content-type') ?? 'no type';
  if (!type.startsWith('text/event-stream')) throw new Refused(response.status, '', `Not an event stream but ${type}.`);
  for await (const { event, data, at } of events(response.body)) {
    if (data !== '[DONE]') yield { event, data: JSON.parse(data), at };
  }
}

/** Events as WHATWG HTML 9.2.6 has them, of a body of bytes: any line end, comments ignored, an unfinished one dropped. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let event = '';
  let data = [];
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const at = performance.now();
    rest += value;
    // A CR at the end may be the half of a CRLF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (data.length) yield { event: event || 'message', data: data.join('\n'), at };
        event = '';
        data = [];
        continue;
      }
      const colon = line.indexOf(':');
      const name = colon < 0 ? line : line.slice(0, colon);
      const text = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (name === 'event') event = text;
      else if (name === 'data') data.push(text);
    }
  }
}

/** What a body says went wrong: the message of an error in JSON, else its first words. */
function messageIn(body) {
  try {
    const json = JSON.parse(body);
    return String(json.error?.message ?? json.message ?? json.error ?? body);
  } catch {
    return body.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim().slice(0, 300);
  }
}
