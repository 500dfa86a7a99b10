/**
 * Round trip: how long each message took to come back.
 * An echo keeps the order, so the oldest departure belongs to the next arrival.
 */

const kept = 501;

export class RoundTrip {
  readonly #departures: number[] = [];
  readonly #times: number[] = [];

  depart(): void {
    this.#departures.push(performance.now());
  }

  /** The time of this arrival in milliseconds; null when nothing was under way. */
  arrive(): number | null {
    const left = this.#departures.shift();
    if (left === undefined) return null;
    const time = performance.now() - left;
    this.#times.push(time);
    if (this.#times.length > kept) this.#times.shift();
    return time;
  }

  /** What was under way will not come back: the connection is gone. */
  forget(): void {
    this.#departures.length = 0;
  }

  get median(): number | null {
    const sorted = [...this.#times].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? null;
  }
}
