/** When the text of one answer came: milliseconds of `performance.now()`. */

const STALL_MS = 250;
const STALL_TIMES_MEDIAN = 5;

export class Timing {
  /** When the request was sent. */
  sent = performance.now();
  /** When text came, one entry for each moment: what one read of the network brings comes at once. */
  arrivals = [];
  /** How many pieces of text came. */
  units = 0;
  /** When it was over, or null. */
  ended = null;

  arrived(at) {
    this.units++;
    if (this.arrivals.at(-1) !== at) this.arrivals.push(at);
  }

  end() {
    this.ended ??= performance.now();
  }

  /** From sending to the first text, or null. */
  get ttft() {
    return this.arrivals.length ? this.arrivals[0] - this.sent : null;
  }

  /** How long nothing has come since the last text; null before the first and after the end. */
  get silence() {
    return this.arrivals.length && this.ended === null ? performance.now() - this.arrivals.at(-1) : null;
  }

  /** Until now, or to the end. */
  get total() {
    return (this.ended ?? performance.now()) - this.sent;
  }

  /** Between the arrivals, in their order. */
  gaps() {
    return this.arrivals.slice(1).map((at, i) => at - this.arrivals[i]);
  }

  /** `{gaps, median, longest, stallFrom, stalls}`; a gap of `stallFrom` or more is a stall. */
  figures() {
    const gaps = this.gaps();
    const sorted = gaps.toSorted((a, b) => a - b);
    const median = sorted.length ? sorted[(sorted.length - 1) >> 1] : null;
    const stallFrom = Math.max(STALL_MS, STALL_TIMES_MEDIAN * (median ?? 0));
    const stalls = sorted.filter((gap) => gap >= stallFrom).length;
    return { gaps, median, longest: sorted.at(-1) ?? null, stallFrom, stalls };
  }
}

/** A time in words that stay as wide: `24 ms`, `1.28 s`. */
export function inWords(ms) {
  if (ms === null) return '–';
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return ms < 99_950 ? `${(ms / 1000).toFixed(2)} s` : `${Math.round(ms / 1000)} s`;
}
