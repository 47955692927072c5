/** The playground: asks `/chat`, shows the answer as it comes, and when each piece of it came. */
import { Beside, compared } from './beside.js';
import { chat, goOn, Refused, stop } from './chat.js';
import { Frames } from './frames.js';
import { show } from './markdown.js';
import { Parts } from './parts.js';
import { snippet } from './snippets.js';
import { Timeline } from './timeline.js';
import { inWords, Timing } from './timing.js';
import { Ways } from './ways.js';

const REDRAW_MS = 50;
/** Rendering takes at most a quarter of the time, however long the text has become. */
const RENDER_SHARE = 4;
const NEAR_END_PX = 120;
const KEPT = ['model', 'beside-model', 'unit', 'temperature', 'max_tokens'];
const FRAMES_MS = 250;
/** Ends at which an answer is not whole. */
const SHORT = {
  length: 'Cut at the token limit.',
  context_full: 'Cut, because the context is full.',
  content_filter: 'Cut by a content filter.',
  refusal: 'The model refused to answer.',
  tool_calls: 'The model calls a tool. This page has none.',
  pause: 'The model paused. It goes on if it is asked again.',
};
/** What this tab's answer in progress goes on by after a reload. */
const IN_PROGRESS = 'millrace.answer';

const $ = (id) => document.getElementById(id);
const timeline = new Timeline($('timeline'));
const parts = new Parts($('first'));
/** The one in progress, or null. */
let current = null;
/** The one that is shown, or null. */
let latest = null;
/** The answer of a second model. */
const beside = new Beside($('beside'), () => {
  if (current && current.timing.ended !== null) idle();
});

/** One question and what became of it. */
class Run {
  timing = new Timing();
  text = '';
  usage = null;
  stopReason = null;
  model = null;
  #controller = new AbortController();
  #key;
  /** The stream's id where the relay keeps the answer, else null. */
  #id = null;
  #stopped = false;
  #renderFrom = 0;
  #drawFrom = 0;
  #framesFrom = 0;
  #relayTtft = null;
  #head = null;
  #request = null;
  #ways = new Ways();
  #changed = false;
  frames = new Frames(this.timing.sent);

  constructor(key) {
    this.#key = key;
  }

  ask(request) {
    const kept = (id) => {
      this.#id = id;
      rememberAnswer(id);
    };
    this.#request = request;
    return this.#show(chat(request, { ...this.#options(), kept }));
  }

  /** Shows an answer that began before the page was loaded. */
  goOn(id) {
    this.#id = id;
    return this.#show(goOn(id, this.#options()));
  }

  #options() {
    return {
      key: this.#key,
      signal: this.#controller.signal,
      began: (response) => {
        this.#head = response.headers;
        this.#inspect();
      },
      frame: (text, at) => this.frames.add(text, at),
    };
  }

  async #show(events) {
    document.body.dataset.state = 'waiting';
    this.#frame();
    try {
      for await (const { event, data, at } of events) {
        this.#take(event, data, at);
        if (event === 'error') return this.#broken(data.error?.message ?? JSON.stringify(data));
      }
      if (this.stopReason !== null) this.#end(this.stopReason in SHORT ? 'short' : 'done', SHORT[this.stopReason] ?? '');
      else this.#broken('The stream ended without saying that the answer is complete.');
    } catch (error) {
      if (this.#stopped) {
        this.#end('stopped', 'Stopped here, by you.');
      } else if (error instanceof Refused) {
        if (error.status === 401) askForKey();
        this.#end('failed', refusal(error));
      } else if (this.text) this.#broken(`The connection was lost (${error.message}).`);
      else this.#end('failed', `No answer: the relay could not be reached (${error.message}).`);
    }
  }

  stop() {
    if (this.timing.ended !== null) return;
    this.#stopped = true;
    this.#controller.abort();
    // Who only leaves an answer that is kept may come back.
    if (this.#id) stop(this.#id, this.#key).catch(() => {});
  }

  #take(event, data, at) {
    parts.take(event, data);
    this.#changed = true;
    if (event === 'delta' && data.text) {
      this.timing.arrived(at);
      this.#ways.take(data);
      this.#relayTtft ??= data.ttft_ms ?? null;
      this.text += data.text;
      document.body.dataset.state = 'streaming';
    } else if (event === 'usage') {
      this.usage = data;
    } else if (event === 'stop') {
      this.stopReason = data.reason ?? 'no reason';
      this.model = data.model;
    }
  }

  #broken(reason) {
    this.#controller.abort();
    this.#end('failed', this.text ? `Broken off here. ${reason}` : `No answer. ${reason}`);
  }

  #end(state, note) {
    forgetAnswer();
    this.timing.end();
    document.body.dataset.state = state;
    $('answer').setAttribute('aria-busy', 'false');
    this.draw();
    this.#inspect();
    following(() => {
      show(this.text, $('answer'));
      parts.show();
      $('note').textContent = note;
      $('note').hidden = !note;
    });
    if (current === this && !beside.running) idle();
  }

  #frame = () => {
    if (this.timing.ended !== null) return;
    const now = performance.now();
    if (now >= this.#renderFrom) this.#render();
    if (now >= this.#drawFrom) {
      this.draw();
      this.#drawFrom = now + REDRAW_MS;
    }
    if (now >= this.#framesFrom) {
      this.drawFrames();
      this.#framesFrom = now + FRAMES_MS;
    }
    requestAnimationFrame(this.#frame);
  };

  #render() {
    if (!this.#changed) return;
    const from = performance.now();
    following(() => {
      show(this.text, $('answer'));
      parts.show();
    });
    this.#changed = false;
    const now = performance.now();
    this.#renderFrom = now + RENDER_SHARE * (now - from);
  }

  /** What the relay says of the answer, beside what this page saw. */
  #inspect() {
    const of = (name) => this.#head?.get(name) ?? null;
    const facts = {
      Request: of('x-millrace-request-id'),
      Upstream: of('x-millrace-upstream'),
      Attempts: of('x-millrace-attempts'),
      'Provider’s id': of('x-request-id'),
      'TTFT by the relay': this.#relayTtft === null ? null : inWords(this.#relayTtft),
      'TTFT by this page': this.timing.ttft === null ? null : inWords(this.timing.ttft),
    };
    const entries = Object.entries(facts).filter(([, value]) => value !== null);
    $('details').replaceChildren(
      ...entries.map(([name, value]) => {
        const pair = document.createElement('div');
        pair.append(element('dt', name), element('dd', value));
        return pair;
      }),
    );
    this.#compare();
    $('inspect').hidden = entries.length === 0 && this.#request === null;
    this.drawFrames();
  }

  /** The same answer as the relay and as this page saw it. A page that only went on with it has not seen all of it. */
  #compare() {
    const rows = this.#request === null || this.timing.ended === null ? [] : this.#ways.rows(this.timing);
    $('ways').hidden = rows.length === 0;
    $('way-rows').replaceChildren(
      ...rows.map(([name, ...figures]) => {
        const row = document.createElement('tr');
        const head = element('th', name);
        head.scope = 'row';
        row.append(head, ...figures.map((figure) => element('td', figure)));
        return row;
      }),
    );
  }

  drawFrames() {
    const { count, heartbeats } = this.frames;
    $('frame-count').textContent = heartbeats ? `${count}, ${heartbeats} of them heartbeats` : count || '';
    if ($('frames').open) $('frame-rows').replaceChildren(...this.frames.rows($('frame-filter').value));
  }

  /** The request as a program makes it; null where the page only went on with an answer. */
  snippet(language) {
    return this.#request && snippet(language, this.#request, new URL('chat', location.href).href);
  }

  draw() {
    const { timing } = this;
    const figures = timing.figures();
    const silent = timing.silence !== null && timing.silence >= figures.stallFrom ? timing.silence : null;
    document.body.classList.toggle('silent', silent !== null);
    timeline.draw(timing, figures);
    $('ttft').textContent = inWords(timing.ttft);
    $('median').textContent = inWords(figures.median);
    $('longest').textContent = inWords(silent === null ? figures.longest : Math.max(silent, figures.longest ?? 0));
    $('stalls').textContent = timing.arrivals.length ? figures.stalls + (silent === null ? 0 : 1) : '–';
    $('total').textContent = inWords(timing.total);
    $('usage').textContent = this.usage ? tokens(this.usage) : '–';
    $('compared').textContent = compared(timing, this.usage);
    say(this.#state(silent));
    if (timing.ended !== null) $('timeline').setAttribute('aria-label', summary(timing, figures));
  }

  #state(silent) {
    const { units } = this.timing;
    const came = `${units} ${units === 1 ? 'piece' : 'pieces'}`;
    switch (document.body.dataset.state) {
      case 'waiting':
        return parts.reasons ? 'Reasoning' : 'Waiting for the first token';
      case 'streaming':
        return silent === null ? 'Streaming' : `Silent for ${Math.floor(silent / 1000)} s`;
      case 'short':
        return [`Ended early: ${came}, ${this.stopReason}`, this.model].filter(Boolean).join(' · ');
      case 'done':
        return [`Done: ${came}, ${this.stopReason}`, this.model].filter(Boolean).join(' · ');
      case 'stopped':
        return `Stopped after ${came}`;
      default:
        return units ? `Broken off after ${came}` : 'Failed';
    }
  }
}

/** Changes what is shown; who has the end in sight keeps it in sight. */
function following(change) {
  const page = document.documentElement;
  const atEnd = page.scrollHeight - page.clientHeight - page.scrollTop < NEAR_END_PX;
  change();
  if (atEnd) page.scrollTop = page.scrollHeight;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function placeholder() {
  const { model } = document.body.dataset;
  if (!model) return 'model id';
  return model === 'default' ? model : `default: ${model}`;
}

/** Without a model, a relay that has no default one would refuse. */
function askForModel() {
  $('timing').hidden = true;
  $('note').textContent = 'Name a model first: the relay has no default model.';
  $('note').hidden = false;
  $('model').focus();
}

/** The key stays in the field: nothing stores it. */
function askForKey() {
  $('more').open = true;
  $('key').focus();
}

function refusal({ status, statusText, message }) {
  const line = `${status} ${statusText}`.trim();
  return message && message !== line ? `${line}: ${message}` : line;
}

function tokens({ input_tokens: input, output_tokens: output }) {
  return `${input ?? '?'} in, ${output ?? '?'} out`;
}

function summary(timing, figures) {
  if (timing.ttft === null) return `No text came in ${inWords(timing.total)}`;
  return (
    `First token after ${inWords(timing.ttft)}, then ${timing.arrivals.length - 1} gaps, the longest ` +
    `${inWords(figures.longest)}, ${figures.stalls} of them stalls; ${inWords(timing.total)} in all`
  );
}

/** Said once: a status that is written again is read out again. */
function say(state) {
  if ($('state').textContent !== state) $('state').textContent = state;
}

function begin() {
  const prompt = $('prompt').value;
  if (!prompt.trim()) {
    $('prompt').focus();
    return;
  }
  if (!$('model').value.trim() && document.body.dataset.model === '') {
    askForModel();
    return;
  }
  const request = { prompt, chunk: $('unit').value };
  if ($('model').value.trim()) request.model = $('model').value.trim();
  if ($('system').value.trim()) request.system = $('system').value;
  if ($('temperature').value) request.temperature = Number($('temperature').value);
  if ($('max_tokens').value) request.max_tokens = Number($('max_tokens').value);
  remember();
  start();
  const model = $('beside-model').value.trim();
  $('whose').textContent = request.model ?? document.body.dataset.model ?? 'the default model';
  if (model) beside.ask({ ...request, model }, $('key').value.trim());
  else beside.clear();
  current.ask(request);
}

function stopAll() {
  current?.stop();
  beside.stop();
}

/** Makes room for an answer, which is the current one from now on. */
function start() {
  $('answer').replaceChildren();
  parts.clear();
  $('answer').setAttribute('aria-busy', 'true');
  $('note').hidden = true;
  $('note').textContent = '';
  $('timing').hidden = false;
  $('inspect').hidden = true;
  $('copied').textContent = '';
  $('stop').hidden = false;
  $('go-label').textContent = 'Stop';
  $('go-key').textContent = 'Esc';
  current = latest = new Run($('key').value.trim());
}

/** Goes on with the answer that was in progress when this tab was loaded again, if the relay keeps it. */
function goOnAfterReload() {
  const answer = recallAnswer();
  if (!answer) return;
  $('prompt').value = answer.prompt;
  start();
  current.goOn(answer.id);
}

function idle() {
  current = null;
  $('stop').hidden = true;
  $('go-label').textContent = 'Send';
  $('go-key').textContent = SEND_KEY;
}

/** Offers the models that the upstream lists, and what to try where that is the mock. */
async function offerModels() {
  try {
    const key = $('key').value.trim();
    const response = await fetch('v1/models', { headers: key ? { Authorization: `Bearer ${key}` } : {} });
    if (!response.ok) return;
    const { data } = await response.json();
    const ids = data.map((model) => String(model.id)).sort();
    $('models').replaceChildren(
      ...ids.map((id) => {
        const option = document.createElement('option');
        option.value = id;
        return option;
      }),
    );
    $('try').hidden = !data.some((model) => model.id === 'mock' && model.owned_by === 'millrace');
  } catch {
    // Not every upstream has such a list.
  }
}

async function copy(text, said) {
  try {
    await navigator.clipboard.writeText(text);
    $('copied').textContent = said;
  } catch {
    $('copied').textContent = 'This browser does not let the page copy.';
  }
}

const SEND_KEY = /Mac|iPhone|iPad/.test(navigator.platform) ? '⌘ ↵' : 'Ctrl ↵';

function remember() {
  try {
    for (const id of KEPT) localStorage.setItem(`millrace.${id}`, $(id).value);
  } catch {
    // Where nothing may be stored, nothing is remembered.
  }
}

function recall() {
  try {
    for (const id of KEPT) $(id).value = localStorage.getItem(`millrace.${id}`) ?? $(id).value;
  } catch {
    // As above.
  }
}

function rememberAnswer(id) {
  try {
    sessionStorage.setItem(IN_PROGRESS, JSON.stringify({ id, prompt: $('prompt').value }));
  } catch {
    // As above.
  }
}

function recallAnswer() {
  try {
    return JSON.parse(sessionStorage.getItem(IN_PROGRESS));
  } catch {
    return null;
  }
}

function forgetAnswer() {
  try {
    sessionStorage.removeItem(IN_PROGRESS);
  } catch {
    // As above.
  }
}

$('ask').addEventListener('submit', (event) => {
  event.preventDefault();
  if (current) stopAll();
  else begin();
});
$('prompt').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.isComposing) {
    event.preventDefault();
    if (!current) begin();
  }
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') stopAll();
});
$('stop').addEventListener('click', stopAll);
for (const button of document.querySelectorAll('#try button')) {
  button.addEventListener('click', () => {
    if (current) return;
    $('model').value = button.dataset.model.replace('{n}', Date.now().toString(36));
    $('prompt').value = button.dataset.prompt;
    begin();
  });
}
for (const button of document.querySelectorAll('[data-copy]')) {
  button.addEventListener('click', () => {
    const text = latest?.snippet(button.dataset.copy);
    if (text) copy(text, 'Copied. The key is not in it.');
  });
}
$('copy-frames').addEventListener('click', () => {
  if (latest) copy(latest.frames.text($('frame-filter').value), 'Frames copied.');
});
document.addEventListener('click', ({ target }) => {
  if (!target.matches?.('.code .copy')) return;
  copy(target.closest('.code').querySelector('code').textContent, 'Copied.').then(() => {
    target.textContent = $('copied').textContent;
  });
});
$('frame-filter').addEventListener('input', () => latest?.drawFrames());
$('frames').addEventListener('toggle', () => latest?.drawFrames());
new ResizeObserver(() => latest?.draw()).observe($('timeline'));
$('model').placeholder = placeholder();
recall();
idle();
goOnAfterReload();
offerModels();
