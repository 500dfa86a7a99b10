/** Settings: what a page remembers of its visitor, in this browser only. */

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`coho.${key}`);
  } catch {
    return null; // storage may be forbidden
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`coho.${key}`, value);
  } catch {
    // then it lasts as long as the page
  }
}
