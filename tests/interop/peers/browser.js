// The commands of ../end.py for a WebSocket as browsers have it. One function without a surrounding, so
// that it can also be sent into a page.

export function browserCommands(say, create) {
  const toDigit = (value) => value + (value < 10 ? 48 : 87);
  const pack = (bytes) => {
    const word = new Uint8Array(2 * bytes.length);
    for (let i = 0; i < bytes.length; i++) {
      word[2 * i] = toDigit(bytes[i] >> 4);
      word[2 * i + 1] = toDigit(bytes[i] & 15);
    }
    return new TextDecoder().decode(word) || "-";
  };
  const packText = (text) => pack(new TextEncoder().encode(text));
  const digit = (code) => code - (code < 58 ? 48 : 87);
  const unpack = (word) => {
    const bytes = new Uint8Array(word === "-" ? 0 : word.length / 2);
    for (let i = 0; i < bytes.length; i++) bytes[i] = digit(word.charCodeAt(2 * i)) * 16 + digit(word.charCodeAt(2 * i + 1));
    return bytes;
  };
  const unpackText = (word) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(unpack(word));
  let ws;
  return {
    open(url, protocols) {
      let opened = false;
      ws = create(url, protocols === "-" ? [] : protocols.split(","));
      ws.binaryType = "arraybuffer";
      ws.onopen = () => {
        opened = true;
        say(`opened ${ws.protocol || "-"}`);
      };
      ws.onmessage = ({ data }) => {
        say(typeof data === "string" ? `text ${packText(data)}` : `binary ${pack(new Uint8Array(data))}`);
      };
      ws.onclose = ({ code, reason }) => say(opened ? `closed ${code} ${packText(reason)}` : "failed to open");
    },
    send: (kind, data) => ws.send(kind === "text" ? unpackText(data) : unpack(data)),
    close: (code, reason) => (code === "0" ? ws.close() : ws.close(Number(code), unpackText(reason))),
  };
}
