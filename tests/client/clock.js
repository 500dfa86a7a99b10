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

  /** Lets this much time pass without any timer, as if the machine slept. */
  sleep(ms) {
    this.#now += ms;
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

/** Time that passes by itself, but faster than it does. */
export class FastClock {
  now = () => Date.now() * 10;
  random = Math.random;
  setTimeout = (fn, ms) => setTimeout(fn, Math.min(ms / 10, 2 ** 31 - 1));
  clearTimeout = clearTimeout;
}

const patience = 10_000;

/** Waits for a condition that comes true without the help of a clock. */
export async function until(condition, what = condition.toString(), most = patience) {
  const start = Date.now();
  while (!(await condition())) {
    if (Date.now() - start > most) throw new Error(`never came true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Waits for a condition, and lets time pass whenever nothing happens at the hub. */
export async function pass(hub, condition) {
  const { clock } = hub;
  const start = Date.now();
  while (!(await condition())) {
    if (Date.now() - start > 5 * patience) throw new Error(`never came true: ${condition}`);
    const { activity } = hub;
    await hub.rest();
    if (hub.activity === activity && !(await condition()) && clock.pending) clock.advance(Math.max(clock.next, 0));
  }
}
