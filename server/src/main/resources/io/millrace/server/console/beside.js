/** The same prompt to a second model, whose answer comes beside that of the first. */
import { chat, Refused, stop } from './chat.js';
import { show } from './markdown.js';
import { Parts } from './parts.js';
import { inWords, Timing } from './timing.js';

/** Rendering takes at most a quarter of the time. */
const RENDER_SHARE = 4;

/** What two answers are compared by. */
export function compared(timing, usage) {
  const { median, longest } = timing.figures();
  const facts = [
    `TTFT ${inWords(timing.ttft)}`,
    `median gap ${inWords(median)}`,
    `longest ${inWords(longest)}`,
    `total ${inWords(timing.total)}`,
  ];
  if (usage) facts.push(`${usage.input_tokens ?? '?'} in, ${usage.output_tokens ?? '?'} out`);
  return facts.join(' · ');
}

export class Beside {
  #section;
  #parts;
  #done;
  #controller = null;
  #timing = null;
  /** The stream's id where the relay keeps the answer, else null. */
  #id = null;
  #key = '';
  #text = '';
  #usage = null;
  #renderFrom = 0;

  /** Shows in `section`; `done` is told when an answer is over. */
  constructor(section, done) {
    this.#section = section;
    this.#parts = new Parts(section);
    this.#done = done;
  }

  get running() {
    return this.#controller !== null;
  }

  /** Shows nothing. */
  clear() {
    this.#section.hidden = true;
    document.body.classList.remove('beside');
  }

  stop() {
    if (!this.running) return;
    this.#controller.abort();
    // Who only leaves an answer that is kept may come back.
    if (this.#id) stop(this.#id, this.#key).catch(() => {});
  }

  /** Shows the answer to `request` in place of the one that is in progress, if there is one. */
  async ask(request, key) {
    this.stop();
    this.#section.hidden = false;
    document.body.classList.add('beside');
    this.#part('.whose').textContent = request.model;
    this.#part('.prose').replaceChildren();
    this.#part('.prose').setAttribute('aria-busy', 'true');
    this.#note('');
    this.#parts.clear();
    this.#text = '';
    this.#usage = null;
    this.#id = null;
    this.#key = key;
    this.#timing = new Timing();
    const controller = (this.#controller = new AbortController());
    this.#count();
    const kept = (id) => (this.#id = id);
    const end = await this.#read(chat(request, { key, signal: controller.signal, kept }), controller.signal);
    if (this.#controller !== controller) return;
    this.#note(end);
    controller.abort();
    this.#controller = null;
    this.#timing.end();
    this.#show();
    this.#part('.prose').setAttribute('aria-busy', 'false');
    this.#count();
    this.#done();
  }

  /** Reads an answer to its end; returns what is to be noted of that. */
  async #read(events, signal) {
    try {
      let reason = null;
      for await (const { event, data, at } of events) {
        if (event === 'error') return `Broken off here. ${data.error?.message ?? ''}`;
        if (event === 'usage') this.#usage = data;
        if (event === 'stop') reason = data.reason ?? 'no reason';
        this.#parts.take(event, data);
        if (event === 'delta' && data.text) this.#take(data.text, at);
      }
      return reason === null ? 'The stream ended without saying that the answer is complete.' : '';
    } catch (error) {
      if (signal.aborted) return 'Stopped here, by you.';
      return error instanceof Refused ? `${error.status}: ${error.message}` : `The connection was lost (${error.message}).`;
    }
  }

  #take(text, at) {
    this.#timing.arrived(at);
    this.#text += text;
    const from = performance.now();
    if (from < this.#renderFrom) return;
    this.#show();
    this.#count();
    const now = performance.now();
    this.#renderFrom = now + RENDER_SHARE * (now - from);
  }

  #show() {
    show(this.#text, this.#part('.prose'));
    this.#parts.show();
  }

  #count() {
    this.#part('.compared').textContent = compared(this.#timing, this.#usage);
  }

  #note(text) {
    this.#part('.note').textContent = text;
    this.#part('.note').hidden = !text;
  }

  #part(name) {
    return this.#section.querySelector(name);
  }
}
