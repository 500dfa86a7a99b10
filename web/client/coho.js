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
 * The state is the closure of one constructor, because local names shrink to a letter and names of
 * fields do not.
 */

import { busy, dataOf, distance, fault, names, store, transient } from "./wire.js";

/** @typedef {import("./coho.d.ts").Coho} Declared */
/** @typedef {import("./coho.d.ts").CohoOptions} Options */
/** @typedef {import("./wire.js").Fault} Fault */
/** @typedef {import("./wire.js").Frame} Frame */
/** @typedef {import("./wire.js").Item} Item */
/** @typedef {import("./wire.js").Link} Link */
/** @typedef {import("./wire.js").Listener} Listener */
/** @typedef {import("./wire.js").Topic} Topic */

/** @implements {Declared} */
export class Coho extends EventTarget {
  /** @param {string | URL} address @param {Options} [options] */
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
      fetch = globalThis.fetch,
      timers: { setTimeout, clearTimeout, now = Date.now, random = Math.random } = globalThis,
    } = {},
  ) {
    super();
    const url = `${new URL(address, /** @type {any} */ (globalThis.location))}`.replace(/^ws/, "http").replace(/\/?$/, "/");
    const network = `coho ${url} ${/** @type {any} */ (globalThis.navigator)?.connection?.type}`;
    const life = new AbortController();
    const seed = `${Math.random()}${Math.random()}`;
    const renewable = typeof token === "function";

    /** @type {Map<string, Topic>} */ const topics = new Map();
    /** @type {Map<number, Item>} */ const queue = new Map();
    /** The link in use, or becoming it. @type {Link | undefined} */ let current;
    /** The better link that is tried beside. @type {Link | undefined} */ let next;
    /** @type {string | undefined} */ let credential;
    /** @type {any} */ let retryTimer;
    /** @type {any} */ let returnTimer;
    /** @type {any} */ let againTimer;
    /** @type {any} */ let flushTimer;
    let lastId = 0;
    let attempt = 0;
    let returns = 0;
    let renewed = false;

    /** The transport that worked. */
    let best = Math.max(0, transports.indexOf(store[network]));

    this.url = url;
    /** @type {Declared["readyState"]} */ this.readyState = 0;
    /** @type {Declared["transport"]} */ this.transport = "";
    this.bufferedAmount = 0;

    /** @param {Declared["readyState"]} [readyState] @param {Declared["transport"]} [transport] */
    const state = (readyState = 0, transport = "") => {
      this.readyState = readyState;
      this.transport = transport;
    };

    // ---- events ----------------------------------------------------------------------------------

    /** @type {(fn: Function | null | undefined, event: Event) => void} */
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

    // ---- which link ------------------------------------------------------------------------------

    /** No hub makes us wait for more than an hour. @param {any} old @param {number} ms @param {() => void} fn */
    const timer = (old, ms, fn) => (clearTimeout(old), setTimeout(fn, Math.min(ms, 36e5)));

    const authorize = async () => {
      credential = typeof token === "function" ? await token() : token;
    };

    /** Tries a transport, beside the link in use or as the link in use.
     * @param {number} index @param {boolean} [beside] */
    const connect = async (index, beside) => {
      /** @type {Link} */
      const link = { index };
      if (beside) next = link;
      else current = link;
      clearTimeout(retryTimer);
      try {
        if (!credential) await authorize();
        if (link.dead) return;
        expect(link, timeout);
        const name = transports[index];
        if (name === "websocket") openSocket(link);
        else openHttp(link, name === "sse");
      } catch (error) {
        fail(link, /** @type {Fault} */ (error));
      }
    };

    /** Something has to come in time. @param {Link} link @param {number} [ms] */
    const expect = (link, ms = 1e4) => {
      link.timer = timer(link.timer, ms, () => fail(link, fault()));
    };

    /** @param {Link} link */
    const ping = (link) => {
      expect(link);
      link.send?.({ op: "ping", id: -1 });
    };

    /** @param {Link} link */
    const heard = (link) => {
      link.timer = timer(link.timer, 25e3, () => ping(link));
    };

    /** Something came that shows that the link works. @param {Link} link */
    const useful = (link) => {
      heard(link);
      if (link === next) {
        for (const topic of topics.values()) if (topic.link !== link && !topic.off && !topic.pattern) return;
        drop(current);
        current = next;
        next = undefined;
      }
      if (link.up) return;
      link.up = now();
      best = link.index;
      state(1, transports[best]);
      try {
        store[network] = this.transport;
      } catch {} // no room: it will be tried again
      if (best) returnLater();
      else returns = 0;
      emit("open");
      flush();
    };

    /** After 10 s, 20 s, ... 5 min, more or less. */
    const returnLater = () => {
      returnTimer = timer(returnTimer, Math.min(3e5, 1e4 * 2 ** returns++) * (0.5 + random()), comeBack);
    };

    const comeBack = () => {
      if (current?.up && current.index && !next) connect(0, true);
    };

    /** @param {Link} [link] */
    const drop = (link) => {
      if (!link) return;
      link.dead = true;
      clearTimeout(link.timer);
      link.stop?.();
    };

    /** The link is no more. What follows depends on why, and on what it was good for.
     * @param {Link} link @param {Fault} error */
    const fail = (link, error) => {
      if (link.dead) return;
      error.code ??= "disconnected";
      drop(link);
      if (link === next) {
        next = undefined;
        if (current) ping(current); // it answers anew for the topics that had moved
        return returnLater();
      }
      const { code, wait = 0 } = error;
      const { up, index } = link;
      const later = busy.test(code);
      drop(next);
      current = next = undefined;
      state();
      if (up && now() - up > 1e4) {
        attempt = 0;
        renewed = false;
      }
      if (code === "unauthorized" && renewable && !renewed) {
        renewed = true;
        credential = undefined;
        return void connect(index);
      }
      const final = { unauthorized: 4401, forbidden: 4403 }[code];
      if (final) return end(error, final);
      if (code === "too-big") {
        // Without this the hub would end every link because of the same message.
        settle([...queue.values()].sort((a, b) => b.size - a.size)[0], error);
      }
      // A link that worked is tried again, twice if need be; one that did not is not.
      let then = best;
      if (!later) {
        if (!up || attempt % 3 > 1) then = index + 1;
        if (!up && transports[then]) return void connect(then);
      }
      const backOff = Math.min(3e4, 1e3 * 2 ** attempt++);
      const pause = code === "slow" ? 0 : later && !wait ? 5e3 + 25e3 * random() : wait + backOff * random();
      // Without a network the browser says when there is one again.
      if (/** @type {any} */ (globalThis.navigator)?.onLine !== false) retryTimer = timer(retryTimer, pause, () => connect(then % transports.length));
      emit("error", { error });
    };

    /** The end of the client. @param {Fault} error @param {number} code */
    const end = (error, code) => {
      if (this.readyState > 1) return;
      state(3);
      life.abort();
      for (const old of [retryTimer, returnTimer, againTimer, flushTimer]) clearTimeout(old);
      drop(current);
      drop(next);
      for (const item of queue.values()) settle(item, error);
      if (code > 1000) emit("error", { error });
      emit("close", { code, reason: error.message });
    };

    /** The network is there, or the page came back and its timers may have slept. */
    const wake = () => {
      if (!current) connect(best);
      else if (current.up) ping(current);
      comeBack();
    };
    for (const type of ["online", "visibilitychange"]) globalThis.addEventListener?.(type, wake, life);

    // ---- links -----------------------------------------------------------------------------------

    /** @param {Link} link */
    const openSocket = (link) => {
      const socket = new WebSocket(url.replace("http", "ws"), "coho.json.v1");
      link.stop = () => socket.close();
      link.busy = () => socket.bufferedAmount > highWaterMark;
      socket.onopen = () => {
        link.send = (frame) => socket.send(JSON.stringify(frame));
        link.send({ op: credential ? "auth" : "ping", id: 0, token: credential });
        for (const topic of topics.values()) tell(link, "sub", topic);
      };
      socket.onmessage = (/** @type {{data: any}} */ { data }) => {
        try {
          receive(link, JSON.parse(data));
        } catch (error) {
          fail(link, /** @type {Fault} */ (error));
        }
      };
      socket.onerror = () => {}; // close says more
      socket.onclose = (/** @type {{code: number, reason: string}} */ { code, reason }) => fail(link, fault(names[code % 4e3], reason || code));
    };

    /** @param {Link} link @param {boolean} streaming */
    const openHttp = (link, streaming) => {
      /** @type {AbortController | undefined} */
      let receiving;
      /** @type {any} */
      let asking;
      let retry = 0;

      /** @param {string} path @param {Record<string, string>} headers @param {RequestInit} [init] */
      const http = async (path, headers, init) => {
        if (credential) headers.authorization = `Bearer ${credential}`;
        const answer = await fetch(url + path, { headers, ...init });
        if (answer.ok) return answer;
        const after = /** @type {any} */ (answer.headers.get("retry-after"));
        throw fault(names[answer.status], answer.status, after * 1e3 || Date.parse(after) - now() || 0);
      };

      /** Follows topics until it is aborted; without topics, only sees whether the hub is there.
       * @param {Topic[]} group @param {AbortSignal} signal */
      const follow = async (group, signal) => {
        try {
          // The first poll does not wait: its answer shows that the link works.
          for (let wait = 0; !signal.aborted; wait = 20) {
            group = group.filter(({ off }) => !off);
            const [first] = group;
            const as = first?.as;
            const stream = streaming && first;
            const answer = await http(
              `?${group.map(({ name, pos }) => `sub=${name}${pos ? `@${pos}` : ""}&`).join("")}${
                as ? `${new URLSearchParams({ as: as.id, info: JSON.stringify(as.info ?? null) })}&` : ""
              }wait=${wait}`,
              stream ? { accept: "text/event-stream" } : {},
              { signal },
            );
            if (stream) {
              expect(link, timeout);
              await readStream(answer.body);
            }
            for (const frame of (await answer.json()).frames) receive(link, frame);
            useful(link);
            if (!first) return;
          }
        } catch (error) {
          if (!signal.aborted) fail(link, /** @type {Fault} */ (error));
        }
      };

      /** Each event is a frame on one line; what the end cuts off was none. @param {any} body */
      const readStream = async (body) => {
        const reader = body.pipeThrough(new TextDecoderStream()).getReader();
        for (let rest = ""; ; ) {
          const { value, done } = await reader.read();
          if (done) throw fault(undefined, undefined, retry);
          if (link.up) heard(link);
          const lines = (rest + value).split(/\r|\n/);
          rest = /** @type {string} */ (lines.pop());
          for (const line of lines) {
            const [field, content = ""] = line.split(/:(.*)/);
            if (field === "data") receive(link, JSON.parse(content));
            if (field === "retry") retry = +content || 0;
          }
        }
      };

      /** Says by new requests what there is to say; they also show whether the hub is there. */
      const restart = () => {
        receiving?.abort();
        const { signal } = (receiving = new AbortController());
        /** Who is present stands once in a request, and addresses have at most about 4 KB.
         * @type {Record<string, Topic[]>} */
        const groups = {};
        let size = 0;
        for (const topic of topics.values()) {
          if (topic.off) continue;
          if (topic.pattern) receive(link, { ...fault("unavailable"), pattern: topic.name });
          else (groups[`${JSON.stringify(topic.as)}${(size += topic.name.length + 40) >> 12}`] ??= []).push(topic);
        }
        if (!size) follow([], signal);
        for (const group of Object.values(groups)) follow(group, signal);
      };

      /** @param {Frame} frame */
      const ask = async (frame) => {
        const { op, id, topic, data, key, idem, limit } = frame;
        /** @type {Frame} */
        let result;
        // A topic that blocks answers late.
        asking = timer(0, 3e4, () => fail(link, fault()));
        try {
          const answer = await (idem
            ? http(topic, {
                ...(data === undefined && { "content-type": "application/octet-stream" }),
                "idempotency-key": idem,
                ...(key && { "coho-key": key }),
              }, { method: "POST", body: dataOf(frame) })
            : http(`${topic}/${op}?limit=${limit}`, {}));
          result = await answer.json();
        } catch (error) {
          result = /** @type {Fault} */ (error);
          if (result.wait === undefined) fail(link, /** @type {Fault} */ (result));
        }
        clearTimeout(asking);
        asking = 0;
        receive(link, { ...result, id });
      };

      link.stop = () => receiving?.abort();
      link.busy = () => asking;
      // Only what waits for an answer has an id above 0.
      link.send = (frame) => (frame.id > 0 ? ask : restart)(frame);
      restart();
    };

    // ---- what comes down -------------------------------------------------------------------------

    /** @param {Link} link @param {Frame} frame */
    const receive = (link, frame) => {
      if (link.dead) return;
      const { op, id, pos, code, text, wait, lost, topic: name } = frame;
      const item = queue.get(id);
      const topic = topics.get(frame.pattern ?? name);
      const error = op === "error" && fault(code, text, wait);
      if (error && id === 0) return fail(link, error);
      if (item) {
        if (error && transient.test(code)) again(wait);
        else if (error && code === "unauthorized" && renewable && !renewed) fail(link, error);
        else settle(item, error, frame);
        flush();
      } else if (op === "expiring" && renewable) {
        // If there is no new one, the old one expires, and then it is asked for again.
        authorize().then(() => link.send?.({ op: "auth", id: -1, token: credential }), () => {});
      }
      else if (topic && id === undefined) {
        // A pattern has many topics and no position: it cannot go on, but it cannot meet a message twice.
        const { pattern } = topic;
        const at = pattern ? undefined : pos;
        const step = distance(pos, topic.pos);
        if (error) {
          topic.off = true;
          if (transient.test(code)) again(1e4);
          else topics.delete(topic.name);
          emit("error", { error, topic: topic.name });
        } else if (op === "ok") {
          // Nobody can say what a pattern missed.
          if (pattern && topic.link && topic.link !== link) emit("gap", { topic: topic.name, lost: null });
          if (!next || topic.link !== next) topic.link = link;
          // Where it starts; "0" is no position, and would not tell what goes before the first message.
          if (!topic.pos?.[1]) topic.pos = at;
        } else if (pos && topic.link === link && !(step <= 0 && lost !== null)) {
          topic.pos = at;
          if (op) emit(op, { topic: name, lost: lost && step < lost ? step : lost, pos });
          else {
            emit("message", { topic: name, pattern: frame.pattern, pos, data: dataOf(frame) }, (event) => {
              for (const listener of [...topic.all]) {
                if (distance(pos, listener.last) <= 0) continue;
                listener.last = at;
                call(listener.fn, event);
              }
            });
          }
        }
      }
      if (!link.dead) useful(link);
    };

    /** Repeats later what was refused for now, and what has no answer yet. @param {number} [wait] */
    const again = (wait = 0) => {
      againTimer = timer(againTimer, wait + 1e3 + 2e3 * random(), () => {
        for (const topic of topics.values()) {
          if (topic.off) tellAll("sub", topic);
        }
        for (const item of queue.values()) item.link = undefined;
        flush();
      });
    };

    // ---- what goes up ----------------------------------------------------------------------------

    /** @param {Link | undefined} link @param {string} op @param {Topic} topic */
    const tell = (link, op, { name, pattern, pos, as }) => {
      // The answer to a sub needs no id; with one, the answer to an unsub is nobody's.
      link?.send?.({ op, [pattern ? "pattern" : "topic"]: name, since: pos, as, id: op === "sub" ? undefined : -1 });
    };

    /** @param {string} op @param {Topic} topic */
    const tellAll = (op, topic) => {
      topic.link = undefined;
      topic.off = op === "unsub";
      tell(current, op, topic);
      tell(next, op, topic);
    };

    /** @param {string} name */
    const isPattern = (name) => {
      if (/\/\.\.?\/|[^\w.~/+#-]/.test(`/${name}/`)) throw fault("bad-name");
      return /[+#]/.test(name);
    };

    /** Queues a request; bytes are added to it when they were read. Who does not look at the promise
     * is not told of a rejection.
     * @param {Frame} frame @param {any} [data] @returns {Promise<any>} */
    const request = (frame, data) => {
      const promise = new Promise((resolve, reject) => {
        const id = (frame.id = ++lastId);
        /** @type {Item} */
        const item = { frame, size: 0, resolve, reject, ready: true };
        if (isPattern(frame.topic)) throw fault("bad-name");
        if (this.readyState > 1) throw fault("closed");
        if (frame.op === "pub") {
          if ((data.size ?? data.byteLength ?? data.trim) === undefined || /[^ -~]/.test(frame.key)) throw fault("bad-request");
          const blob = new Blob([data]); // a copy
          item.size = blob.size;
          frame.idem = seed + id;
          // What is no text does not become one on the way.
          if (typeof data === "string") frame.data = data.replace(/\p{Cs}/gu, "\ufffd");
          else {
            item.ready = false;
            blob.arrayBuffer().then((buffer) => {
              frame.data64 = btoa(Array.from(new Uint8Array(buffer), (c) => String.fromCharCode(c)).join(""));
              item.ready = true;
              flush();
            }, (error) => settle(item, error));
          }
        }
        if (queue.size >= maxQueue || this.bufferedAmount + item.size > maxQueueBytes) throw fault("queue-full");
        queue.set(id, item);
        this.bufferedAmount += item.size;
        flush();
      });
      promise.catch(() => {});
      return promise;
    };

    /** Sends what this link has not been given yet, in order. */
    const flush = () => {
      const link = current;
      if (!link?.up) return;
      for (const item of queue.values()) {
        if (item.link === link) continue;
        if (!item.ready) return;
        if (link.busy?.()) {
          flushTimer = timer(flushTimer, 50, flush);
          return;
        }
        item.at ??= now();
        // The hub remembers an idempotency key for 300 s.
        if (item.frame.idem && now() - item.at > 27e4) settle(item, fault("unknown"));
        else {
          item.link = link;
          link.send?.(item.frame);
        }
      }
    };

    /** @param {Item | undefined} item @param {Error | false} error @param {Frame} [answer] */
    const settle = (item, error, answer) => {
      if (!item || !queue.delete(item.frame.id)) return;
      this.bufferedAmount -= item.size;
      if (error) item.reject(error);
      else item.resolve(answer);
    };

    // ---- what the caller sees --------------------------------------------------------------------

    /**
     * @param {string} name @param {((message: any) => void) | null} [fn]
     * @param {import("./coho.d.ts").SubscribeOptions} [options]
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
            tellAll("unsub", topic);
          }
        },
      };
      topic.all.add(listener);
      topics.set(name, topic);
      const back = since && !(distance(since, topic.pos) >= 0);
      if (!known || as || back) {
        // If need be the whole topic goes back; those who had its messages do not get them again.
        if (as) topic.as = as;
        if (back) topic.pos = since;
        if (known) tellAll("unsub", topic);
        tellAll("sub", topic);
      }
      return listener;
    };

    /**
     * @param {string} topic @param {string | ArrayBuffer | ArrayBufferView | Blob} data
     * @param {import("./coho.d.ts").PublishOptions} [options]
     */
    this.publish = (topic, data, { key } = {}) => request({ op: "pub", topic, key }, data);

    /** @param {string} topic */
    this.presence = (topic) => request({ op: "presence", topic });

    /** @param {string} topic @param {number} [limit] */
    this.history = async (topic, limit = 100) => {
      const answer = await request({ op: "history", topic, limit });
      for (const message of answer.messages) message.data = dataOf(message);
      answer.pos ??= answer.next;
      return answer;
    };

    this.close = () => end(fault("closed"), 1000);

    connect(best);
  }
}
