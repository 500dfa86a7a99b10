/**
 * coho.js: follows and publishes topics of a coho hub, by whatever way gets through.
 *
 * A client has one link at a time: a WebSocket, or Server-Sent Events, or long polls, the latter two
 * with POST for what goes up. All of them carry the frames of coho.json.v1, so that everything but the
 * links themselves is the same for each. A position says all there is to know about what was received;
 * a link may therefore die, or be replaced by another kind of link, at any moment.
 *
 * Server-Sent Events are read by fetch, not by EventSource: that works in Node too, takes a token in a
 * header, can be aborted, and shows the comments that tell a living stream from a dead one.
 *
 * The state is the closure of one constructor, and all that needs it is in there: local names shrink to
 * a letter, names of fields do not, and 4,096 bytes have to do. The same in modules, with the state as an
 * object that each function is given, has 300 bytes more. What needs no state is in wire.js.
 */

import { busy, dataOf, distance, fault, isPattern, names, store, transient } from "./wire.js";

/** @import { Coho as Declared, CohoOptions, PublishOptions, SubscribeOptions } from "./coho.d.ts" */
/** @import { Fault, Frame, Item, Link, Listener, Topic } from "./wire.js" */

/** @implements {Declared} */
export class Coho extends EventTarget {
  bufferedAmount = 0;

  /** @param {string | URL} address @param {CohoOptions} [options] */
  constructor(
    address,
    {
      token,
      transports = ["websocket", "sse", "poll"],
      timeout = 4e3,
      maxQueue = 1e3,
      maxQueueBytes = 1 << 20,
      highWaterMark = 1 << 18,
      WebSocket = globalThis.WebSocket,
      fetch: get = fetch,
      timers: { setTimeout, clearTimeout, now = Date.now, random = Math.random } = globalThis,
    } = {},
  ) {
    super();
    const url = `${new URL(address, /** @type {any} */ (globalThis.location))}`.replace(/^ws/, "http").replace(/\/?$/, "/");
    this.url = url;
    const network = `coho ${url} ${transports} ${/** @type {any} */ (globalThis.navigator)?.connection?.type}`;
    const life = new AbortController();
    const seed = Math.random();
    /** Whether there can be another token. */
    const renewable = /** @type {any} */ (token)?.call;

    /** @type {Map<unknown, any>} */ const timers = new Map();
    /** @type {Map<string, Topic>} */ const topics = new Map();
    /** @type {Map<number, Item>} */ const queue = new Map();
    /** The link in use, or becoming it. @type {Link | null | undefined} */ let current;
    /** The better link that is tried beside. @type {Link | null} */ let next = null;
    /** The transport that worked. */ let best = +store[network] || 0;
    /** The token. @type {any} */ let auth;
    /** Whether it may be asked for again when it is refused. */ let spare = renewable;
    let lastId = 0;
    let attempts = 0;
    let returns = 0;

    /** @param {0 | 1 | 3} [readyState] @param {Declared["transport"]} [transport] */
    const state = (readyState = 0, transport = "") => {
      /** @type {Declared["readyState"]} */ this.readyState = readyState;
      /** @type {Declared["transport"]} */ this.transport = transport;
    };

    // ---- events: a handler that throws harms nobody else ---------------------------------------------

    /** @param {Function | null | undefined} fn @param {Event} event */
    const call = (fn, event) => {
      try {
        fn?.call(this, event);
      } catch (error) {
        console.error(error);
      }
    };

    /** @param {Event} event */
    const dispatch = (event) => {
      call(/** @type {any} */ (this)[`on${event.type}`], event);
      this.dispatchEvent(event);
    };

    /** @param {string} type @param {object} [fields] @param {(event: Event) => void} [fn] */
    const emit = (type, fields, fn = dispatch) => fn(Object.assign(new Event(type), fields));

    // ---- timers, each known by what it is for: there is one of a kind --------------------------------

    /** @param {unknown} key */
    const cancel = (key) => {
      clearTimeout(timers.get(key));
      timers.delete(key);
    };

    /** No hub makes us wait for more than an hour.
     * @param {(key: any) => void} fn @param {unknown} [key] @param {number} [ms] */
    const later = (fn, key = fn, ms = timeout) => {
      cancel(key);
      timers.set(key, setTimeout(() => fn(key), Math.min(ms, 36e5)));
    };

    // ---- links ---------------------------------------------------------------------------------------

    /** @param {Link} link */
    const openSocket = (link) => {
      const socket = new WebSocket(url.replace("http", "ws"), "coho.json.v1");
      link.stop = () => socket.close();
      link.busy = () => socket.bufferedAmount > highWaterMark;
      socket.onopen = () => {
        link.send = (frame) => socket.send(JSON.stringify(frame));
        link.send({ op: auth ? "auth" : "ping", id: 0, token: auth });
        topics.forEach((topic) => tell(link, "sub", topic));
      };
      socket.onmessage = (/** @type {{data: any}} */ { data }) => {
        try {
          receive(link, JSON.parse(data));
        } catch (error) {
          fail(link, error);
        }
      };
      socket.onerror = () => {}; // close says more
      socket.onclose = (/** @type {{code: number, reason: string}} */ { code, reason }) => fail(link, fault(names[code % 4e3], reason || code));
    };

    /** @param {string} path @param {AbortSignal} signal @param {Record<string, string>} [headers] @param {any} [body] */
    const http = async (path, signal, headers = {}, body) => {
      if (auth) headers.authorization = `Bearer ${auth}`;
      const answer = await get(url + path, { method: body == null ? "GET" : "POST", headers, body, signal });
      if (answer.ok) return answer;
      const after = /** @type {any} */ (answer.headers.get("retry-after"));
      throw fault(names[answer.status], answer.status, after * 1e3 || Date.parse(after) - now() || 0);
    };

    /** @param {Link} link @param {boolean} streaming */
    const openHttp = (link, streaming) => {
      const life = new AbortController();
      /** @type {AbortController | undefined} */
      let receiving;

      /** Follows topics until it is aborted; without topics, only sees whether the hub is there.
       * @param {Topic[]} group @param {string} who is present @param {AbortSignal} signal */
      const follow = async (group, who, signal) => {
        /** @param {Frame} frame */
        const take = (frame) => signal.aborted || receive(link, frame);
        let rest = "";
        try {
          // The first poll does not wait: its answer shows that the link works.
          for (let wait = 0; ; wait = 15) {
            group = group.filter(({ off }) => !off);
            const stream = streaming && group[0];
            const subs = group.map(({ name, pos }) => `&sub=${name}${pos ? `@${pos}` : ""}`).join("");
            const answer = await http(`?wait=${wait}${subs}${who}`, signal, stream ? { accept: "text/event-stream" } : {});
            if (stream) {
              later(fail, link);
              // Each event is a frame on one line; what the end cuts off was none.
              await /** @type {any} */ (answer.body).pipeThrough(new TextDecoderStream()).pipeTo(new WritableStream({
                write(text) {
                  if (link.up) heard(link);
                  rest = (rest + text).replace(/.*\n/g, (line) => {
                    if (line[0] === "d") take(JSON.parse(line.slice(5)));
                    return "";
                  });
                },
              }));
            }
            (await answer.json()).frames.forEach(take); // after a stream there is none
            useful(link);
            if (!group[0]) return;
          }
        } catch (error) {
          if (!signal.aborted) fail(link, error);
        }
      };

      /** Says by new requests what there is to say; they also show whether the hub is there. */
      const restart = () => {
        receiving?.abort();
        const { signal } = (receiving = new AbortController());
        /** Who is present stands once in a request, and addresses have at most about 4 KB. The keys end the
         * addresses; what follows # is not sent. @type {Record<string, Topic[]>} */
        const groups = {};
        let size = 0;
        for (const topic of topics.values()) {
          const { as, name } = topic;
          if (topic.off) continue;
          if (topic.pattern) refuse(topic, fault("unavailable"));
          else {
            const who = new URLSearchParams(as && { as: as.id, info: JSON.stringify(as.info ?? null) });
            (groups[`&${who}#${(size += name.length + 40) >> 12}`] ??= []).push(topic);
          }
        }
        if (!size) groups[""] = [];
        for (const who in groups) follow(/** @type {Topic[]} */ (groups[who]), who, signal);
      };

      /** @param {Frame} frame */
      const ask = (frame) => {
        const { topic, key, idem } = frame;
        /** @param {any} result @param {Fault} [error] */
        const done = (result, error) => {
          cancel(life);
          receive(link, { ...result, id: frame.id }, error);
        };
        // A topic that blocks answers late.
        later(() => fail(link), life, 3e4);
        (idem
          ? http(topic, life.signal, {
              ...(frame.data == null && { "content-type": "application/octet-stream" }),
              "idempotency-key": idem,
              ...(key && { "coho-key": key }),
            }, dataOf(frame))
          : http(`${topic}/${frame.op}?limit=${frame.limit}&after=${frame.after}`, life.signal)
        ).then((answer) => answer.json()).then(done, (error) => done(0, error));
      };

      link.stop = () => {
        cancel(life);
        life.abort();
        receiving?.abort();
      };
      link.busy = () => timers.has(life);
      // Only what waits for an answer has an id above 0.
      link.send = (frame) => (frame.id > 0 ? ask(frame) : restart());
      restart();
    };

    // ---- which link ----------------------------------------------------------------------------------

    const authorize = async () => {
      auth = renewable ? await /** @type {any} */ (token)() : token;
    };

    /** Tries a transport, beside the link in use or as the link in use.
     * @param {number} [index] @param {boolean} [beside] */
    const connect = async (index = best, beside) => {
      const link = /** @type {Link} */ ({ index });
      if (beside) next = link;
      else current = link;
      cancel(connect);
      try {
        later(fail, link, 3e4);
        if (!auth) await authorize();
        if (link.dead) return;
        later(fail, link);
        if (transports[index] === "websocket") openSocket(link);
        else openHttp(link, transports[index] === "sse");
      } catch (error) {
        fail(link, error);
      }
    };

    // ---- signs of life -------------------------------------------------------------------------------

    /** Something has to come in time. @param {Link} link */
    const ping = (link) => {
      later(fail, link);
      link.send?.({ op: "ping" });
    };

    /** Silence is followed by a ping, and that by the end. A stream has a comment every 15 s, and polls end
     * after as long; what was sent is answered soon. @param {Link} link */
    const heard = (link) => later(ping, link, queue.size ? timeout : 2e4);

    /** Something came that shows that the link works. @param {Link} link */
    const useful = (link) => {
      if (link.dead) return;
      heard(link);
      if (link === next) {
        if (!carries(link)) return;
        drop(current);
        current = link;
        next = null;
      }
      if (link.up) return;
      link.up = now();
      best = link.index;
      state(1, transports[best]);
      try {
        store[network] = best;
      } catch {} // no room: it will be tried again
      if (best) returnLater();
      else returns = 0;
      emit("open");
      flush();
    };

    /** Whether all that is followed comes by this link. @param {Link} link */
    const carries = (link) => ![...topics.values()].some((topic) => topic.link !== link && !topic.off && !topic.pattern);

    // ---- returning -----------------------------------------------------------------------------------

    /** After 10 s, 20 s, ... 5 min, more or less. */
    const returnLater = () => later(comeBack, comeBack, Math.min(3e5, 1e4 * 2 ** returns++) * (random() + 0.5));

    const comeBack = () => {
      if (!current?.up || !best || next) return;
      // A topic without a position could lose messages between the links.
      if (carries(current)) connect(0, true);
      else returnLater();
    };

    /** The network is there, or the page came back and its timers may have slept. */
    const wake = () => {
      if (globalThis.document?.hidden) return;
      if (current) ping(current);
      else connect();
      comeBack();
    };

    // ---- the end of links ----------------------------------------------------------------------------

    /** There is no network, or a page that may be kept aside and must not hold a connection. */
    const leave = () => current && fail(current, fault("offline"));

    /** @param {Link | null} [link] */
    const drop = (link) => {
      if (!link) return;
      link.dead = true;
      link.up = link.send = undefined;
      cancel(link);
      link.stop?.();
    };

    /** The link is no more. What follows depends on why, and on what it was good for.
     * @param {Link} link @param {any} [error] */
    const fail = (link, error) => {
      if (link.dead) return;
      if (error?.wait === undefined) error = fault(undefined, error); // not ours
      const { up, index } = link;
      drop(link);
      if (link === next) {
        next = null;
        ping(/** @type {Link} */ (current)); // it answers anew for the topics that had moved
        return index + 1 < best ? connect(index + 1, true) : returnLater();
      }
      const { code, wait } = error;
      const pause = busy.test(code);
      drop(next);
      current = next = null;
      state();
      if (up && now() - up > 1e4) {
        attempts = 0;
        spare = renewable;
      }
      if (code === "unauthorized" && spare) {
        spare = auth = undefined;
        return connect(index);
      }
      const final = /** @type {any} */ ({ unauthorized: 4401, forbidden: 4403 })[code];
      if (final) return end(error, final);
      if (code === "too-big") {
        // Without this the hub would end every link because of the same message.
        [...queue.values()].sort((a, b) => b.size - a.size)[0]?.settle(error);
      }
      // A link that worked is tried again, twice if need be; one that did not is not.
      let then = best;
      if (!pause) {
        if (!up || attempts % 3 > 1) then = index + 1;
        if (!up && transports[then]) return connect(then);
      }
      const backOff = Math.min(30, 2 ** attempts++) * 1e3;
      later(
        () => connect(then % transports.length),
        connect,
        code === "slow" ? 0 : pause && !wait ? 25e3 * random() + 5e3 : backOff * random() + wait,
      );
      emit("error", { error });
    };

    /** The end of the client. @param {Fault} error @param {number} code */
    const end = (error, code) => {
      if (this.readyState > 1) return;
      state(3);
      life.abort();
      drop(current);
      drop(next);
      for (const key of timers.keys()) cancel(key);
      for (const item of queue.values()) item.settle(error);
      if (code > 1000) emit("error", { error });
      emit("close", { code, reason: error.message });
    };

    // ---- what goes up --------------------------------------------------------------------------------

    /** Queues a request; bytes are added to it when they were read. Who does not look at the promise
     * is not told of a rejection.
     * @param {Frame} frame @param {(answer: any) => any} give what of the answer the caller gets
     * @param {any} [data] @returns {Promise<any>} */
    const request = (frame, give, data) => {
      const promise = new Promise((resolve, reject) => {
        const id = (frame.id = ++lastId);
        /** @type {Item} */
        const item = {
          frame,
          size: 0,
          settle: (error, answer) => {
            if (!queue.delete(id)) return;
            this.bufferedAmount -= item.size;
            if (error) reject(error);
            else resolve(answer);
          },
        };
        if (isPattern(frame.topic)) throw fault("bad-name");
        if (this.readyState > 1) throw fault("closed");
        if (frame.op === "pub") {
          if ((data?.size ?? data?.byteLength ?? data?.trim) === undefined || /[^ -~]/.test(frame.key)) throw fault("bad-request");
          const blob = new Blob([data]); // a copy
          item.size = blob.size;
          frame.idem = seed + "-" + id;
          // What is no text does not become one on the way.
          if (data.trim) frame.data = data.replace(/\p{Cs}/gu, "\ufffd");
          else {
            item.frame = undefined;
            blob.arrayBuffer().then((buffer) => {
              frame.data64 = btoa(Array.from(new Uint8Array(buffer), (code) => String.fromCharCode(code)).join(""));
              item.frame = frame;
              flush();
            }, item.settle);
          }
        }
        if (queue.size >= maxQueue || this.bufferedAmount + item.size > maxQueueBytes) throw fault("queue-full");
        queue.set(id, item);
        this.bufferedAmount += item.size;
        flush();
      }).then(give);
      promise.catch(() => {});
      return promise;
    };

    /** Sends what this link has not been given yet, in order. */
    const flush = () => {
      const link = current;
      if (!link?.up) return;
      if (queue.size < 2) heard(link);
      for (const item of queue.values()) {
        if (item.link === link) continue;
        if (!item.frame) return;
        if (link.busy()) return later(flush, flush, 50);
        item.at ??= now();
        // The hub remembers an idempotency key for 300 s.
        if (item.frame.idem && now() - item.at > 27e4) item.settle(fault("unknown"));
        else {
          item.link = link;
          link.send?.(item.frame);
        }
      }
    };

    /** Repeats later what was refused for now, and what has no answer yet. @param {number} wait */
    const again = (wait) => {
      later(() => {
        if (next) return again(0); // no topic starts without a position while there are two links
        for (const topic of topics.values()) if (topic.off) change("sub", topic);
        for (const item of queue.values()) item.link = undefined;
        flush();
      }, again, 2e3 * random() + 1e3 + wait);
    };

    // ---- what is followed ----------------------------------------------------------------------------

    /** @param {Link | null | undefined} link @param {string} op @param {Topic} topic */
    const tell = (link, op, { name, pattern, pos, as, id }) => {
      link?.send?.({ op, [pattern ? "pattern" : "topic"]: name, since: pos, as, id });
    };

    /** Only the answer to the last of these counts. @param {string} op @param {Topic} topic */
    const change = (op, topic) => {
      topic.link = undefined;
      topic.off = op === "unsub";
      topic.id = ~++lastId;
      if (next) fail(next);
      tell(current, op, topic);
    };

    /**
     * @param {string} name @param {((message: any) => void) | null} [fn]
     * @param {SubscribeOptions} [options]
     */
    this.subscribe = (name, fn, { since, as } = {}) => {
      const pattern = isPattern(name);
      if (since && !/^(0|\w+\.\d+)$/.test(since)) throw fault("bad-since");
      const known = topics.get(name);
      /** @type {Topic} */
      const topic = known ?? { name, pattern, all: new Set([{ fn: dispatch }]) };
      /** @type {Listener & {topic: string, position: string | undefined, unsubscribe(): void}} */
      const listener = {
        topic: name,
        fn,
        get position() {
          return listener.last ?? topic.pos;
        },
        unsubscribe: () => {
          listener.fn = null;
          topic.all.delete(listener);
          if (topic.all.size < 2 && topics.get(name) === topic) {
            topics.delete(name);
            change("unsub", topic);
          }
        },
      };
      topic.all.add(listener);
      topics.set(name, topic);
      const back = since && !(distance(since, topic.pos) >= 0) && (topic.pos = since);
      if (!known || as || back) {
        // If need be the whole topic goes back; those who had its messages do not get them again.
        if (as) topic.as = as;
        if (known) change("unsub", topic);
        change("sub", topic);
      }
      return listener;
    };

    /** @param {Topic} topic @param {Fault} error */
    const refuse = (topic, error) => {
      topic.off = true;
      if (transient.test(error.code)) again(1e4);
      else topics.delete(topic.name);
      emit("error", { error, topic: topic.name });
    };

    /** @param {Link} link @param {Frame} frame @param {Fault | false} error */
    const hear = (link, frame, error) => {
      const { op, id, topic: name, pos, lost } = frame;
      const topic = topics.get(frame.pattern ?? name);
      if (!topic || (id && id !== topic.id)) return;
      // A pattern has many topics and no position: it cannot go on, but it cannot meet a message twice.
      const at = topic.pattern ? undefined : pos;
      const step = distance(pos, topic.pos);
      if (error) refuse(topic, error);
      else if (op === "ok") {
        // Nobody can say what a pattern missed.
        if (topic.pattern && topic.link && topic.link !== link) emit("gap", { topic: topic.name, lost: null });
        if (topic.link !== next) topic.link = link;
        topic.off = false;
        // Where it starts; "0" is no position, and would not tell what goes before the first message.
        if (!(/** @type {any} */ (topic.pos) > "0")) topic.pos = at;
      } else if (pos && topic.link === link && !(step <= 0 && lost !== null)) {
        topic.pos = at;
        if (op) emit(op, { topic: name, pos, lost: lost && step < lost ? step : lost });
        else {
          emit("message", { pattern: frame.pattern, topic: name, pos, data: dataOf(frame) }, (event) => {
            for (const listener of [...topic.all]) {
              if (distance(pos, listener.last) <= 0) continue;
              listener.last = at;
              call(listener.fn, event);
            }
          });
        }
      }
    };

    // ---- what comes down -----------------------------------------------------------------------------

    /** @param {Link} link @param {Frame} frame @param {any} [error] */
    const receive = (link, frame, error = frame.op === "error" && fault(frame.code, frame.text)) => {
      if (link.dead) return;
      const { op, id } = frame;
      const item = queue.get(id);
      if (error && (id === 0 || error.wait === undefined)) fail(link, error);
      else if (item) {
        if (transient.test(error.code)) again(error.wait);
        else if (error.code === "unauthorized" && spare) fail(link, error);
        else item.settle(error, frame);
        flush();
      } else if (op === "expiring" && renewable) {
        // If there is no new one, the old one expires, and then it is asked for again.
        authorize().then(() => link.send?.({ op: "auth", token: auth }), () => {});
      } else hear(link, frame, error);
      useful(link);
    };

    /**
     * @param {string} topic @param {string | ArrayBuffer | ArrayBufferView | Blob} data
     * @param {PublishOptions} [options]
     */
    this.publish = (topic, data, { key } = {}) => request({ op: "pub", topic, key }, ({ pos }) => ({ pos }), data);

    /** @param {string} topic @param {number} [after] */
    this.presence = (topic, after = 0) =>
      request({ op: "presence", topic, limit: 1e4, after }, ({ members, pos, next }) => ({ members, pos, next }));

    /** @param {string} topic @param {number} [limit] */
    this.history = (topic, limit = 100) =>
      request({ op: "history", topic, limit }, ({ messages, pos, next }) => ({
        messages: messages.map((/** @type {Frame} */ message) => ({ pos: message.pos, data: dataOf(message) })),
        pos: pos ?? next,
      }));

    this.close = () => end(fault("closed"), 1000);

    for (const type of ["online", "offline", "pageshow", "pagehide", "visibilitychange"]) {
      globalThis.addEventListener?.(type, /off|hide/.test(type) ? leave : wake, life);
    }
    connect();
    state();
  }
}
