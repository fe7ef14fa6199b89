// The grid of the Records page. What is typed shows at once and goes out as a numbered list of who, which column and
// what (deck/log.js): a slow server loses and misplaces nothing. Drafts come back with the page; until the server has
// taken an edit, the grid's own word holds.

import { clamp, make, stretch, visit } from "../../dom.js";
import { Log } from "../../review/deck/log.js";
import { Editor } from "./editor.js";
import { Foot } from "./foot.js";
import { Hands } from "./hands.js";
import { Journal } from "./journal.js";
import { fit, written } from "./kinds.js";
import { Preview } from "./preview.js";
import { FIRST, Table } from "./table.js";

const LOWEST = 260, SPELT = 800, HEAD = 34;
const grids = new WeakMap();
const id = (key, column) => `${key}\u0000${column}`;

export default function ({ parentElement, data, setStateValue }) {
  let grid = grids.get(parentElement);
  if (!grid) grids.set(parentElement, (grid = new Cells(parentElement.querySelector(".cells"), data.project, (open) => setStateValue("log", open))));
  grid.log.send = (open) => setStateValue("log", open);
  grid.update(data);
  return () => { grid.close(); grids.delete(parentElement); };
}

class Cells {
  constructor(root, project, send) {
    this.root = root;
    this.stop = new AbortController();
    this.log = new Log(`packyak-grid-${project}`, send);
    this.journal = new Journal(`packyak-typed-${project}`);
    this.pending = new Map(); // edits that the server has not taken: id to { key, column, text, was, number }
    this.refused = new Map(); // what does not fit: id to { key, column, text, why }
    this.wholes = new Map(); // texts of which only the beginning came with the page
    this.past = [];
    this.future = [];
    this.spot = this.anchor = { row: 0, place: FIRST };
    this.heard = 0;
    this.scroll = make("div", "scroll");
    this.layer = make("div", "layer");
    this.table = new Table(this);
    this.editor = new Editor(this, this.layer);
    this.hands = new Hands(this);
    this.foot = new Foot(this);
    this.preview = new Preview((why) => this.settle(why));
    this.scroll.append(this.table.element, this.layer);
    root.replaceChildren(this.scroll, this.foot.element, this.preview.element);
    this.unstretch = stretch(root, LOWEST, (height) => document.documentElement.style.setProperty("--board-height", `${height}px`));
  }

  close() {
    this.editor.open && this.editor.leave();
    this.stop.abort();
    this.unstretch();
  }

  // ---- what the server says

  update(data) {
    const before = this.data ?? {}, held = this.holds(), { row, place } = this.spot;
    const spot = [before.keys?.[row], before.columns?.[place - FIRST]?.name];
    this.data = data;
    this.rows = new Map(data.keys.map((key, at) => [key, at]));
    this.places = new Map(data.columns.map(({ name }, at) => [name, at]));
    this.corrected = new Set(data.corrected.map(([at, side]) => `${at}:${side}`));
    this.log.taken(data.taken.deck, data.taken.number);
    if (before.asset !== data.asset) this.start();
    for (const [name, entry] of this.pending) if (this.done(entry.number)) this.pending.delete(name);
    this.hear(data);
    this.remind(data);
    const drawn = JSON.stringify([data.columns, data.keys, data.sort, data.pinned]), other = drawn !== this.drawn;
    this.drawn = drawn;
    if (other) {
      this.table.draw(data);
      if (before.list && before.list !== data.list) this.scroll.scrollTop = 0; // asked at first, it would lay out the page once more
      this.stay(spot, held);
    } else {
      this.table.data = data;
      this.table.paint();
    }
    this.scroll.style.scrollPadding = `${HEAD}px 0 0 ${this.table.inset}px`;
    this.foot.draw(data);
    this.tell();
  }

  // Another asset: nothing of the one before belongs to it, but what is still on its way.
  start() {
    for (const held of [this.pending, this.refused, this.wholes]) held.clear();
    this.past = [];
    this.future = [];
    this.spot = this.anchor = { row: 0, place: FIRST };
    for (const entry of this.log.open) {
      if (entry.do === "put" && entry.asset === this.data.asset) this.pending.set(id(entry.key, entry.column), { ...entry, was: entry.was ?? null });
    }
  }

  // A reload: the server's new session gets to know what was typed before.
  remind({ session, asset, lines }) {
    for (const entry of this.log.all(this.journal.missing(session))) {
      if (entry.asset === asset) this.pending.set(id(entry.key, entry.column), { ...entry, was: this.base(entry.key, entry.column) });
    }
    if (!this.log.open.length) this.journal.prune(asset, new Set(lines.map((line) => id(line.key, line.column))));
  }

  done(number) { return !this.log.open.some((entry) => entry.number === number); }

  // What the server could not take, and texts that were asked for.
  hear(data) {
    for (const { key, column, text, why, number } of data.refused) {
      if (number <= this.heard) continue;
      this.heard = number;
      if (this.rows.has(key)) this.refused.set(id(key, column), { key, column, text: text ?? "", why });
      this.foot.say(why);
    }
    if (!data.whole) return;
    const { key, column, text } = data.whole;
    this.wholes.set(id(key, column), text);
    if (this.editor.open && this.editor.key === key && this.editor.column.name === column) this.editor.arrived(text);
  }

  // The cell that had the keys keeps them, where its record is still there.
  stay([key, name], held) {
    const { row, place } = this.spot, { keys, columns } = this.data;
    const to = { row: this.rows.get(key) ?? clamp(row, row < 0 ? -1 : 0, keys.length - 1), place: this.places.has(name) ? this.places.get(name) + FIRST : clamp(place, 0, columns.length + FIRST - 1) };
    this.spot = this.anchor = to;
    this.choose();
    if (this.editor.open) {
      const cell = this.cell(this.editor.key, this.editor.column.name);
      if (cell) Object.assign(this.editor, { cell }).stand();
    } else if (held) this.focus();
  }

  holds() { return this.table.element.contains(this.root.getRootNode().activeElement); }

  tell() {
    this.root.dataset.list = this.data.list;
    this.root.dataset.open = this.log.open.length;
    this.root.dataset.drafts = this.changes().size;
    this.root.classList.toggle("turning", this.log.open.some((entry) => entry.do === "page"));
  }

  // ---- what a cell says

  cell(key, name) { return this.rows.has(key) && this.places.has(name) ? this.table.at(this.rows.get(key), this.places.get(name) + FIRST) : null; }

  base(key, name) {
    const whole = this.wholes.get(id(key, name));
    if (whole !== undefined) return whole;
    const row = this.data.rows[this.rows.get(key)];
    return row ? row[this.places.get(name)] : this.pending.get(id(key, name))?.was ?? this.lines().get(id(key, name))?.was ?? null;
  }

  text(key, name) {
    const own = this.pending.get(id(key, name));
    if (own) return own.text;
    const drafts = this.dropping() ? undefined : this.data.drafts[key];
    return drafts && name in drafts ? drafts[name] : this.base(key, name);
  }

  told(row, place) {
    const { data } = this, key = data.keys[row], column = data.columns[place], wrong = this.refused.get(id(key, column.name));
    if (wrong) return { text: wrong.text, shown: wrong.text, mark: "bad", why: `, does not fit: ${wrong.why}` };
    const text = this.text(key, column.name), shown = written(column, text);
    if (text !== this.base(key, column.name)) return { text, shown, mark: "draft", why: ", not saved" };
    return this.corrected.has(`${row}:${place}`) ? { text, shown, mark: "corrected", why: ", corrected" } : { text, shown, mark: "", why: "" };
  }

  hint(row, place, clipped) {
    const key = this.data.keys[row], column = this.data.columns[place], { text, shown, mark } = this.told(row, place);
    const parts = clipped && text !== null ? [shown.length > SPELT ? `${shown.slice(0, SPELT)}\u2026` : shown] : [];
    if (mark === "draft") parts.push(`not saved; was ${written(column, this.base(key, column.name)).slice(0, SPELT)}`);
    if (mark === "bad") parts.push(this.refused.get(id(key, column.name)).why);
    if (mark === "corrected") parts.push("corrected by a person");
    return parts.join("\n");
  }

  // ---- what is not saved

  dropping() { return this.log.open.some((entry) => entry.do === "discard" && entry.asset === this.data.asset); }

  lines() { return new Map(this.dropping() ? [] : this.data.lines.map((line) => [id(line.key, line.column), line])); }

  changes() {
    const found = this.lines();
    for (const [name, { key, column, text, was }] of this.pending) {
      if (text === was) found.delete(name);
      else found.set(name, { key, column, was, now: text });
    }
    return found;
  }

  put(list, remember = true) {
    const items = [];
    for (const { key, column, text } of list) {
      const before = this.text(key, column), was = this.base(key, column);
      if (!this.refused.delete(id(key, column)) && before === text) continue;
      items.push({ key, column, text, before, was });
    }
    const entries = this.log.all(items.map(({ key, column, text, was }) => ({ do: "put", asset: this.data.asset, key, column, text, was })));
    items.forEach((item, at) => this.pending.set(id(item.key, item.column), { ...item, number: entries[at].number }));
    this.journal.note(this.data.asset, items.map((item) => [id(item.key, item.column), item]));
    if (remember && items.length) {
      this.past.push(items.map(({ key, column, text, before }) => ({ key, column, text, before })));
      this.future = [];
    }
    this.repaint();
  }

  undo() { this.back(this.past, this.future, "before", "Undone"); }
  redo() { this.back(this.future, this.past, "text", "Done again"); }

  back(from, onto, side, said) {
    const group = from.pop();
    if (!group) return this.say("Nothing more to take back here");
    onto.push(group);
    this.put(group.map((item) => ({ ...item, text: item[side] })), false);
    this.reach(group[0]);
    this.say(`${said}: ${group.length === 1 ? `${group[0].column} of ${group[0].key}` : `${group.length} values`}`);
  }

  reach({ key, column }) {
    if (this.rows.has(key) && this.places.has(column)) this.go(this.rows.get(key), this.places.get(column) + FIRST, false);
  }

  refuse(key, column, text, why) {
    this.refused.set(id(key, column), { key, column, text, why });
    this.repaint();
  }

  forget(key, column) {
    if (this.refused.delete(id(key, column))) this.repaint();
  }

  // A value for every cell of the rectangle. value: from row and column; undefined leaves it.
  fill(value) {
    const put = [], wrong = [], fixed = new Set();
    for (const { row, place } of this.rectangle().flat()) {
      const key = this.data.keys[row], column = this.data.columns[place], typed = value(row, place);
      if (typed === undefined) continue;
      if (!column.editable) { fixed.add(column.name); continue; }
      const found = typed === null ? { text: null } : fit(column, typed);
      if (found.why) wrong.push({ key, column: column.name, text: typed, why: found.why });
      else put.push({ key, column: column.name, text: found.text });
    }
    this.put(put);
    for (const each of wrong) this.refuse(each.key, each.column, each.text, each.why);
    const said = wrong.length ? [`${wrong[0].key}, ${wrong[0].column}: ${wrong[0].why}${wrong.length > 1 ? ` (and ${wrong.length - 1} more)` : ""}`] : [];
    if (fixed.size) said.push(`${[...fixed].join(", ")}: ${this.data.note || "computed, not to be typed"}`);
    if (said.length) this.say(said.join("; "));
  }

  repaint() {
    this.table.paint();
    this.foot.count(this.data);
    this.tell();
  }

  say(text) { this.foot.say(text); }

  discard() {
    if (this.editor.open) this.editor.close();
    const all = [...this.changes().values()];
    if (all.length) this.past.push(all.map(({ key, column, was, now }) => ({ key, column, before: now, text: was })));
    this.pending.clear();
    this.refused.clear();
    this.log.add({ do: "discard", asset: this.data.asset });
    this.repaint();
  }

  save() {
    if (this.editor.open) this.editor.leave();
    const changes = this.changes();
    if (!changes.size) this.say("Nothing to save");
    else if (this.data.refusal) this.say(this.data.refusal);
    else this.preview.open(changes);
  }

  settle(why) {
    this.log.add({ do: "save", asset: this.data.asset, why });
    this.tell();
  }

  // ---- where the keys are

  go(row, place, extend) {
    const { keys, columns } = this.data;
    this.spot = { row: clamp(row, extend ? 0 : -1, keys.length - 1), place: clamp(place, extend ? FIRST : 0, columns.length + FIRST - 1) };
    if (!extend) this.anchor = this.spot;
    this.choose();
    this.focus();
  }

  move(way) {
    const { row, place } = this.spot, [down, right] = { up: [-1, 0], down: [1, 0], left: [0, -1], right: [0, 1], stay: [0, 0] }[way];
    this.go(clamp(row + down, 0, this.data.keys.length - 1), Math.max(place + right, FIRST), false);
  }

  all() {
    this.anchor = { row: 0, place: FIRST };
    this.spread(this.anchor, { row: this.data.keys.length - 1, place: this.data.columns.length + FIRST - 1 });
  }

  spread(from, to) {
    this.anchor = from;
    this.go(to.row, to.place, true);
  }

  focus() {
    const cell = this.table.at(this.spot.row, this.spot.place);
    if (!cell) return;
    cell.focus({ preventScroll: true });
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // The chosen cells by rows, without the columns that are not the record's.
  rectangle() {
    const { spot, anchor } = this, side = [spot.place, anchor.place].map((place) => Math.max(place, FIRST) - FIRST);
    const rows = span_of(Math.max(Math.min(spot.row, anchor.row), 0), Math.max(spot.row, anchor.row));
    return rows.map((row) => span_of(Math.min(...side), Math.max(...side)).map((place) => ({ row, place })));
  }

  many() { return this.spot.row !== this.anchor.row || this.spot.place !== this.anchor.place; }

  choose() {
    for (const cell of this.lit ?? []) {
      cell.classList.remove("sel");
      cell.removeAttribute("aria-selected");
    }
    if (this.active) this.active.removeAttribute("tabindex");
    this.active = this.table.at(this.spot.row, this.spot.place);
    if (this.active) this.active.tabIndex = 0;
    this.lit = this.many() ? this.rectangle().flat().map(({ row, place }) => this.table.at(row, place + FIRST)) : [];
    for (const cell of this.lit) {
      cell.classList.add("sel");
      cell.setAttribute("aria-selected", "true");
    }
  }

  // ---- acts

  edit(typed = false) {
    const { row, place } = this.spot, column = this.data.columns[place - FIRST], key = this.data.keys[row];
    if (!column || key === undefined) return;
    if (!column.editable && (typed || !["text", "shown"].includes(column.kind))) return this.say(`${column.name}: ${this.data.note || "computed, not to be typed"}`);
    const wrong = this.refused.get(id(key, column.name)), waiting = !typed && !wrong && this.cut(row, place - FIRST);
    if (waiting) this.log.add({ do: "read", asset: this.data.asset, key, column: column.name });
    this.go(row, place, false);
    this.editor.start({ key, column, cell: this.table.at(row, place), text: wrong ? wrong.text : this.text(key, column.name), typed, waiting, why: wrong && !typed ? `${wrong.why}.` : "" });
  }

  cut(row, place) {
    const name = id(this.data.keys[row], this.data.columns[place].name);
    return this.data.cut.some(([at, side]) => at === row && side === place) && !this.wholes.has(name) && !this.pending.has(name);
  }

  open(row) { this.visit({ key: this.data.keys[row] }); }

  sort(place) {
    const { name } = this.data.columns[place], { sort } = this.data;
    if (sort?.column !== name) this.visit({ sort: name, down: "" });
    else if (!sort.down) this.visit({ sort: name, down: "1" });
    else this.unsort();
  }

  unsort() { this.visit({ sort: "", down: "" }); }

  visit(more) { visit("records", { ...Object.fromEntries(new URLSearchParams(location.search)), ...more }); }

  turn(by) { this.show(this.data.page + by); }

  show(page) {
    if (page < 1 || page > this.data.pages || page === this.data.page) return;
    if (this.editor.open) this.editor.leave();
    this.log.add({ do: "page", view: this.data.view, page });
    this.tell();
  }
}

const span_of = (low, high) => Array.from({ length: high - low + 1 }, (_, place) => low + place);
