/** Settings: what a page remembers of its visitor, in this browser only. */

export function recall(key: string, kind: "localStorage" | "sessionStorage" = "localStorage"): string | null {
  try {
    return window[kind].getItem(`coho.${key}`);
  } catch {
    return null; // storage may be forbidden
  }
}

export function remember(key: string, value: string, kind: "localStorage" | "sessionStorage" = "localStorage"): void {
  try {
    window[kind].setItem(`coho.${key}`, value);
  } catch {
    // then it lasts as long as the page
  }
}

/** The same for this window alone, until it is closed. */
export function recallHere(key: string): string | null {
  return recall(key, "sessionStorage");
}

export function rememberHere(key: string, value: string): void {
  remember(key, value, "sessionStorage");
}
