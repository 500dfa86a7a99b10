/** Payload: bytes to send, made or read from hex, and a short look at what came. */

const randomChunk = 65_536; // the most that crypto.getRandomValues fills in one call
const alphabet = "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789";
const previewBytes = 32;
const previewCharacters = 240;

export function randomBytes(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += randomChunk) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + randomChunk)));
  }
  return bytes;
}

/** `size` bytes of text: every character is ASCII, so bytes and characters agree. */
export function randomText(size: number): string {
  const bytes = randomBytes(size);
  for (let i = 0; i < size; i++) bytes[i] = alphabet.charCodeAt((bytes[i] ?? 0) % alphabet.length);
  return new TextDecoder().decode(bytes);
}

/** Reads "de ad be ef", "0xdeadbeef" or "de:ad,be ef"; null when it is not whole bytes of hex. */
export function parseHex(text: string): Uint8Array<ArrayBuffer> | null {
  const digits = text.replace(/0x/gi, "").replace(/[\s,:;-]+/g, "");
  if (digits.length === 0 || digits.length % 2 !== 0 || !/^[0-9a-f]+$/i.test(digits)) return null;
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
}

export function sizeOf(data: string | ArrayBuffer): number {
  return typeof data === "string" ? new TextEncoder().encode(data).length : data.byteLength;
}

export function preview(data: string | ArrayBuffer): string {
  return typeof data === "string" ? previewText(data) : previewHex(data);
}

function previewText(text: string): string {
  if (text.length <= previewCharacters) return text;
  return `${text.slice(0, previewCharacters)} \u2026`;
}

function previewHex(buffer: ArrayBuffer): string {
  const shown = [...new Uint8Array(buffer, 0, Math.min(previewBytes, buffer.byteLength))];
  const hex = shown.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const ascii = shown.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "\u00b7")).join("");
  return `${hex}${buffer.byteLength > previewBytes ? " \u2026" : ""}   ${ascii}`;
}
