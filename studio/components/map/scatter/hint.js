// What a record says, beside the dot that is pointed at. Asked of the server when it is needed, then kept.

import { base, make } from "../../dom.js";

const WAIT = 60, WIDE = 340;

export class Hint {
  constructor() {
    this.element = make("div", "hint");
    this.element.setAttribute("role", "tooltip");
    this.element.hidden = true;
    this.known = new Map();
  }

  forget() {
    this.known.clear();
    this.hide();
  }

  show(row, x, y, root) {
    if (this.row !== row) {
      this.row = row;
      clearTimeout(this.timer);
      this.element.hidden = true;
      this.timer = setTimeout(() => this.ask(row), this.known.has(row) ? 0 : WAIT);
    }
    const left = x + 16 + WIDE > root.clientWidth ? Math.max(8, x - 16 - WIDE) : x + 16;
    const low = y > root.clientHeight - 170;
    Object.assign(this.element.style, { left: `${left}px`, top: low ? "" : `${y + 14}px`, bottom: low ? `${root.clientHeight - y + 14}px` : "" });
  }

  hide() {
    clearTimeout(this.timer);
    this.row = -1;
    this.element.hidden = true;
  }

  async ask(row) {
    if (!this.known.has(row)) {
      try {
        const answer = await fetch(`${base()}${this.path}/${row}`);
        if (!answer.ok) return;
        this.known.set(row, await answer.json());
      } catch { return; }
    }
    if (this.row !== row) return;
    const { name, value, text } = this.known.get(row), head = make("div", "head");
    head.append(make("strong", "", name), ...(value === undefined ? [] : [make("em", "", value)]));
    this.element.replaceChildren(head, make("p", "", text));
    this.element.hidden = false;
  }
}
