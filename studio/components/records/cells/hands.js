// Keys, mouse and clipboard of the grid. One cell has the keys; with Shift or by dragging it becomes a rectangle.

import { clamp } from "../../dom.js";
import { FIRST } from "./table.js";

const STEP = 24;
const WAYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

export class Hands {
  constructor(cells) {
    this.cells = cells;
    this.table = cells.table;
    const { element } = this.table, { signal } = cells.stop;
    const on = (name, act) => element.addEventListener(name, act, { signal });
    on("keydown", (event) => this.key(event));
    on("mousedown", (event) => this.down(event));
    on("mouseover", (event) => this.over(event));
    on("dblclick", (event) => this.twice(event));
    on("click", (event) => this.click(event));
    on("copy", (event) => this.copy(event));
    on("cut", (event) => this.copy(event));
    on("paste", (event) => this.paste(event));
    document.addEventListener("mouseup", () => { this.dragging = false; }, { signal });
  }

  // ---- keys

  key(event) {
    if (event.defaultPrevented || event.isComposing) return;
    const { cells } = this, { row } = cells.spot, { key } = event, command = event.ctrlKey || event.metaKey;
    const act = row < 0 ? this.inHead(event) : command ? this.withControl(key.toLowerCase(), event) : this.plain(event);
    const walked = act ?? this.walk(event);
    if (walked) {
      event.preventDefault();
      event.stopPropagation();
      walked();
    } else if (row >= 0 && !command && !event.altKey && (key.length === 1 || key === "Process" || key === "Dead")) {
      event.stopPropagation(); // the page has keys of its own
      cells.edit(true); // the letter itself lands in the box, which has the keys now
    }
  }

  walk({ key, shiftKey, ctrlKey, metaKey }) {
    const { cells } = this, { row, place } = cells.spot, { rows, columns } = cells.data;
    const last = columns.length + FIRST - 1, far = ctrlKey || metaKey, foot = rows.length - 1;
    const go = (to, at) => () => cells.go(to, at, shiftKey && row >= 0);
    if (WAYS[key] && far) return go(key === "ArrowUp" ? 0 : key === "ArrowDown" ? foot : row, key === "ArrowLeft" ? 0 : key === "ArrowRight" ? last : place);
    if (WAYS[key]) return go(row + WAYS[key][0], place + WAYS[key][1]);
    if (key === "Home") return go(far ? 0 : row, 0);
    if (key === "End") return go(far ? foot : row, last);
    if (key === "PageDown" || key === "PageUp") return go(Math.max(row, 0) + (key === "PageDown" ? 1 : -1) * this.sight(), place);
    return null;
  }

  sight() {
    const { scroll } = this.cells, line = this.table.body.firstChild?.offsetHeight || 30;
    return Math.max(1, Math.floor(scroll.clientHeight / line) - 2);
  }

  inHead({ key, shiftKey, ctrlKey, metaKey }) {
    const { cells } = this, column = cells.spot.place - FIRST;
    if (column < 0 || ctrlKey || metaKey) return null;
    if (key === "Enter" || key === " ") return () => cells.sort(column);
    if (shiftKey && (key === "ArrowLeft" || key === "ArrowRight")) return () => this.table.resize(column, this.table.widths[column] + (key === "ArrowRight" ? STEP : -STEP));
    return null;
  }

  withControl(key, { shiftKey }) {
    const { cells } = this;
    if (key === "z") return () => (shiftKey ? cells.redo() : cells.undo());
    if (key === "y") return () => cells.redo();
    if (key === "a") return () => cells.all();
    if (key === "enter") return () => cells.open(cells.spot.row);
    if (key === "s") return () => cells.save();
    return null;
  }

  plain({ key, altKey }) {
    const { cells } = this;
    if (altKey) return { PageDown: () => cells.turn(1), PageUp: () => cells.turn(-1) }[key] ?? null;
    const own = cells.spot.place < FIRST;
    if (key === "F2" || key === "Enter") return () => (own ? cells.open(cells.spot.row) : cells.edit());
    if (key === " ") return () => cells.open(cells.spot.row);
    if (key === "Delete" || key === "Backspace") return () => cells.fill(() => null);
    if (key === "Escape" && cells.many()) return () => cells.go(cells.spot.row, cells.spot.place, false);
    return null;
  }

  // ---- mouse

  down(event) {
    if (event.button) return;
    if (event.target.classList.contains("grip")) return this.widen(event);
    const spot = this.table.find(event.target);
    if (!spot || spot.row < 0) return;
    event.preventDefault();
    this.cells.go(spot.row, spot.place, event.shiftKey);
    this.dragging = spot.place >= FIRST;
  }

  over(event) {
    const spot = this.table.find(event.target), { cells } = this;
    if (!spot) return;
    if (this.dragging && spot.row >= 0) cells.go(spot.row, Math.max(spot.place, FIRST), true);
    const cell = this.table.at(spot.row, spot.place);
    if (spot.row >= 0 && spot.place >= FIRST) cell.title = cells.hint(spot.row, spot.place - FIRST, cell.scrollWidth > cell.clientWidth);
  }

  click(event) {
    const spot = this.table.find(event.target);
    if (!spot || event.target.classList.contains("grip")) return;
    if (spot.row < 0 && spot.place >= FIRST) this.cells.sort(spot.place - FIRST);
    else if (spot.row >= 0 && spot.place === 0) this.cells.open(spot.row);
  }

  twice(event) {
    const spot = this.table.find(event.target);
    if (event.target.classList.contains("grip")) this.table.resize(spot.place - FIRST, null);
    else if (spot?.row >= 0 && spot.place >= FIRST) this.cells.edit();
  }

  widen(event) {
    event.preventDefault();
    const place = this.table.find(event.target).place - FIRST, from = event.clientX, width = this.table.widths[place], stop = new AbortController();
    const { signal } = stop;
    document.addEventListener("mousemove", ({ clientX }) => this.table.resize(place, width + clientX - from), { signal });
    document.addEventListener("mouseup", () => stop.abort(), { signal });
  }

  // ---- clipboard: tab-separated text, as spreadsheets read and write it

  copy(event) {
    const { cells } = this;
    if (cells.spot.row < 0) return;
    const lines = cells.rectangle().map((line) => line.map(({ row, place }) => quoted(cells.told(row, place).text)).join("\t"));
    event.clipboardData.setData("text/plain", lines.join("\n"));
    event.preventDefault();
    if (event.type === "cut") cells.fill(() => null);
    else cells.say(lines.length === 1 && !lines[0].includes("\t") ? "Copied" : `${lines.length} ${lines.length === 1 ? "row" : "rows"} copied`);
  }

  paste(event) {
    event.preventDefault();
    const lines = parsed(event.clipboardData.getData("text/plain")), { cells } = this;
    if (!lines.length || cells.spot.row < 0) return;
    if (lines.length === 1 && lines[0].length === 1) return cells.fill(() => lines[0][0]);
    const [[{ row, place }]] = cells.rectangle(), { rows, columns } = cells.data;
    const foot = clamp(row + lines.length, 0, rows.length) - 1, side = clamp(place + Math.max(...lines.map((line) => line.length)), 0, columns.length) - 1;
    cells.spread({ row, place: place + FIRST }, { row: foot, place: side + FIRST });
    cells.fill((at, column) => lines[at - row]?.[column - place]);
  }
}

const quoted = (text) => (text === null ? "" : /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

// Lines of fields. A field in quotes may hold tabs, line ends, and quotes twice.
export const parsed = (text) => {
  const lines = [[]], fields = /(?:^|(\t|\r\n|\n|\r))(?:"((?:[^"]|"")*)"(?=[\t\r\n]|$)|([^\t\r\n]*))/g;
  for (const [, between, inner, plain] of text.matchAll(fields)) {
    if (between && between !== "\t") lines.push([]);
    lines[lines.length - 1].push(inner === undefined ? plain : inner.replaceAll('""', '"'));
  }
  if (lines.length > 1 && lines[lines.length - 1].join("") === "") lines.pop();
  return lines;
};
