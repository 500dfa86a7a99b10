/** Counter: whether numbers, counted up from 1, arrive each exactly once and in order. */

export type Arrival = "next" | "late" | "again";

export class Counter {
  received = 0;
  duplicates = 0;
  /** Came after a higher one. */
  late = 0;
  readonly missing = new Set<number>();
  #next = 1;

  /** `skipped` gets the numbers that should have come before this one. */
  take(n: number, skipped: (n: number) => void = () => {}): Arrival {
    if (n < this.#next && !this.missing.delete(n)) {
      this.duplicates++;
      return "again";
    }
    this.received++;
    if (n < this.#next) {
      this.late++;
      return "late";
    }
    for (; this.#next < n; this.#next++) {
      this.missing.add(this.#next);
      skipped(this.#next);
    }
    this.#next++;
    return "next";
  }
}
