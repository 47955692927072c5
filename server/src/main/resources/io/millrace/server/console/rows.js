/** The table of the streams in progress. */
import { inWords } from './timing.js';

const SURE_MS = 3_000;
/** As the relay counts them: so long without output is a stall, before the first output and after it. */
const LATE_MS = 10_000;
const STALL_MS = 1_000;
const AWAITING = ['connecting', 'retrying', 'waiting'];
const STATES = {
  reading: 'Reading the request',
  connecting: 'Connecting',
  retrying: 'Before a retry',
  waiting: 'Waiting for output',
  streaming: 'Streaming',
  paused: 'Client is slow',
  ending: 'Ending',
};
/** Cells by the column that they belong to. */
const CELLS = ['id', 'client', 'model', 'upstream', 'state', 'age', 'ttft', 'silence', 'frames', 'bytes', 'held'];
const NUMBERS = ['age', 'ttft', 'silence', 'frames', 'bytes', 'held'];

export class Rows {
  #body;
  #onStop;
  #rows = new Map();
  #pointed = false;

  /** Rows in `body`; `onStop` is told the id of a stream that is to be stopped. */
  constructor(body, onStop) {
    this.#body = body;
    this.#onStop = onStop;
    // Nothing moves away from under a pointer.
    body.addEventListener('pointerenter', () => (this.#pointed = true));
    body.addEventListener('pointerleave', () => (this.#pointed = false));
  }

  get size() {
    return this.#rows.size;
  }

  clear() {
    this.#rows.clear();
    this.#body.replaceChildren();
  }

  /** Takes what has changed. */
  update({ rows, gone }) {
    for (const id of gone) {
      this.#rows.get(id)?.element.remove();
      this.#rows.delete(id);
    }
    for (const changes of rows) {
      const known = this.#rows.get(changes.id);
      if (known) Object.assign(known.stream, changes);
      else this.#rows.set(changes.id, this.#row(changes));
    }
  }

  /** Shows all rows as they are at `now`, a moment of the relay, in the order of `compare`. */
  draw(now, compare) {
    for (const row of this.#rows.values()) draw(row, now);
    if (this.#pointed || this.#body.contains(document.activeElement)) return;
    const sorted = [...this.#rows.values()].sort((a, b) => compare(a.stream, b.stream, now));
    sorted.forEach((row, i) => {
      if (this.#body.children[i] !== row.element) this.#body.insertBefore(row.element, this.#body.children[i] ?? null);
    });
  }

  #row(changes) {
    const stream = { ttft: -1, quiet: null, frames: 0, bytes: 0, held: 0, attempts: 0, ...changes };
    const element = document.createElement('tr');
    const cells = {};
    for (const name of CELLS) {
      cells[name] = document.createElement(name === 'id' ? 'th' : 'td');
      cells[name].className = NUMBERS.includes(name) ? `number ${name}` : name;
      element.append(cells[name]);
    }
    cells.id.scope = 'row';
    const last = document.createElement('td');
    last.className = 'act';
    last.append(this.#stopButton(stream.id));
    element.append(last);
    this.#body.append(element);
    return { stream, element, cells };
  }

  #stopButton(id) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'stop';
    let sure = null;
    const ask = () => {
      clearTimeout(sure);
      sure = null;
      button.textContent = 'Stop';
      button.setAttribute('aria-label', `Stop ${id}`);
      delete button.dataset.sure;
    };
    button.addEventListener('click', () => {
      if (sure === null) {
        button.textContent = 'Sure?';
        button.setAttribute('aria-label', `Sure? Stop ${id}`);
        button.dataset.sure = '';
        sure = setTimeout(ask, SURE_MS);
      } else {
        ask();
        button.disabled = true;
        this.#onStop(id);
      }
    });
    ask();
    return button;
  }
}

function draw({ stream, element, cells }, now) {
  const silence = silent(stream, now);
  const stalled = isStalled(stream, silence);
  element.classList.toggle('stalled', stalled);
  set(cells.id, stream.id, stream.path);
  set(cells.client, stream.client ?? stream.address, stream.address);
  set(cells.model, stream.model ?? '–');
  set(cells.upstream, stream.upstream ?? '–', stream.origin);
  const state = !stalled ? STATES[stream.state] : stream.state === 'streaming' ? 'Silent' : 'No output yet';
  set(cells.state, stream.attempts > 1 ? `${state}, attempt ${stream.attempts}` : state);
  cells.state.dataset.state = stalled ? 'stalled' : stream.state;
  set(cells.age, lasting(now - stream.began));
  set(cells.ttft, stream.ttft < 0 ? '–' : inWords(stream.ttft));
  set(cells.silence, silence === null ? '–' : silence < STALL_MS ? '·' : lasting(silence));
  set(cells.frames, stream.frames.toLocaleString('en'));
  set(cells.bytes, inBytes(stream.bytes));
  set(cells.held, stream.held ? inBytes(stream.held) : '–');
}

function set(cell, text, title) {
  if (cell.textContent !== text) cell.textContent = text;
  if (title && cell.title !== title) cell.title = title;
}

/** Milliseconds without output; null where none is awaited. */
function silent({ state, quiet }, now) {
  return quiet === null || state === 'ending' || state === 'reading' ? null : Math.max(0, now - quiet);
}

function isStalled({ state }, silence) {
  if (silence === null) return false;
  return state === 'streaming' ? silence >= STALL_MS : AWAITING.includes(state) && silence >= LATE_MS;
}

/** Compares two streams by a column, the smallest first, as the relay does. */
export function comparing(column, ascending) {
  const value = VALUES[column] ?? VALUES.silence;
  return (a, b, now) => {
    const order = compare(value(a, now), value(b, now)) || (column === 'silence' ? a.began < b.began ? 1 : -1 : 0);
    return (ascending ? order : -order) || compare(a.id, b.id);
  };
}

const VALUES = {
  id: (stream) => stream.id,
  client: (stream) => stream.client ?? stream.address,
  model: (stream) => stream.model ?? '',
  upstream: (stream) => stream.upstream ?? '',
  state: (stream) => Object.keys(STATES).indexOf(stream.state),
  age: (stream) => -stream.began,
  ttft: (stream) => stream.ttft,
  silence: (stream, now) => (isStalled(stream, silent(stream, now)) ? silent(stream, now) : 0),
  frames: (stream) => stream.frames,
  bytes: (stream) => stream.bytes,
  held: (stream) => stream.held,
};

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A time that goes on: `4.2 s`, `1:07`, `2:03:15`. */
export function lasting(ms) {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const two = (n) => String(Math.floor(n)).padStart(2, '0');
  const minutes = `${Math.floor(seconds / 60) % 60}:${two(seconds % 60)}`;
  return seconds < 3600 ? minutes : `${Math.floor(seconds / 3600)}:${minutes.padStart(5, '0')}`;
}

/** `512 B`, `1.5 kB`, `12 MB`. */
export function inBytes(bytes) {
  const units = ['B', 'kB', 'MB', 'GB'];
  let unit = 0;
  let value = bytes;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
