// The table of a page of records: a head and first columns that stay in sight, cells that are painted again only where
// they say something else. What records say goes in by textContent only.

import { clamp, make } from "../../dom.js";
import { numeric, written } from "./kinds.js";

const LETTER = 8, DIGIT = 8.6, LEAST = 56, WIDEST = 300, OPEN = 36, MARKS = 30, LATER = 46, ROW = 31;
export const FIRST = 2; // the columns before the record's own: open, marks

export class Table {
  constructor(cells) {
    this.cells = cells;
    this.element = make("table", "");
    this.element.setAttribute("role", "grid");
    this.element.setAttribute("aria-multiselectable", "true");
    this.group = make("colgroup");
    this.head = make("thead");
    this.body = make("tbody");
    this.element.append(this.group, this.head, this.body);
  }

  // ---- all of it

  draw(data) {
    this.data = data;
    this.widths = data.columns.map((column, place) => this.kept(column) ?? this.fitting(column, place));
    this.element.setAttribute("aria-label", data.title);
    this.element.setAttribute("aria-rowcount", data.rows.length + 1);
    this.element.setAttribute("aria-colcount", data.columns.length + FIRST);
    this.group.replaceChildren(...[OPEN, MARKS, ...this.widths, 0].map(() => make("col")));
    this.head.replaceChildren(this.header(data));
    this.mould = this.cast(data);
    this.body.replaceChildren();
    clearTimeout(this.later);
    this.more(Math.ceil(innerHeight / ROW)); // what can be seen first, the rest behind it
    this.later = setTimeout(() => this.rest(), 30);
    this.measure();
  }

  rest() { this.more(this.data.keys.length); }

  more(count) {
    const { keys } = this.data, first = this.body.children.length, last = Math.min(count, keys.length);
    if (first >= last) return;
    const lines = document.createDocumentFragment();
    for (let row = first; row < last; row++) lines.append(this.line(keys[row], row));
    for (let row = first; row < last; row++) this.tint(lines.children[row - first], row);
    this.body.append(lines);
  }

  header(data) {
    const line = make("tr"), open = make("th", "pin open"), marks = make("th", "pin marks");
    open.append(make("span", "sr", "Open"));
    marks.append(make("span", "sr", "Marks"));
    line.append(open, marks, ...data.columns.map((column, place) => this.title(column, place)), make("th", "rest"));
    line.lastChild.setAttribute("role", "presentation");
    [...line.children].slice(0, -1).forEach((each, place) => { each.setAttribute("aria-colindex", place + 1); each.scope = "col"; });
    line.setAttribute("aria-rowindex", 1);
    return line;
  }

  title(column, place) {
    const { sort } = this.data, cell = make("th", this.look(column, place)), box = make("div", "title"), grip = make("i", "grip");
    const way = sort?.column === column.name ? (sort.down ? "descending" : "ascending") : "none";
    cell.setAttribute("aria-sort", way);
    cell.dataset.column = column.name;
    cell.title = `${column.name}: ${column.about}\nClick to sort; drag the edge to make it wider`;
    box.append(make("b", "", column.name), make("small", "", column.hint));
    if (way !== "none") box.append(make("em", "", sort.down ? "\u2193" : "\u2191"));
    grip.setAttribute("aria-hidden", "true");
    cell.append(box, grip);
    return cell;
  }

  look(column, place) {
    const pinned = place < this.data.pinned ? "pin key " : "";
    return `${pinned}${numeric(column) ? "num" : column.kind === "flag" ? "mid" : ""}`;
  }

  // A line without words, of which all others are made.
  cast(data) {
    const line = make("tr"), open = make("td", "pin open"), rest = make("td", "rest"), button = make("button", "go");
    button.type = "button";
    button.tabIndex = -1;
    open.append(button);
    rest.setAttribute("role", "presentation");
    const cells = data.columns.map((column, place) => {
      const cell = make("td", this.look(column, place) + (column.editable ? "" : " fixed"));
      if (!column.editable) cell.setAttribute("aria-readonly", "true");
      return cell;
    });
    line.append(open, make("td", "pin marks"), ...cells, rest);
    return line;
  }

  line(key, row) {
    const line = this.mould.cloneNode(true);
    line.setAttribute("aria-rowindex", row + 2);
    line.dataset.key = key;
    line.firstChild.firstChild.setAttribute("aria-label", `Open ${key}`);
    return line;
  }

  // ---- widths

  fitting(column, place) {
    if (column.width) return column.width;
    const longest = this.data.rows.reduce((most, row) => Math.max(most, row[place] === null ? 1 : written(column, row[place]).length), 1);
    const title = column.name.length * 7.8 + column.hint.length * 6.2 + LATER;
    const letter = column.kind === "text" && place >= this.data.pinned ? LETTER : DIGIT; // digits, and bold keys, are wider
    return Math.round(clamp(Math.max(title, longest * letter + 26), LEAST, WIDEST));
  }

  measure() {
    const { children } = this.group, all = [OPEN, MARKS, ...this.widths];
    all.forEach((width, place) => { children[place].style.width = `${width}px`; });
    const sum = all.reduce((total, width) => total + width, 0);
    this.element.style.width = `max(100%, ${sum}px)`;
    this.inset = OPEN + MARKS + (this.data.pinned ? this.widths[0] : 0);
  }

  get place() { return `packyak-widths-${this.data.asset}`; }

  kept(column) {
    try { return JSON.parse(localStorage.getItem(this.place))?.[column.name]; } catch { return undefined; }
  }

  // width: null for what fits.
  resize(place, width) {
    const column = this.data.columns[place];
    this.widths[place] = width === null ? this.fitting(column, place) : Math.round(clamp(width, LEAST, 900));
    this.measure();
    try {
      const all = JSON.parse(localStorage.getItem(this.place)) ?? {};
      if (width === null) delete all[column.name];
      else all[column.name] = this.widths[place];
      localStorage.setItem(this.place, JSON.stringify(all));
    } catch { /* only another visit would miss it */ }
  }

  // ---- cells

  at(row, place) {
    if (row >= this.body.children.length) this.rest();
    const line = row < 0 ? this.head.firstChild : this.body.children[row];
    return line?.children[place] ?? null;
  }

  find(element) {
    const cell = element?.closest?.("td, th");
    if (!cell || cell.classList.contains("rest") || !this.element.contains(cell)) return null;
    return { row: cell.parentElement.parentElement === this.head ? -1 : cell.parentElement.rowIndex - 1, place: cell.cellIndex };
  }

  paint() {
    this.rest();
    for (let row = 0; row < this.data.keys.length; row++) this.tint(this.body.children[row], row);
  }

  tint(line, row) {
    const { data, cells } = this, key = data.keys[row], marks = [];
    for (let place = 0; place < data.columns.length; place++) {
      const column = data.columns[place], told = cells.told(row, place);
      if (told.mark) marks.push([told.mark, column.name]);
      this.fill(line.children[place + FIRST], column, told);
    }
    this.mark(line.children[1], key, marks);
    const here = key === data.opened;
    if (here === line.classList.contains("here")) return;
    line.classList.toggle("here", here);
    if (here) line.setAttribute("aria-current", "true");
    else line.removeAttribute("aria-current");
  }

  fill(cell, column, { text, shown, mark, why }) {
    const sign = `${mark}|${why}|${text === null ? 0 : 1}${shown}`;
    if (cell.sign === sign) return;
    cell.sign = sign;
    const state = mark || (text === null ? "none" : "");
    if (state !== (cell.state ?? "")) {
      if (cell.state) cell.classList.remove(cell.state);
      if (state) cell.classList.add(state);
      if (mark === "bad") cell.setAttribute("aria-invalid", "true");
      else cell.removeAttribute("aria-invalid");
      cell.state = state;
    }
    if (column.kind === "flag" && text !== null && mark !== "bad") {
      cell.replaceChildren(make("span", `box ${text === "true" ? "on" : ""}`), make("span", "sr", text));
    } else cell.textContent = shown;
    if (mark) cell.append(make("span", "sr", why));
  }

  mark(cell, key, marks) {
    const failed = this.data.failed.includes(key);
    if (!failed && !marks.length && !cell.sign) return;
    const kinds = [...(failed ? ["failed"] : []), ...new Set(marks.map(([mark]) => mark))];
    const said = [...(failed ? ["a function failed on this record"] : []), ...marks.map(([mark, name]) => `${name} ${SAID[mark]}`)].join(", ");
    if (cell.sign === said) return;
    cell.sign = said;
    cell.title = said;
    cell.replaceChildren(...kinds.map((kind) => make("span", `dot ${kind}`)), ...(said ? [make("span", "sr", said)] : []));
    for (const dot of cell.querySelectorAll(".dot")) dot.setAttribute("aria-hidden", "true");
  }
}

const SAID = { draft: "not saved", corrected: "corrected", bad: "does not fit" };
