/** Charts of the last ten minutes. */
import { inWords } from './timing.js';
import uPlot from './vendor/uplot.js';

const SPAN_MS = 600_000;
const HEIGHT = 132;
const defined = (value) => (value == null || Number.isNaN(value) ? null : value);
const ms = (value) => (value == null ? '–' : inWords(value));
const perSecond = (value) => (value == null ? '–' : value === 0 ? '0/s' : `${value < 9.95 ? value.toFixed(1) : Math.round(value)}/s`);

/** The relay makes no points while it has no requests. A point without values keeps the lines from crossing such a time. */
function withGaps(points) {
  return points.flatMap((point, i) => {
    const idle = i > 0 && point.at - points[i - 1].at > 1.5 * point.every;
    return idle ? [{ at: points[i - 1].at + point.every, every: point.every, ends: [] }, point] : [point];
  });
}

/** Of each chart: how a value is written, and its lines: a name, a colour of the page, and where the value is in a point. */
const CHARTS = {
  'chart-ttft': [
    ms,
    ['p50', '--accent', (p) => p.ttft50],
    ['p95', '--soft', (p) => p.ttft95],
    ['p99', '--stall', (p) => p.ttft99],
  ],
  'chart-gap': [ms, ['p50', '--accent', (p) => p.gap50], ['p99', '--stall', (p) => p.gap99]],
  'chart-ends': [
    perSecond,
    ['whole', '--accent', (p, s) => p.ends[0] / s],
    ['failed', '--error', (p, s) => p.ends[1] / s],
    ['left', '--soft', (p, s) => p.ends[2] / s],
    ['refused', '--stall', (p, s) => p.ends[3] / s],
  ],
  'chart-lag': [ms, ['most', '--accent', (p) => p.lag]],
};

export class Charts {
  #points = [];
  #plots = new Map();

  constructor() {
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#again());
    new ResizeObserver(() => this.#again()).observe(document.getElementById('chart-ttft'));
  }

  /** Takes points of the relay, whose moments `clock` takes to those of this page. */
  add({ every, points }, clock) {
    for (const point of points) this.#points.push({ ...point, at: point.at + clock, every });
    const from = performance.now() - SPAN_MS;
    while (this.#points.length && this.#points[0].at < from) this.#points.shift();
    this.draw();
  }

  forget() {
    this.#points = [];
  }

  draw() {
    const now = performance.now();
    const points = withGaps(this.#points);
    const times = points.map((point) => (point.at - now) / 60_000);
    for (const [id, [, ...lines]] of Object.entries(CHARTS)) {
      const data = [times, ...lines.map(([, , of]) => points.map((p) => defined(of(p, p.every / 1000))))];
      const plot = this.#plots.get(id) ?? this.#make(id);
      if (plot) plot.setData(data);
      this.#say(id, data);
    }
  }

  #again() {
    for (const plot of this.#plots.values()) plot.destroy();
    this.#plots.clear();
    if (this.#points.length) this.draw();
  }

  /** The latest values, for those who do not see the chart, too. */
  #say(id, data) {
    const [write, ...lines] = CHARTS[id];
    const key = document.querySelector(`#${id} .key`);
    if (!key.children.length) {
      key.append(
        ...lines.map(([name, color]) => {
          const item = document.createElement('span');
          item.dataset.color = color;
          item.append(`${name} `, document.createElement('b'));
          return item;
        }),
      );
    }
    lines.forEach((line, i) => {
      const text = write(data[i + 1].findLast((value) => value !== null));
      const value = key.children[i].lastChild;
      if (value.textContent !== text) value.textContent = text;
    });
  }

  #make(id) {
    const figure = document.getElementById(id);
    if (!figure.clientWidth) return null;
    const [write, ...lines] = CHARTS[id];
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: color('--soft'),
      font: '11px system-ui, sans-serif',
      grid: { stroke: color('--rule'), width: 1 },
      ticks: { show: false },
    };
    const plot = new uPlot(
      {
        width: figure.clientWidth,
        height: HEIGHT,
        padding: [8, 16, 0, 0],
        legend: { show: false },
        cursor: { show: false },
        scales: {
          x: { time: false, range: [-SPAN_MS / 60_000, 0] },
          y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] },
        },
        axes: [
          { ...axis, size: 24, space: 60, values: (_, minutes) => minutes.map((at) => (at === 0 ? 'now' : `${at} min`)) },
          { ...axis, size: 56, space: 32, values: (_, values) => values.map((value) => (value ? write(value) : '0')) },
        ],
        series: [
          {},
          ...lines.map(([, name]) => ({
            stroke: color(name),
            width: 1.5,
            spanGaps: false,
            points: { show: (plot, series) => plot.data[series].filter((v) => v !== null).length < 30, size: 3, fill: color(name) },
          })),
        ],
      },
      null,
      figure,
    );
    plot.root.setAttribute('aria-hidden', 'true');
    this.#plots.set(id, plot);
    return plot;
  }
}
