/** Hue: the same name has the same colour, for everyone. The style sheet knows the colours. */

const hues = 8;

export function hue(name: string): string {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) | 0;
  return String(Math.abs(hash) % hues);
}
