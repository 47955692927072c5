/** The frames of an answer as they came. */
import { inWords } from './timing.js';

const MOST = 5_000;
const MOST_SHOWN = 300;
const bytesOf = (text) => new TextEncoder().encode(text).length + 2;

export class Frames {
  #frames = [];
  #dropped = 0;
  #sent;

  /** Frames of an answer that was asked for at `sent`. */
  constructor(sent) {
    this.#sent = sent;
  }

  add(text, at) {
    const before = this.#frames.at(-1)?.at ?? this.#sent;
    this.#frames.push({ text, at, gap: at - before });
    if (this.#frames.length > MOST) {
      this.#frames.shift();
      this.#dropped++;
    }
  }

  get count() {
    return this.#frames.length + this.#dropped;
  }

  /** How many frames are only a sign of life: comments. */
  get heartbeats() {
    return this.#frames.filter((frame) => isHeartbeat(frame.text)).length;
  }

  /** The rows of the last frames that have `filter` in them. */
  rows(filter) {
    return this.#matching(filter).slice(-MOST_SHOWN).map((frame) => {
      const row = document.createElement('tr');
      if (isHeartbeat(frame.text)) row.className = 'heartbeat';
      const cells = [inWords(frame.at - this.#sent), inWords(frame.gap), String(bytesOf(frame.text)), frame.text];
      cells.forEach((text, i) => {
        const cell = document.createElement('td');
        if (i < 3) cell.className = 'number';
        cell.textContent = text;
        row.append(cell);
      });
      return row;
    });
  }

  /** The matching frames as they came. */
  text(filter) {
    return this.#matching(filter).map((frame) => `${frame.text}\n\n`).join('');
  }

  #matching(filter) {
    return filter ? this.#frames.filter((frame) => frame.text.includes(filter)) : this.#frames;
  }
}

function isHeartbeat(text) {
  return text.split('\n').every((line) => line.startsWith(':'));
}
