/** The page of the streams in progress. */
import { Charts } from './charts.js';
import { Refused } from './chat.js';
import { feed, stop } from './feed.js';
import { comparing, inBytes, Rows } from './rows.js';
import { inWords } from './timing.js';

const REDRAW_MS = 250;
const FILTER_AFTER_MS = 250;
const AWAITING = ['connecting', 'retrying', 'waiting'];

const $ = (id) => document.getElementById(id);
const rows = new Rows($('rows'), end);
const charts = new Charts();
const address = new URLSearchParams(location.search);
const view = {
  sort: address.get('sort') ?? 'silence',
  order: address.get('order') ?? 'desc',
  filter: address.get('filter') ?? '',
};
/** What takes the relay's moments to those of this page; null until the relay has told one. */
let clock = null;
let compare = comparing(view.sort, view.order === 'asc');
let watching = null;

/** Watches, as the view says, in place of what was watched before. */
async function watch() {
  watching?.abort();
  const controller = (watching = new AbortController());
  $('note').hidden = true;
  try {
    for await (const { event, data, at } of feed(view, { key: $('key').value.trim(), signal: controller.signal })) {
      if (event === 'lost') {
        link('lost', 'Connecting again');
        forget();
      } else if (event === 'streams') {
        if (clock === null) forget();
        link('live', 'Live');
        clock = at - data.at;
        rows.update(data);
        show(data);
        draw();
      } else if (event === 'upstreams') {
        showUpstreams(data.upstreams);
      } else if (event === 'history') {
        charts.add(data, clock);
      }
    }
  } catch (error) {
    if (controller.signal.aborted) return;
    link('refused', 'Not connected');
    say(error instanceof Refused ? `${error.status}: ${error.message}` : String(error));
    $('unlock').hidden = !(error instanceof Refused && error.status === 401);
  }
}

function forget() {
  clock = null;
  rows.clear();
  charts.forget();
}

function draw() {
  if (clock !== null) rows.draw(performance.now() - clock, compare);
}

function show({ total, matched, stalled, held, states }) {
  $('total').textContent = total.toLocaleString('en');
  $('streaming').textContent = (states.streaming ?? 0).toLocaleString('en');
  $('waiting').textContent = AWAITING.reduce((sum, state) => sum + (states[state] ?? 0), 0).toLocaleString('en');
  $('stalled').textContent = stalled.toLocaleString('en');
  $('stalled-tile').classList.toggle('amber', stalled > 0);
  $('paused').textContent = (states.paused ?? 0).toLocaleString('en');
  $('held').textContent = inBytes(held);
  $('shown').textContent = rows.size < matched ? `the first ${rows.size} of ${matched.toLocaleString('en')}` : '';
  $('empty').hidden = matched > 0;
  $('empty').textContent = total > 0 ? 'No request in progress matches the filter.' : 'No request is in progress.';
}

function showUpstreams(upstreams) {
  const lines = upstreams.flatMap(({ name, full, p95, retries, origins }) =>
    origins.map((origin, i) => {
      const line = document.createElement('tr');
      line.dataset.serving = origin.serving;
      const cells = [
        i === 0 ? name : '',
        origin.url,
        health(origin, full),
        origin.inFlight.toLocaleString('en'),
        origin.ttft < 0 ? '–' : inWords(origin.ttft),
        i === 0 && p95 > 0 ? inWords(p95) : '',
        origin.ejections.toLocaleString('en'),
        i === 0 ? retries.toLocaleString('en') : '',
      ];
      cells.forEach((text, column) => {
        const cell = document.createElement(column === 0 ? 'th' : 'td');
        if (column === 0) cell.scope = 'row';
        if (column === 2) cell.className = 'health';
        if (column > 2) cell.className = 'number';
        cell.textContent = text;
        line.append(cell);
      });
      return line;
    }),
  );
  $('origins').replaceChildren(...lines);
}

function health({ serving, left, warming }, full) {
  switch (serving) {
    case 'yes':
      return full ? 'Full' : warming ? 'Serving again' : 'Serving';
    case 'ejected':
      return `Ejected, ${left} s left`;
    case 'on trial':
      return 'On trial';
    default:
      return 'Down';
  }
}

function link(state, text) {
  document.body.dataset.link = state;
  if ($('link').textContent !== text) $('link').textContent = text;
}

function say(text) {
  $('note').textContent = text;
  $('note').hidden = false;
}

async function end(id) {
  try {
    await stop(id, $('key').value.trim());
  } catch (error) {
    say(`${id} was not stopped. ${error.message}`);
  }
}

/** Makes the heads of the columns buttons, by which the table is sorted. */
function makeSortable() {
  for (const head of document.querySelectorAll('[data-sort]')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'sort';
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener('click', () => {
      const { sort } = head.dataset;
      const descends = head.classList.contains('number');
      if (view.sort === sort) view.order = view.order === 'asc' ? 'desc' : 'asc';
      else Object.assign(view, { sort, order: descends ? 'desc' : 'asc' });
      change();
    });
  }
}

function change() {
  compare = comparing(view.sort, view.order === 'asc');
  markSorted();
  history.replaceState(null, '', `?${new URLSearchParams(view)}`);
  forget();
  watch();
}

function markSorted() {
  for (const head of document.querySelectorAll('[data-sort]')) {
    if (head.dataset.sort === view.sort) {
      head.setAttribute('aria-sort', view.order === 'asc' ? 'ascending' : 'descending');
    } else head.removeAttribute('aria-sort');
  }
}

let filtering = null;
$('filter').value = view.filter;
$('filter').addEventListener('input', () => {
  clearTimeout(filtering);
  filtering = setTimeout(() => {
    view.filter = $('filter').value.trim();
    change();
  }, FILTER_AFTER_MS);
});
$('unlock').addEventListener('submit', (event) => {
  event.preventDefault();
  watch();
});
document.addEventListener('visibilitychange', () => {
  if (document.hidden) watching?.abort();
  else {
    forget();
    watch();
  }
});
makeSortable();
markSorted();
setInterval(draw, REDRAW_MS);
watch();
