/** The feed of the relay's streams in progress. */
import { credentials, Events, Refused, refusedBy } from './chat.js';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;

/**
 * Yields `{event, data, at}` of `GET live` for ever, also over lost connections, whose first event is `{event: 'lost'}`.
 * What is known of the streams is then to be forgotten: the next events tell all of it again. Throws when the relay
 * refuses, or when `signal` is aborted.
 */
export async function* feed(query, { key, signal }) {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      const response = await fetch(`live?${new URLSearchParams(query)}`, {
        headers: credentials(key),
        cache: 'no-store',
        signal,
      });
      if (!response.ok) throw await refusedBy(response);
      const events = new Events();
      const reader = response.body.getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        wait = FIRST_WAIT_MS;
        for (const { event, data, at } of events.read(value)) yield { event, data: JSON.parse(data), at };
      }
    } catch (error) {
      const final = error instanceof Refused && error.status !== 503;
      if (final || signal.aborted) throw error;
    }
    yield { event: 'lost' };
    await new Promise((resolve) => setTimeout(resolve, wait));
    signal.throwIfAborted();
  }
}

/** Ends a request in progress. Returns whether there was one. */
export async function stop(id, key) {
  const response = await fetch(`live/${encodeURIComponent(id)}`, { method: 'DELETE', headers: credentials(key) });
  if (!response.ok && response.status !== 404) throw await refusedBy(response);
  return response.ok;
}
