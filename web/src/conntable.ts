/** Conntable: the connections as a table whose rows stay the same elements while their values change. */

import { flagNames, type ConnectionInfo } from "./admin.js";
import { make } from "./dom.js";
import * as format from "./format.js";

interface Column {
  title: string;
  /** What the server sorts by; none: it cannot. */
  order?: string;
  number?: boolean;
  text: (c: ConnectionInfo) => string;
  about?: (c: ConnectionInfo) => string;
}

export interface Order {
  by: string;
  ascending: boolean;
}

const dash = "\u2013";

function ratio(payload: number, wire: number, c: ConnectionInfo): string {
  return c.extensions === "" || wire === 0 ? dash : `${format.number(payload / wire)}\u00d7`;
}

function state(c: ConnectionInfo): string {
  return flagNames.filter((_, bit) => (c.flags & (1 << bit)) !== 0).join(", ");
}

const columns: Column[] = [
  { title: "Address", text: (c) => c.peer, about: (c) => [c.tls, c.extensions].filter(Boolean).join("\n") },
  { title: "Path", text: (c) => c.target || c.route, about: (c) => `route ${c.route}` },
  { title: "Topics", text: (c) => c.topics || c.protocol || dash, about: (c) => c.topics || c.protocol },
  { title: "Age", order: "age", number: true, text: (c) => format.duration(c.age_ms / 1000) },
  { title: "Quiet", order: "quiet", number: true, text: (c) => format.duration(c.quiet_ms / 1000) },
  { title: "RTT", order: "rtt", number: true, text: (c) => (c.rtt_smooth_ms === null ? dash : format.milliseconds(c.rtt_smooth_ms)),
    about: (c) => (c.rtt_ms === null ? "no pong yet" : `last ${format.milliseconds(c.rtt_ms)}`) },
  { title: "Queue", order: "queued", number: true, text: (c) => format.bytes(c.queued) },
  { title: "Drops", order: "drops", number: true, text: (c) => format.number(c.drops) },
  { title: "In", order: "messages_in", number: true, text: (c) => format.number(c.messages_in), about: (c) => format.bytes(c.bytes_in) },
  { title: "Out", order: "messages_out", number: true, text: (c) => format.number(c.messages_out), about: (c) => format.bytes(c.bytes_out) },
  { title: "Deflate", number: true, text: (c) => `${ratio(c.bytes_in, c.wire_in, c)} / ${ratio(c.bytes_out, c.wire_out, c)}`,
    about: () => "payload to bytes on the wire, in / out" },
  { title: "State", text: (c) => state(c) || "open" },
];

class Row {
  readonly element: HTMLTableRowElement;
  info: ConnectionInfo;
  readonly #cells: HTMLTableCellElement[];

  constructor(info: ConnectionInfo, follow: (row: ConnectionInfo) => void, close: (row: ConnectionInfo) => void) {
    this.info = info;
    this.#cells = columns.map((column) => {
      const cell = make("td", column.number ? "number" : "");
      cell.dataset["title"] = column.title;
      return cell;
    });
    const buttons = [["Follow", follow], ["Close", close]] as const;
    const actions = make("td", "actions", ...buttons.map(([name, act]) => {
      const button = make("button", "small", name);
      button.type = "button";
      button.setAttribute("aria-label", `${name} ${info.peer}`);
      button.addEventListener("click", () => act(this.info));
      return button;
    }));
    this.element = make("tr", "", ...this.#cells, actions);
    this.show(info);
  }

  show(info: ConnectionInfo): void {
    this.info = info;
    this.element.classList.toggle("troubled", info.flags !== 0 || info.drops > 0);
    columns.forEach((column, i) => {
      const cell = this.#cells[i];
      const text = column.text(info);
      const about = column.about?.(info) ?? "";
      if (cell === undefined) return;
      if (cell.textContent !== text) cell.textContent = text;
      if (cell.title !== about) cell.title = about;
    });
  }
}

export class ConnTable {
  order: Order = { by: "age", ascending: false };

  readonly #body: HTMLTableSectionElement;
  readonly #rows = new Map<string, Row>();
  readonly #heads: { column: Column; cell: HTMLTableCellElement }[];

  constructor(head: HTMLTableRowElement, body: HTMLTableSectionElement,
    readonly handlers: { sort: () => void; follow: (c: ConnectionInfo) => void; close: (c: ConnectionInfo) => void }) {
    this.#body = body;
    this.#heads = columns.map((column) => ({ column, cell: this.#head(column) }));
    head.append(...this.#heads.map(({ cell }) => cell), make("th", "actions", make("span", "unseen", "Actions")));
    this.#mark();
  }

  show(list: ConnectionInfo[]): void {
    const here = new Set(list.map((c) => c.id));
    for (const [id, row] of this.#rows) {
      if (here.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    list.forEach((info, place) => this.#place(this.#row(info).element, place));
  }

  mark(id: string | null): void {
    for (const [each, row] of this.#rows) row.element.classList.toggle("followed", each === id);
  }

  #row(info: ConnectionInfo): Row {
    const known = this.#rows.get(info.id);
    if (known !== undefined) {
      known.show(info);
      return known;
    }
    const row = new Row(info, this.handlers.follow, this.handlers.close);
    this.#rows.set(info.id, row);
    return row;
  }

  /** Only what has moved is touched, so that focus and selection stay. */
  #place(element: HTMLElement, place: number): void {
    const there = this.#body.children[place];
    if (there !== element) this.#body.insertBefore(element, there ?? null);
  }

  #head(column: Column): HTMLTableCellElement {
    const { order } = column;
    const cell = make("th", column.number ? "number" : "");
    cell.scope = "col";
    if (order === undefined) {
      cell.append(column.title);
      return cell;
    }
    const button = make("button", "sort", column.title);
    button.type = "button";
    button.addEventListener("click", () => {
      this.order = { by: order, ascending: this.order.by === order && !this.order.ascending };
      this.#mark();
      this.handlers.sort();
    });
    cell.append(button);
    return cell;
  }

  #mark(): void {
    for (const { column, cell } of this.#heads) {
      if (column.order === this.order.by) cell.setAttribute("aria-sort", this.order.ascending ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    }
  }
}
