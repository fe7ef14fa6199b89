// The box in which one value is typed: a line, a list to choose from, or room for a long text. What does not fit is
// said beside it, and stays to be mended.

import { make, matching } from "../../dom.js";
import { choices, choosing, fit } from "./kinds.js";

const MOST_LINES = 0.45; // of the window's height
let boxes = 0;

export class Editor {
  constructor(cells, layer) {
    this.cells = cells;
    this.layer = layer;
  }

  get open() { return Boolean(this.input); }

  // where: key, column, cell. text: what stands there. typed: somebody types over it. why: what was wrong with it.
  start({ key, column, cell, text, typed = false, waiting = false, why = "" }) {
    this.close();
    this.id = `edit-${++boxes}`;
    Object.assign(this, { key, column, cell, was: text ?? "", choosing: choosing(column), waiting, readonly: !column.editable || waiting });
    this.box = make("div", "edit");
    this.input = make(column.kind === "text" || column.kind === "shown" ? "textarea" : "input");
    this.input.rows = 1;
    this.input.spellcheck = false;
    this.input.readOnly = this.readonly;
    this.input.setAttribute("aria-label", `${column.name} of ${key}`);
    this.message = make("p", "why", why);
    this.message.id = `${this.id}-why`;
    this.message.setAttribute("role", "alert");
    this.input.setAttribute("aria-describedby", this.message.id);
    this.box.append(this.input, this.message);
    if (this.choosing) this.offer();
    this.input.value = typed || (this.choosing && !why) ? "" : this.was;
    this.input.placeholder = this.choosing ? this.was : "";
    this.touched = typed || Boolean(why);
    this.input.oninput = () => this.changed();
    this.input.onkeydown = (event) => this.press(event);
    this.input.onblur = () => { if (this.open) this.leave(); };
    this.layer.replaceChildren(this.box);
    this.stand();
    this.input.focus({ preventScroll: true });
    if (!typed && !this.choosing) this.input.setSelectionRange(this.input.value.length, this.input.value.length);
    this.look();
    this.settle();
  }

  // The whole text has come, where only its beginning was there.
  arrived(text) {
    if (!this.waiting) return;
    Object.assign(this, { waiting: false, readonly: !this.column.editable, was: text });
    this.input.readOnly = this.readonly;
    this.input.value = text;
    this.settle();
  }

  stand() {
    const { cell, column } = this, long = column.kind === "text" || column.kind === "shown";
    this.box.style.left = `${cell.offsetLeft - 1}px`;
    this.box.style.top = `${cell.offsetTop - 1}px`;
    this.box.style.width = `${Math.max(cell.offsetWidth + 1, long ? Math.min(380, 120 + this.was.length * 6) : 120)}px`;
    this.input.style.minHeight = `${cell.offsetHeight + 1}px`;
  }

  // As high as what is in it, and inside what can be seen.
  settle() {
    const { input, box, layer } = this, view = layer.parentElement;
    if (input.tagName === "TEXTAREA") {
      input.style.height = "auto";
      input.style.height = `${Math.min(input.scrollHeight + 2, innerHeight * MOST_LINES)}px`;
    }
    const right = view.scrollLeft + view.clientWidth - 6, foot = view.scrollTop + view.clientHeight - 6;
    const over = box.offsetLeft + box.offsetWidth - right, under = box.offsetTop + box.offsetHeight - foot;
    if (over > 0) box.style.left = `${Math.max(view.scrollLeft, box.offsetLeft - over)}px`;
    if (under > 0) box.style.top = `${Math.max(view.scrollTop, box.offsetTop - under)}px`;
  }

  // ---- a list to choose from

  offer() {
    this.list = make("div", "list");
    this.list.id = `${this.id}-list`;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", `Values of ${this.column.name}`);
    this.input.setAttribute("role", "combobox");
    this.input.setAttribute("aria-expanded", "true");
    this.input.setAttribute("aria-controls", this.list.id);
    this.input.setAttribute("aria-autocomplete", "list");
    this.box.append(this.list);
  }

  look() {
    if (!this.choosing) return;
    const all = choices(this.column).map((name) => ({ name })), typed = this.input.value.trim();
    const exact = all.filter(({ name }) => name.toLowerCase() === typed.toLowerCase());
    this.found = (typed ? [...exact, ...matching(all, typed, 50).filter((each) => !exact.includes(each))] : all).map(({ name }) => name);
    this.turn(typed ? 0 : Math.max(this.found.indexOf(this.was), 0));
  }

  turn(place) {
    this.place = place;
    this.list.replaceChildren(...this.found.map((name, at) => {
      const line = make("div", name === this.was ? "now" : "", name);
      line.id = `${this.list.id}-${at}`;
      line.setAttribute("role", "option");
      line.setAttribute("aria-selected", String(at === place));
      line.onmousedown = (event) => { event.preventDefault(); this.place = at; this.picked = true; this.commit("stay"); };
      return line;
    }));
    this.input.setAttribute("aria-activedescendant", this.found.length ? `${this.list.id}-${place}` : "");
    this.list.children[place]?.scrollIntoView({ block: "nearest" });
  }

  // ---- hands

  changed() {
    this.touched = true;
    this.say("");
    this.look();
    this.settle();
  }

  press(event) {
    event.stopPropagation();
    const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
    if (event.isComposing) return;
    if (key === "Escape") {
      event.preventDefault();
      this.cells.forget(this.key, this.column.name);
      this.close(true);
    } else if (key === "Enter" && (altKey || shiftKey) && this.input.tagName === "TEXTAREA") {
      if (!altKey || this.readonly) return;
      event.preventDefault();
      this.input.setRangeText("\n", this.input.selectionStart, this.input.selectionEnd, "end");
      this.changed();
    } else if (key === "Enter" && !ctrlKey && !metaKey) {
      event.preventDefault();
      this.commit(shiftKey ? "up" : "down");
    } else if (key === "Tab") {
      event.preventDefault();
      this.commit(shiftKey ? "left" : "right");
    } else if (this.choosing && (key === "ArrowDown" || key === "ArrowUp") && this.found.length) {
      event.preventDefault();
      this.picked = true;
      this.turn((this.place + (key === "ArrowDown" ? 1 : -1) + this.found.length) % this.found.length);
    }
  }

  // What is in the box, or why it does not fit. Nothing touched: as it was.
  value() {
    if (this.readonly || (!this.touched && !this.picked)) return { text: this.was === "" ? null : this.was, same: true };
    const typed = this.input.value;
    if (this.choosing && (this.picked || typed.trim()) && this.found.length) return { text: this.found[this.place] };
    return fit(this.column, typed);
  }

  commit(move) {
    const found = this.value();
    if (found.why) {
      this.say(`${found.why}.`);
      this.cells.refuse(this.key, this.column.name, this.input.value, found.why);
      return;
    }
    const { key, column } = this;
    this.close(true);
    if (!found.same) this.cells.put([{ key, column: column.name, text: found.text }]);
    this.cells.move(move);
  }

  // Somebody clicks elsewhere: kept where it fits, marked where it does not.
  leave() {
    const found = this.value(), { key, column, input } = this;
    this.close();
    if (found.why) this.cells.refuse(key, column.name, input.value, found.why);
    else if (!found.same) this.cells.put([{ key, column: column.name, text: found.text }]);
  }

  say(why) {
    this.message.textContent = why;
    this.input.setAttribute("aria-invalid", String(Boolean(why)));
    this.settle();
  }

  // back: the cell gets the keys again.
  close(back = false) {
    if (!this.input) return;
    this.input.onblur = null;
    this.input = this.list = null;
    this.picked = false;
    this.layer.replaceChildren();
    if (back) this.cells.focus();
  }
}
