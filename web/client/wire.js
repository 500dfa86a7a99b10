/**
 * What coho.js is made of: frames, positions and errors, and the nouns of the client.
 */

/** @typedef {Error & {code: string, wait: number}} Fault `wait` is how many milliseconds to leave the hub alone */
/** @typedef {Record<string, any>} Frame of coho.json.v1 */

/**
 * @typedef Link one way to the hub, for as long as it works
 * @property {number} index among the transports
 * @property {(frame: Frame) => void} [send] missing until the link can send, and when it is dead
 * @property {() => void} [stop]
 * @property {() => any} busy nothing more should be sent now
 * @property {boolean} [dead]
 * @property {number} [up] since when it is the one in use
 */

/**
 * @typedef Topic what is followed
 * @property {string} name
 * @property {boolean} pattern
 * @property {number} [id] of the request whose answer counts
 * @property {string} [pos] where to go on: of the last message or gap, before that where to start
 * @property {{id: string, info?: unknown}} [as]
 * @property {Link} [link] the one whose messages count: the last that answered
 * @property {boolean} [off] not asked for: refused, or not followed any more
 * @property {Set<Listener>} all the first of them fires the events of the client
 */

/**
 * @typedef Listener what subscribe returns
 * @property {Function | null} [fn]
 * @property {string} [last] position of the last message it got
 */

/**
 * @typedef Item a request that lives until it is answered, over any number of links
 * @property {Frame} [frame] missing until its bytes were read
 * @property {number} size
 * @property {Link} [link] that it was sent on
 * @property {number} [at] when it was sent first
 * @property {(error: any, answer?: any) => void} settle
 */

/** Names for statuses and close codes; a close code of the hub is 4000 and a status.
 * @type {Record<number, string>} */
export const names = {
  400: "bad-request",
  401: "unauthorized",
  403: "forbidden",
  404: "bad-name",
  408: "slow",
  413: "too-big",
  429: "too-many",
  503: "full",
  1008: "too-many",
  1009: "too-big",
  1012: "unavailable",
  1013: "full",
};

/** Who comes back at once is not welcome, or comes in vain. */
export const busy = /full|many|avail|off/;

/** What may work later. */
export const transient = /full|many|avail|slow|disc/;

/** @type {(code?: string, text?: any, wait?: number) => Fault} */
export const fault = (code = "disconnected", text = code, wait = 0) => Object.assign(Error(text), { code, wait });

/** How many messages `a` is after `b`; NaN when these cannot be compared.
 * @type {(a?: string, b?: string) => number} */
export const distance = (a = "", b = "") => {
  const [epoch, offset] = a.split(".");
  const [otherEpoch, otherOffset] = b.split(".");
  return epoch === otherEpoch ? /** @type {any} */ (offset) - /** @type {any} */ (otherOffset) : NaN;
};

/** @type {(message: Frame) => string | Uint8Array<ArrayBuffer>} */
export const dataOf = ({ data, data64 }) => data ?? Uint8Array.from(atob(data64), (c) => /** @type {any} */ (c).charCodeAt());

/** @param {string} name */
export const isPattern = (name) => {
  if (/\/\.\.?\/|[^\w.~/+#-]/.test(`/${name}/`)) throw fault("bad-name");
  return /[+#]/.test(name);
};

/** Remembers the transport that worked, by network. @type {Record<string, any>} */
export let store = {};
try {
  store = window.localStorage ?? store;
} catch {} // no page, or one that may not
