/** When the text of an answer came to the relay, directly from the upstream, and when through the relay to this page. */
import { inWords, Timing } from './timing.js';

/** What one read brought came at once, as for the page. */
const AT_ONCE_MS = 0.5;

export class Ways {
  /** As the relay saw it: its own clock, from the end of the request. */
  #direct = new Timing();
  #known = false;

  /** Takes a `delta` of `/chat` with its times. */
  take({ at_ms: at, attempt_ms: attempt }) {
    if (attempt !== undefined) {
      this.#direct.sent = attempt;
      this.#known = true;
    }
    if (at === undefined) return;
    const last = this.#direct.arrivals.at(-1);
    this.#direct.arrived(at - last < AT_ONCE_MS ? last : at);
  }

  /** Rows of a table: what was measured, directly, through the relay, and the difference. Empty if it is not known. */
  rows(page) {
    if (!this.#known || page.ttft === null) return [];
    const direct = facts(this.#direct);
    const through = facts(page);
    return Object.keys(direct).map((name) => [
      name,
      inWords(direct[name]),
      inWords(through[name]),
      difference(direct[name], through[name]),
    ]);
  }
}

function facts(timing) {
  const { median, longest } = timing.figures();
  return {
    'Time to first token': timing.ttft,
    'Median gap': median,
    'Longest gap': longest,
    'First to last text': timing.arrivals.at(-1) - timing.arrivals[0],
  };
}

function difference(direct, through) {
  if (direct === null || through === null) return '–';
  const ms = through - direct;
  return `${ms < 0 ? '−' : '+'}${inWords(Math.abs(ms))}`;
}
