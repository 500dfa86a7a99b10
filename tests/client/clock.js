// Clock: the time of a test. It stands still until the test moves it; chance is a seeded sequence.

export class Clock {
  #now = 1_700_000_000_000;
  #timers = new Map();
  #lastId = 0;
  #seed;

  constructor(seed = 1) {
    this.#seed = seed;
  }

  setTimeout = (fn, ms) => {
    const id = ++this.#lastId;
    this.#timers.set(id, { at: this.#now + Math.max(0, Number(ms) || 0), fn });
    return id;
  };

  clearTimeout = (id) => {
    this.#timers.delete(id);
  };

  now = () => this.#now;

  /** mulberry32 */
  random = () => {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };

  get pending() {
    return this.#timers.size;
  }

  /** When the next timer is due, from now; Infinity without one. */
  get next() {
    return Math.min(...[...this.#timers.values()].map(({ at }) => at)) - this.#now;
  }

  /** Lets this much time pass; timers run in order. */
  advance(ms) {
    const end = this.#now + ms;
    for (;;) {
      let due;
      for (const [id, timer] of this.#timers) {
        if (timer.at <= end && (!due || timer.at < due.timer.at)) due = { id, timer };
      }
      if (!due) break;
      this.#timers.delete(due.id);
      this.#now = Math.max(this.#now, due.timer.at);
      due.timer.fn();
    }
    this.#now = end;
  }
}

const patience = 5_000;

/** Waits for a condition that the network alone brings about: the clock stands still. */
export async function until(condition, what = condition.toString()) {
  const start = Date.now();
  while (!condition()) {
    if (Date.now() - start > patience) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Waits for a condition, and lets time pass whenever nothing happens (`activity` stays what it is for `quiet` ms). */
export async function pass(clock, condition, activity = () => 0, quiet = 25) {
  const start = Date.now();
  let seen;
  let since = Date.now();
  while (!condition()) {
    if (Date.now() - start > 10 * patience) throw new Error(`never came true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
    const now = activity();
    if (now !== seen) {
      seen = now;
      since = Date.now();
    } else if (Date.now() - since > quiet && clock.pending) {
      clock.advance(Math.max(clock.next, 0));
      since = Date.now();
    }
  }
}
