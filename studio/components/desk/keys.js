// The keys of this page, in a dialog.

import { make, press } from "../dom.js";

export class Keys {
  constructor() {
    this.element = make("dialog", "keys");
    this.element.setAttribute("aria-label", "Keys");
    this.element.onclick = (event) => { if (event.target === this.element) this.element.close(); };
  }

  open() { if (!this.element.open) this.element.showModal(); }

  fill(groups) {
    const parts = groups.map(({ title, keys }) => {
      const box = make("section"), list = make("dl");
      for (const { keys: names, does } of keys) {
        const term = make("dt");
        for (const name of names) term.append(make("kbd", "", name));
        list.append(term, make("dd", "", does));
      }
      box.append(make("h3", "", title), list);
      return box;
    });
    this.element.replaceChildren(make("h2", "", "Keys"), ...parts, press("Close", "", () => this.element.close(), "done"));
  }
}
