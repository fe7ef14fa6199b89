// The command palette: type part of a page, an asset or an action, Enter goes there.

import { make, matching } from "../dom.js";

const MOST = 12;

export class Palette {
  constructor(choose) {
    this.choose = choose;
    this.items = [];
    this.element = make("dialog", "palette");
    this.element.setAttribute("aria-label", "Command palette");
    this.input = make("input");
    Object.assign(this.input, { type: "text", placeholder: "Go to a page or an asset, or do something", autocomplete: "off", spellcheck: false });
    this.list = make("ul");
    this.list.id = "commands";
    for (const [name, value] of Object.entries({ role: "combobox", "aria-label": "Command", "aria-expanded": "true", "aria-controls": "commands", "aria-autocomplete": "list" })) {
      this.input.setAttribute(name, value);
    }
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Commands");
    this.element.append(this.input, this.list);
    this.input.oninput = () => this.look();
    this.element.onkeydown = (event) => this.key(event);
    this.element.onclick = (event) => { if (event.target === this.element) this.element.close(); };
  }

  toggle() {
    if (this.element.open) this.element.close();
    else this.open();
  }

  open() {
    this.input.value = "";
    this.look();
    this.element.showModal();
    this.input.focus();
  }

  look() {
    const typed = this.input.value;
    this.found = typed.trim() ? matching(this.items, typed, MOST) : this.items.slice(0, MOST);
    this.mark = 0;
    this.list.replaceChildren(...this.found.map((item, place) => this.line(item, place)));
    if (!this.found.length) this.list.append(make("li", "none", "Nothing of that name"));
    this.show();
  }

  line(item, place) {
    const line = make("li");
    line.id = `command-${place}`;
    line.setAttribute("role", "option");
    line.append(make("span", "", item.name), make("em", "", item.note));
    line.onclick = () => this.take(item);
    line.onpointermove = () => { if (this.mark !== place) { this.mark = place; this.show(); } };
    return line;
  }

  show() {
    [...this.list.children].forEach((line, place) => {
      line.setAttribute("aria-selected", String(place === this.mark));
      if (place === this.mark) line.scrollIntoView({ block: "nearest" });
    });
    if (this.found.length) this.input.setAttribute("aria-activedescendant", `command-${this.mark}`);
    else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const last = this.found.length - 1;
    const act = { ArrowDown: () => { this.mark = this.mark >= last ? 0 : this.mark + 1; this.show(); }, ArrowUp: () => { this.mark = this.mark <= 0 ? last : this.mark - 1; this.show(); },
      Enter: () => { if (this.found[this.mark]) this.take(this.found[this.mark]); } }[event.key];
    event.stopPropagation();
    if (!act) return;
    event.preventDefault();
    act();
  }

  take(item) {
    this.element.close();
    this.choose(item);
  }
}
