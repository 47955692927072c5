/** A request to `/chat` and the events of its answer. */

/** The relay, or what stands before it, refused: nothing of an answer came. */
export class Refused extends Error {
  constructor(status, statusText, message) {
    super(message);
    this.status = status;
    this.statusText = statusText;
  }
}

/** So often a stream that brings nothing more is asked for again, each time after twice the time. */
const TRIES = 6;
const FIRST_WAIT_MS = 250;

/**
 * Asks, and yields `{event, data, at}` as they come: `data` parsed from its JSON, `at` by `performance.now()` when it was
 * read, the same for all that one read brought. Returns when the body has ended, whether or not that was the answer's end:
 * an event says so. Where the relay keeps the answer, `kept` is told the stream's id, and a lost connection is made again
 * for what is missing. `began` is told the head of the answer, and `frame` each frame as it came, also heartbeats.
 */
export async function* chat(request, { key, signal, kept, began, frame }) {
  const response = await ask('chat', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream', ...credentials(key) },
    body: JSON.stringify({ ...request, format: 'json', parts: 'all' }),
    signal,
  });
  const id = response.headers.has('x-millrace-resume') ? response.headers.get('x-millrace-stream') : null;
  if (id) kept(id);
  began?.(response);
  yield* answer(response, id, { key, signal, frame });
}

/** Yields what `chat` does for the answer of a stream that is kept, from its start. */
export async function* goOn(id, { key, signal, began, frame }) {
  const response = await follow(id, 0, { key, signal });
  began?.(response);
  yield* answer(response, id, { key, signal, frame });
}

/** Ends an answer that is kept. To leave it does not end it. */
export function stop(id, key) {
  return fetch(`millrace/streams/${id}`, { method: 'DELETE', headers: credentials(key), keepalive: true });
}

async function ask(url, options) {
  const response = await fetch(url, { ...options, cache: 'no-store' });
  if (!response.ok) throw await refusedBy(response);
  const type = response.headers.get('content-type') ?? 'no type';
  if (response.status !== 204 && !type.startsWith('text/event-stream')) {
    throw new Refused(response.status, '', `Not an event stream but ${type}.`);
  }
  return response;
}

/** The bytes of a stream that is kept, from `offset` on. */
function follow(id, offset, { key, signal }) {
  return ask(`millrace/streams/${id}?offset=${offset}`, { headers: credentials(key), signal });
}

export function credentials(key) {
  return key ? { Authorization: `Bearer ${key}` } : {};
}

async function* answer(first, id, options) {
  const events = new Events(options.frame);
  let ended = false;
  let tries = 0;
  let offset = 0;
  for (let response = first; response; ) {
    try {
      for await (const bytes of chunks(response)) {
        tries = 0;
        offset += bytes.length;
        for (const { event, data, at } of events.read(bytes)) {
          ended ||= event === 'stop' || event === 'error';
          if (data !== '[DONE]') yield { event, data: JSON.parse(data), at };
        }
      }
      response = null;
    } catch (error) {
      if (!id || options.signal.aborted || error instanceof SyntaxError) throw error;
    }
    if (ended || !id) return;
    response = await followAgain(id, offset, options, tries++);
  }
}

/** The rest of a stream whose connection was lost; null if there is none. */
async function followAgain(id, offset, options, tried) {
  for (let tries = tried; ; tries++) {
    await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** tries));
    try {
      const response = await follow(id, offset, options);
      return response.status === 204 ? null : response;
    } catch (error) {
      const final = error instanceof Refused && error.status !== 503;
      if (final || options.signal.aborted || tries >= TRIES) throw error;
    }
  }
}

async function* chunks(response) {
  if (!response.body) return;
  const reader = response.body.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** Events as WHATWG HTML 9.2.6 has them, of a body in parts: any line end, comments ignored, an unfinished one dropped. */
export class Events {
  #decoder = new TextDecoder();
  #rest = '';
  #event = '';
  #data = [];
  #lines = [];
  #onFrame;

  /** `onFrame`, if given, is told the text of each frame and when it was read, also of those that are no events. */
  constructor(onFrame) {
    this.#onFrame = onFrame;
  }

  /** The events that end in these bytes. */
  *read(bytes) {
    const at = performance.now();
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    // A CR at the end may be the half of a CRLF.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) {
      if (line === '') {
        if (this.#onFrame && this.#lines.length) this.#onFrame(this.#lines.join('\n'), at);
        this.#lines = [];
        if (this.#data.length) yield { event: this.#event || 'message', data: this.#data.join('\n'), at };
        this.#event = '';
        this.#data = [];
        continue;
      }
      if (this.#onFrame) this.#lines.push(line);
      const colon = line.indexOf(':');
      const name = colon < 0 ? line : line.slice(0, colon);
      const text = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (name === 'event') this.#event = text;
      else if (name === 'data') this.#data.push(text);
    }
  }
}

export async function refusedBy(response) {
  return new Refused(response.status, response.statusText, messageIn(await response.text()));
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
