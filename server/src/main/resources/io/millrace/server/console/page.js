/** The playground: asks `/chat`, shows the answer as it comes, and when each piece of it came. */
import { chat, goOn, Refused, stop } from './chat.js';
import { show } from './markdown.js';
import { Timeline } from './timeline.js';
import { inWords, Timing } from './timing.js';

const REDRAW_MS = 50;
/** Rendering takes at most a quarter of the time, however long the text has become. */
const RENDER_SHARE = 4;
const NEAR_END_PX = 120;
const KEPT = ['model', 'unit'];
/** What this tab's answer in progress goes on by after a reload. */
const IN_PROGRESS = 'millrace.answer';

const $ = (id) => document.getElementById(id);
const timeline = new Timeline($('timeline'));
/** The one in progress, or null. */
let current = null;
/** The one that is shown, or null. */
let latest = null;

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
  #shown = '';
  #renderFrom = 0;
  #drawFrom = 0;

  constructor(key) {
    this.#key = key;
  }

  ask(request) {
    const kept = (id) => {
      this.#id = id;
      rememberAnswer(id);
    };
    return this.#show(chat(request, { key: this.#key, signal: this.#controller.signal, kept }));
  }

  /** Shows an answer that began before the page was loaded. */
  goOn(id) {
    this.#id = id;
    return this.#show(goOn(id, { key: this.#key, signal: this.#controller.signal }));
  }

  async #show(events) {
    document.body.dataset.state = 'waiting';
    this.#frame();
    try {
      for await (const { event, data, at } of events) {
        this.#take(event, data, at);
        if (event === 'error') return this.#broken(data.error?.message ?? JSON.stringify(data));
      }
      if (this.stopReason !== null) this.#end('done', '');
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
    this.#stopped = true;
    this.#controller.abort();
    // Who only leaves an answer that is kept may come back.
    if (this.#id) stop(this.#id, this.#key).catch(() => {});
  }

  #take(event, data, at) {
    if (event === 'delta' && data.text) {
      this.timing.arrived(at);
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
    following(() => {
      show(this.text, $('answer'));
      $('note').textContent = note;
      $('note').hidden = !note;
    });
    if (current === this) idle();
  }

  #frame = () => {
    if (this.timing.ended !== null) return;
    const now = performance.now();
    if (now >= this.#renderFrom) this.#render();
    if (now >= this.#drawFrom) {
      this.draw();
      this.#drawFrom = now + REDRAW_MS;
    }
    requestAnimationFrame(this.#frame);
  };

  #render() {
    if (this.#shown === this.text) return;
    const from = performance.now();
    following(() => show(this.text, $('answer')));
    this.#shown = this.text;
    const now = performance.now();
    this.#renderFrom = now + RENDER_SHARE * (now - from);
  }

  draw() {
    const { timing } = this;
    const figures = timing.figures();
    timeline.draw(timing, figures);
    $('ttft').textContent = inWords(timing.ttft);
    $('median').textContent = inWords(figures.median);
    $('longest').textContent = inWords(figures.longest);
    $('stalls').textContent = timing.arrivals.length ? figures.stalls : '–';
    $('total').textContent = inWords(timing.total);
    $('usage').textContent = this.usage ? tokens(this.usage) : '–';
    say(this.#state());
    if (timing.ended !== null) $('timeline').setAttribute('aria-label', summary(timing, figures));
  }

  #state() {
    const { units } = this.timing;
    const came = `${units} ${units === 1 ? 'piece' : 'pieces'}`;
    switch (document.body.dataset.state) {
      case 'waiting':
        return 'Waiting for the first token';
      case 'streaming':
        return 'Streaming';
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
  const request = { prompt, chunk: $('unit').value };
  if ($('model').value.trim()) request.model = $('model').value.trim();
  if ($('system').value.trim()) request.system = $('system').value;
  remember();
  start();
  current.ask(request);
}

/** Makes room for an answer, which is the current one from now on. */
function start() {
  $('answer').replaceChildren();
  $('answer').setAttribute('aria-busy', 'true');
  $('note').hidden = true;
  $('note').textContent = '';
  $('timing').hidden = false;
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
  $('go-label').textContent = 'Send';
  $('go-key').textContent = SEND_KEY;
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
  if (current) current.stop();
  else begin();
});
$('prompt').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !event.isComposing) {
    event.preventDefault();
    if (!current) begin();
  }
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') current?.stop();
});
new ResizeObserver(() => latest?.draw()).observe($('timeline'));
recall();
idle();
goOnAfterReload();
