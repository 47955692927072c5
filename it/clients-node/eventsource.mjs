import { EventSource } from 'eventsource';
import { drive, PROMPT } from './drive.mjs';

/** Reads `/chat` as a page does; `finish` is what the `done` event said, or how the connection came to its end. */
function read(s, seen, closes) {
  const query = new URLSearchParams({ prompt: PROMPT, model: s.model, chunk: 'word' });
  const source = new EventSource(`${s.baseUrl}/chat?${query}`);
  return new Promise((resolve, reject) => {
    source.onmessage = ({ data }) => {
      if (data !== '[DONE]') seen.delta(data);
    };
    source.addEventListener('done', ({ data }) => {
      seen.finish = JSON.parse(data).reason;
      if (closes) {
        source.close();
        resolve();
      }
    });
    source.addEventListener('error', (event) => {
      if (event.data) {
        source.close();
        reject(new Error(JSON.parse(event.data).error.message));
      } else if (source.readyState === EventSource.CLOSED) {
        // After 204, or a status that is an error: it will not connect again.
        if (seen.finish) seen.finish += ` ${event.code}`;
        if (seen.finish) resolve();
        else reject(Object.assign(new Error(event.message), { status: event.code }));
      }
    });
  });
}

drive({
  'chat.closes': (s, seen) => read(s, seen, true),
  'chat.forgets': (s, seen) => read(s, seen, false),
});
