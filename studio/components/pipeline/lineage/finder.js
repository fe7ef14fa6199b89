// The search box of the graph: type part of a name, Enter flies there.

import { make, matching } from "../../dom.js";

export class Finder {
  constructor(go) {
    this.go = go;
    this.items = [];
    this.element = make("div", "finder");
    this.input = make("input");
    Object.assign(this.input, { type: "search", placeholder: "Find an asset", autocomplete: "off", spellcheck: false, title: "Find an asset (/)" });
    this.list = make("ul");
    this.list.hidden = true;
    this.list.id = "found";
    for (const [name, value] of Object.entries({ role: "combobox", "aria-label": "Find an asset", "aria-expanded": "false", "aria-controls": "found", "aria-autocomplete": "list" })) {
      this.input.setAttribute(name, value);
    }
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Assets found");
    this.element.append(this.input, this.list);
    this.input.oninput = () => this.look();
    this.input.onfocus = () => { if (this.input.value) this.look(); };
    this.input.onblur = () => setTimeout(() => this.close(), 150);
    this.input.onkeydown = (event) => this.key(event);
  }

  look() {
    this.found = this.input.value.trim() ? matching(this.items, this.input.value) : [];
    this.mark = 0;
    this.list.replaceChildren(...this.found.map((item, place) => this.line(item, place)));
    if (this.input.value.trim() && !this.found.length) this.list.append(make("li", "none", "No asset of that name"));
    this.list.hidden = !this.input.value.trim();
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    this.show();
  }

  line(item, place) {
    const line = make("li");
    line.id = `found-${place}`;
    line.setAttribute("role", "option");
    line.dataset.state = item.state;
    line.append(make("span", "", item.title || item.name), make("em", "", item.kind));
    line.onpointerdown = (event) => { event.preventDefault(); this.choose(item); };
    return line;
  }

  show() {
    [...this.list.children].forEach((line, place) => line.setAttribute("aria-selected", String(place === this.mark)));
    if (this.found?.length) this.input.setAttribute("aria-activedescendant", `found-${this.mark}`);
  }

  key(event) {
    event.stopPropagation();
    const act = { ArrowDown: () => { this.mark = Math.min(this.mark + 1, (this.found?.length ?? 1) - 1); this.show(); },
      ArrowUp: () => { this.mark = Math.max(this.mark - 1, 0); this.show(); },
      Enter: () => { if (this.found?.[this.mark]) this.choose(this.found[this.mark]); },
      Escape: () => { this.input.value = ""; this.close(); this.input.blur(); } }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  choose(item) {
    this.close();
    this.input.value = "";
    this.go(item.name);
  }

  close() {
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
  }
}
