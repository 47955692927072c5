/** What an answer has beside its text: its reasoning, which is folded, and the calls of tools as code. */

export class Parts {
  #reasoning;
  #calls;
  #text = '';
  #known = new Map();

  /** Shows them in `section`, in its `.reasoning` and its `.calls`. */
  constructor(section) {
    this.#reasoning = section.querySelector('.reasoning');
    this.#calls = section.querySelector('.calls');
  }

  clear() {
    this.#text = '';
    this.#known.clear();
    this.#reasoning.hidden = true;
    this.#calls.replaceChildren();
  }

  /** Whether there is some reasoning. */
  get reasons() {
    return this.#text !== '';
  }

  /** Takes an event, if it is one of these. */
  take(event, data) {
    if (event === 'reasoning') {
      this.#text += data.text;
    } else if (event === 'tool_call') {
      const call = this.#known.get(data.index) ?? { name: '', json: '' };
      this.#known.set(data.index, { name: call.name || (data.name ?? ''), json: call.json + (data.arguments ?? '') });
    }
  }

  /** Shows what was taken. */
  show() {
    if (this.#text) {
      this.#reasoning.hidden = false;
      this.#reasoning.querySelector('p').textContent = this.#text;
    }
    [...this.#known.values()].forEach((call, i) => {
      const figure = this.#calls.children[i] ?? this.#calls.appendChild(emptyCall());
      figure.querySelector('b').textContent = call.name;
      figure.querySelector('code').textContent = indented(call.json);
    });
  }
}

/** As far as the arguments have come. */
function indented(json) {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

function emptyCall() {
  const figure = document.createElement('figure');
  const caption = document.createElement('figcaption');
  caption.append('Calls ', document.createElement('b'));
  const code = document.createElement('pre');
  code.tabIndex = 0;
  code.append(document.createElement('code'));
  figure.append(caption, code);
  return figure;
}
