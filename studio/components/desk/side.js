// The pages, at the window's left side: links, so that one opens in another tab as any link does. In a narrow window
// their pictures alone.

import { base, make, visit } from "../dom.js";

export class Side {
  constructor(leave) {
    this.element = make("nav", "side");
    this.element.setAttribute("aria-label", "Pages");
    this.list = make("ul");
    this.logo = make("img", "logo");
    this.logo.alt = "Packyak";
    this.person = make("div", "person");
    this.leave = leave;
    this.element.append(this.logo, this.list, this.person);
  }

  fill({ tone, pages, page, person }) {
    const said = JSON.stringify([tone, pages, page, person]);
    if (said === this.said) return;
    this.said = said;
    this.element.dataset.tone = tone;
    this.logo.src = `${base()}/app/static/logo-${tone}.svg`;
    this.links = new Map(pages.map((each) => [each.name, this.link(each)]));
    this.list.replaceChildren(...[...this.links.values()].map((link) => {
      const item = make("li");
      item.append(link);
      return item;
    }));
    this.mark(page);
    this.person.replaceChildren(...(person === null ? [] : [make("span", "", person), this.out()]));
  }

  link({ name, title, icon }) {
    const link = make("a");
    link.href = `${base()}/${name === "pipeline" ? "" : name}`;
    link.title = title;
    const picture = make("i", "", icon);
    picture.setAttribute("aria-hidden", "true");
    link.append(picture, make("span", "", title));
    link.onclick = (event) => {
      if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      this.mark(name);
      visit(name);
    };
    return link;
  }

  // Which page is open: shown at once, before the server has drawn it.
  mark(page) {
    for (const [name, link] of this.links) name === page ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  }

  out() {
    const button = make("button", "out", "Sign out");
    button.type = "button";
    button.onclick = () => this.leave();
    return button;
  }
}
