/** Format: numbers as people read them. */

const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB"];
const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** As many decimals as a glance needs: 0.42, 4.2, 42.1, 421. */
export function number(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return whole.format(value);
  return value.toFixed(Math.abs(value) >= 0.995 ? 1 : 2);
}

export function bytes(value: number): string {
  let unit = 0;
  let scaled = value;
  while (scaled >= 1024 && unit < binaryUnits.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${number(unit === 0 ? Math.round(scaled) : scaled)} ${binaryUnits[unit]}`;
}

export function milliseconds(value: number): string {
  return value >= 10_000 ? `${number(value / 1000)} s` : `${number(Math.round(value * 100) / 100)} ms`;
}

export function signedPercent(value: number): string {
  const sign = value < 0 ? "\u2212" : "+";
  return `${sign}${Math.abs(value).toFixed(2)} %`;
}

export function duration(seconds: number): string {
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor((seconds % 86_400) / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  if (minutes > 0) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(seconds)} s`;
}

/** 14:05, or 14:05:09 */
export function hour(time: Date, seconds = false): string {
  return time.toTimeString().slice(0, seconds ? 8 : 5);
}

/** 14:05:09.042 */
export function instant(time: Date): string {
  return `${time.toTimeString().slice(0, 8)}.${String(time.getMilliseconds()).padStart(3, "0")}`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${whole.format(n)} ${n === 1 ? one : many}`;
}
