/** Close code: what each number of RFC 6455, section 7.4 means, and which ones a page may send. */

const meanings = new Map<number, string>([
  [1000, "Normal closure: the conversation is over."],
  [1001, "Going away: the server stops, or the page is left."],
  [1002, "Protocol error: a frame broke the rules of RFC 6455."],
  [1003, "Unsupported data: this endpoint does not take that type of message."],
  [1005, "No status: the close frame carried no code. Never sent; the browser reports it."],
  [1006, "Abnormal closure: the connection was lost without a close frame, or never came to be."],
  [1007, "Invalid data: a text message was not UTF-8."],
  [1008, "Policy violation: refused by a rule of the server."],
  [1009, "Message too big: larger than the server accepts."],
  [1010, "Mandatory extension: the client needs an extension that the server did not agree to."],
  [1011, "Internal error: the server met something it did not expect."],
  [1012, "Service restart: come back in a moment."],
  [1013, "Try again later: the server is busy."],
  [1014, "Bad gateway: a server behind this one answered wrongly."],
  [1015, "TLS handshake failed. Never sent; the browser reports it."],
]);

const maxReasonBytes = 123;

export function meaning(code: number): string {
  const known = meanings.get(code);
  if (known) return known;
  if (code >= 3000 && code <= 3999) return "Registered by a library or framework.";
  if (code >= 4000 && code <= 4999) return "Private: means what the two ends agreed on.";
  return "Not a code that may appear on the wire.";
}

/** Why a page may not close with this, as browsers decide; null when it may. */
export function objection(code: number, reason: string): string | null {
  if (!Number.isInteger(code)) return "The code is a whole number.";
  if (code !== 1000 && (code < 3000 || code > 4999)) {
    return `A page may send 1000 or 3000 to 4999; ${code} is for the browser and the protocol.`;
  }
  const bytes = new TextEncoder().encode(reason).length;
  if (bytes > maxReasonBytes) return `The reason has ${bytes} bytes of UTF-8; a close frame has room for ${maxReasonBytes}.`;
  return null;
}
