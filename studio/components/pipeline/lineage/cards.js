// The cards near by: real buttons with names, so that keyboard and screen reader work as anywhere.

import { clamp, make, press } from "../../dom.js";

export class Cards {
  constructor({ select, hover, column }) {
    this.world = make("div", "world");
    this.shown = new Map();
    this.act = { select, hover, column };
  }

  element(name) { return this.shown.get(name)?.querySelector(".card"); }

  show(wanted) {
    const names = new Set(wanted.map((card) => card.name));
    for (const [name, element] of this.shown) {
      if (!names.has(name)) { element.remove(); this.shown.delete(name); }
    }
    for (const card of wanted) {
      let element = this.shown.get(card.name);
      if (!element) {
        element = this.node(card.name);
        this.shown.set(card.name, element);
        this.world.append(element);
      }
      const content = JSON.stringify(card);
      if (element.shows !== content) this.fill(element, card);
      element.shows = content;
    }
  }

  light(chosen, lit, column, litColumns) {
    for (const [name, element] of this.shown) {
      element.classList.toggle("dim", Boolean(lit) && !lit.has(name));
      element.firstChild.setAttribute("aria-pressed", String(name === chosen));
      for (const row of element.querySelectorAll(".column")) {
        row.classList.toggle("lit", Boolean(litColumns?.has(row.dataset.column)));
        row.classList.toggle("dim", Boolean(litColumns) && !litColumns.has(row.dataset.column));
        row.setAttribute("aria-pressed", String(row.dataset.column === column));
      }
    }
  }

  node(name) {
    const element = make("div", "node"), card = make("button", "card");
    card.type = "button";
    card.dataset.name = name;
    card.onclick = () => this.act.select(name);
    card.onfocus = () => { if (card.matches(":focus-visible")) this.act.hover(name); };
    card.onblur = () => this.act.hover(null);
    element.onpointerenter = () => this.act.hover(name);
    element.onpointerleave = () => this.act.hover(null);
    element.append(card);
    return element;
  }

  fill(element, card) {
    const button = element.firstChild;
    button.dataset.state = element.dataset.state = card.state;
    button.dataset.kind = card.kind;
    button.setAttribute("aria-label", card.label);
    button.title = card.line;
    Object.assign(element.style, { left: `${card.x}px`, top: `${card.y}px`, width: `${card.width}px`, height: `${card.height}px` });
    const head = make("span", "line");
    head.append(make("span", "name", card.title), make("span", "kind", card.kind));
    const parts = card.trail && /source|outside/.test(card.state) ? [head] : [head, make("span", "state", card.line)], foot = this.foot(card);
    if (foot.childNodes.length) parts.push(foot);
    if (card.progress !== null) {
      const bar = make("span", "bar"), done = make("i");
      done.style.width = `${clamp(card.progress, 0, 1) * 100}%`;
      bar.append(done);
      parts.push(bar);
    }
    button.replaceChildren(...parts);
    element.replaceChildren(button, ...(card.columns.length ? [this.columns(card)] : []));
  }

  foot(card) {
    const foot = make("span", "foot");
    if (card.trail) foot.append(make("span", "mark trail", card.trail));
    if (card.rows) foot.append(make("span", "rows", card.rows));
    if (card.delta) foot.append(make("span", `delta ${card.delta.startsWith("+") ? "up" : "down"}`, card.delta));
    for (const mark of card.marks) {
      const note = make("span", `mark ${mark.tone}`, mark.text);
      note.title = mark.hint;
      foot.append(note);
    }
    if (card.time) foot.append(make("span", "time", card.time));
    return foot;
  }

  columns(card) {
    const box = make("div", "columns");
    for (const { name, type } of card.columns) {
      const id = `${card.name}.${name}`;
      const row = press("", `Column ${name} of ${card.name}`, () => this.act.column(id), "column");
      row.dataset.column = id;
      row.title = `${name}: ${type}`;
      row.onpointerenter = () => this.act.hover(card.name, id);
      row.onpointerleave = () => this.act.hover(card.name);
      row.append(make("span", "", name), make("i", "", type.split("[")[0]));
      box.append(row);
    }
    if (card.more) box.append(make("span", "more", `and ${card.more} more`));
    return box;
  }
}
