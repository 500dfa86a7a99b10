import type { CSSProperties } from "react";

/** The same name has the same colour, for everyone; the style sheet makes it one that can be read. */
export function hue(name: string): CSSProperties {
  let hash = 7;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 360;
  return { "--hue": hash } as CSSProperties;
}
