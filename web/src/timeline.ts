/**
 * Timeline: some columns of numbers over the same times, the last two minutes of them.
 * A null is a hole: nothing is known of that moment, and the chart draws nothing there.
 */

export const spanSeconds = 120;

export type Column = (number | null)[];

export class Timeline {
  readonly times: number[] = [];
  readonly columns: Column[];

  constructor(columns: number) {
    this.columns = Array.from({ length: columns }, () => []);
  }

  /** `seconds` must not go backwards. */
  add(seconds: number, values: Column): void {
    this.times.push(seconds);
    this.columns.forEach((column, i) => column.push(values[i] ?? null));
    while ((this.times[0] ?? seconds) < seconds - spanSeconds) {
      this.times.shift();
      for (const column of this.columns) column.shift();
    }
  }
}
