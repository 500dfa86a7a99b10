// A topic of the fake hub, what is a name of one, and which patterns match it.

const nameForm = /^(?!.*(?:^|\/)(?:\.|\.\.|history|presence)(?:\/|$))[A-Za-z0-9_.~-]+(?:\/[A-Za-z0-9_.~-]+)*$/;

export const isName = (name) => name.length <= 255 && nameForm.test(name.replace(/\/presence$/, ""));

export const matches = (pattern, name) => {
  const wanted = pattern.split("/");
  const have = name.split("/");
  for (const [i, segment] of wanted.entries()) {
    if (segment === "#") return true;
    if (have[i] === undefined || (segment !== "+" && segment !== have[i])) return false;
  }
  return wanted.length === have.length;
};

let epochs = 0;

export class Topic {
  epoch = `e${(epochs++).toString(36)}`;
  last = 0;
  messages = [];
  idem = new Map();
  members = new Map();

  get pos() {
    return `${this.epoch}.${this.last}`;
  }

  /** What is to be said to who has `since`: where it starts, a gap or none, and messages. */
  after(since) {
    if (since === undefined) return { start: this.pos, messages: [] };
    const first = this.messages[0]?.offset ?? this.last + 1;
    const all = { start: `${this.epoch}.${first - 1}`, messages: this.messages };
    if (since === "0") return all;
    const [epoch, offset] = since.split(".");
    const gap = (lost) => ({ ...all, gap: { lost, pos: all.start } });
    if (epoch !== this.epoch || Number(offset) > this.last) return gap(null);
    if (Number(offset) < first - 1) return gap(first - 1 - Number(offset));
    return { start: since, messages: this.messages.filter((message) => message.offset > Number(offset)) };
  }
}
