// Below the table: which records these are, the way to the others, how they are sorted, what is not saved yet.

import { make, press } from "../../dom.js";

const AROUND = 1; // pages shown beside the present one

export class Foot {
  constructor(cells) {
    this.cells = cells;
    this.element = make("div", "foot");
    this.status = make("span", "status");
    this.status.setAttribute("role", "status");
    this.left = make("div", "part");
    this.right = make("div", "part right");
    this.element.append(this.left, this.status, this.right);
  }

  say(text) {
    clearTimeout(this.later);
    this.status.textContent = text;
    this.later = setTimeout(() => { this.status.textContent = ""; }, 8000);
  }

  draw(data) {
    const said = make("span", "said", data.said);
    const parts = [said];
    if (data.pages > 1) parts.push(this.pages(data));
    if (data.sort) parts.push(this.sorted(data.sort));
    this.left.replaceChildren(...parts);
    this.count(data);
  }

  pages({ page, pages }) {
    const box = make("nav", "pages");
    box.setAttribute("aria-label", "Pages");
    const step = (text, label, to) => {
      const button = press(text, label, () => this.cells.show(to), "step");
      button.disabled = to < 1 || to > pages;
      return button;
    };
    box.append(step("\u2039", "Page before (Alt+PageUp)", page - 1));
    let before = 0;
    for (const number of [...new Set([1, ...span(page, pages), pages])].sort((a, b) => a - b)) {
      if (number > before + 1) box.append(make("span", "gap", "\u2026"));
      const button = press(number.toLocaleString("en"), `Page ${number}`, () => this.cells.show(number), number === page ? "here" : "");
      if (number === page) button.setAttribute("aria-current", "page");
      box.append(button);
      before = number;
    }
    box.append(step("\u203a", "Page after (Alt+PageDown)", page + 1));
    return box;
  }

  sorted({ column, down }) {
    const button = press("", `Sorted by ${column}, ${down ? "largest" : "smallest"} first: press for the order of keys`, () => this.cells.unsort(), "chip");
    button.append(make("span", "", `${column} ${down ? "\u2193" : "\u2191"}`), make("span", "x", "\u00d7"));
    return button;
  }

  // What is not saved: here and on the pages turned since.
  count(data) {
    const many = this.cells.changes().size, bad = this.cells.refused.size, parts = [];
    if (data.problem) parts.push(make("span", "bad", data.problem));
    else if (data.note) parts.push(make("span", "note", data.note));
    if (bad) parts.push(make("span", "bad", `${bad} ${bad === 1 ? "value does" : "values do"} not fit`));
    if (many || bad) parts.push(press("Discard", "Discard what was typed and not saved", () => this.cells.discard(), "quiet"));
    const save = press(many ? `Save ${many} ${many === 1 ? "correction" : "corrections"}` : "Save corrections", "", () => this.cells.save(), "main-act");
    save.disabled = !many || Boolean(data.refusal);
    if (data.refusal) save.title = data.refusal;
    if (data.editable) parts.push(save);
    this.right.replaceChildren(...parts);
  }
}

const span = (page, pages) => {
  const low = Math.max(1, Math.min(page - AROUND, pages - 3)), high = Math.min(pages, Math.max(page + AROUND, 4));
  return Array.from({ length: high - low + 1 }, (_, place) => low + place);
};
