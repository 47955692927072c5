/**
 * The picture of a {@link Timing}: time runs to the right; first the wait for the first token, then each gap as a block as
 * wide as it was long, and as high as its logarithm, so that a stall stands out and the usual pace stays visible; last
 * what has passed since.
 */
import { inWords } from './timing.js';

const HEIGHT = 64;
const AXIS = 16;
const FLOOR = HEIGHT - AXIS;
const SHORTEST_SPAN_MS = 400;
const SHORTEST_MS = 4;
const TALLEST_AT_LEAST_MS = 250;
const STEPS_MS = [100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 60_000, 120_000, 300_000, 600_000];
const ROOM_PER_STEP = 72;
const LABEL_ROOM = 52;

export class Timeline {
  #svg;
  #wait = shape('path', 'wait');
  #gaps = shape('path', 'gaps');
  #stalls = shape('path', 'stalls');
  #ticks = shape('path', 'ticks');
  #axis = shape('path', 'axis');
  #labels = shape('g', 'labels');

  constructor(svg) {
    this.#svg = svg;
    svg.replaceChildren(this.#axis, this.#wait, this.#gaps, this.#stalls, this.#ticks, this.#labels);
  }

  draw(timing, figures) {
    const width = this.#svg.clientWidth;
    if (!width) return;
    this.#svg.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    const now = timing.ended ?? performance.now();
    const span = Math.max(now - timing.sent, SHORTEST_SPAN_MS);
    const x = (at) => ((at - timing.sent) / span) * width;
    const first = timing.arrivals[0] ?? now;
    const last = timing.arrivals.at(-1) ?? now;
    const tallest = Math.log(Math.max(figures.longest ?? 0, now - last, TALLEST_AT_LEAST_MS) / SHORTEST_MS);
    const height = (gap) => Math.max(0.08, Math.log(Math.max(gap, SHORTEST_MS) / SHORTEST_MS) / tallest) * (FLOOR - 4);

    const labels = [];
    const open = timing.silence !== null && now - last >= figures.stallFrom;
    const since = block(x(last), x(now), height(now - last));
    this.#wait.setAttribute('d', block(0, x(first), FLOOR - 4) + (open ? '' : since));
    if (x(first) > LABEL_ROOM) labels.push(label(x(first) / 2, FLOOR / 2 + 2, inWords(first - timing.sent), 'in-wait'));

    let usual = '';
    let stalled = '';
    let ticks = '';
    for (let i = 0; i < timing.arrivals.length; i++) {
      const to = x(timing.arrivals[i]);
      const gap = figures.gaps[i - 1];
      const top = i === 0 ? FLOOR - 4 : height(gap);
      ticks += `M${to.toFixed(1)} ${FLOOR}v${(-top).toFixed(1)}`;
      if (i === 0) continue;
      const from = x(timing.arrivals[i - 1]);
      if (gap < figures.stallFrom) {
        usual += block(from, to, top);
      } else {
        stalled += block(from, to, top);
        if (to - from > LABEL_ROOM) labels.push(label((from + to) / 2, FLOOR - top / 2 + 4, inWords(gap), 'in-stall'));
      }
    }
    if (open) {
      stalled += since;
      if (x(now) - x(last) > LABEL_ROOM) {
        labels.push(label((x(last) + x(now)) / 2, FLOOR - height(now - last) / 2 + 4, inWords(now - last), 'in-stall'));
      }
    }
    this.#gaps.setAttribute('d', usual);
    this.#stalls.setAttribute('d', stalled);
    this.#ticks.setAttribute('d', ticks);
    this.#labels.replaceChildren(...labels, ...this.#drawAxis(width, span));
  }

  #drawAxis(width, span) {
    const step = STEPS_MS.find((ms) => (ms / span) * width >= ROOM_PER_STEP) ?? STEPS_MS.at(-1);
    const labels = [];
    let d = `M0 ${FLOOR + 0.5}H${width}`;
    for (let ms = 0; ms <= span; ms += step) {
      const at = (ms / span) * width;
      d += `M${at.toFixed(1)} ${FLOOR}v4`;
      if (at < width - 24) labels.push(label(at, HEIGHT - 2, ms === 0 ? '0' : onAxis(ms), ms === 0 ? 'at-start' : ''));
    }
    this.#axis.setAttribute('d', d);
    return labels;
  }
}

function onAxis(ms) {
  return ms < 1_000 ? `${ms} ms` : ms < 60_000 ? `${ms / 1_000} s` : `${ms / 60_000} min`;
}

function block(from, to, height) {
  return `M${from.toFixed(1)} ${FLOOR}v${(-height).toFixed(1)}H${to.toFixed(1)}V${FLOOR}z`;
}

function shape(name, className) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', name);
  element.setAttribute('class', className);
  return element;
}

function label(x, y, text, className) {
  const element = shape('text', className);
  element.setAttribute('x', x.toFixed(1));
  element.setAttribute('y', y.toFixed(1));
  element.textContent = text;
  return element;
}
