// What lies around every page: the pages at the side, the command palette (Ctrl+K), the list of keys (?), and the
// status bar at the foot.
// Project text goes in by textContent only.

import { base, copying, make, press, visit } from "../dom.js";
import { Palette } from "./palette.js";
import { Keys } from "./keys.js";
import { Side } from "./side.js";

const BEHIND = 60; // ms: the bar comes after what the page is for
const desks = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  let desk = desks.get(parentElement);
  if (!desk) desks.set(parentElement, (desk = new Desk(parentElement.querySelector(".desk"))));
  desk.send = (event) => setTriggerValue("event", event);
  desk.update(data);
  return () => { desk.close(); desks.delete(parentElement); };
}

class Desk {
  constructor(root) {
    this.root = root;
    this.bar = make("footer", "bar");
    this.bar.setAttribute("aria-label", "Status");
    this.bar.popover = "manual"; // the top layer: over all of the page
    this.side = new Side(() => this.send({ act: "sign out" }));
    root.replaceChildren(this.side.element, this.bar);
    this.stop = new AbortController();
    document.addEventListener("keydown", (event) => this.key(event), { signal: this.stop.signal, capture: true });
  }

  // Both dialogs are made when first asked for: most pages are left without either.
  get palette() {
    return this.dialog("commands", () => new Palette((item) => this.act(item)));
  }

  get keys() {
    return this.dialog("list", () => new Keys());
  }

  dialog(name, create) {
    if (!this[name]) {
      this[name] = create();
      this.root.append(this[name].element);
    }
    return this[name];
  }

  close() {
    this.stop.abort();
    clearTimeout(this.waiting);
    clearInterval(this.timer);
    clearInterval(this.follower);
  }

  // Whether something happened elsewhere: told once for each change, to draw the page anew.
  async look() {
    if (document.hidden || !this.data.pulse) return;
    let found;
    const asked = location.search, place = new URLSearchParams(asked);
    place.set("page of the studio", this.data.pulse.page);
    try {
      const answer = await fetch(`${base()}${this.data.pulse.path}?${place}`);
      if (!answer.ok) return;
      found = await answer.json();
    } catch { return; }
    const { run, beat } = found;
    if (asked === location.search) this.view(found);
    const fact = this.bar.querySelectorAll(".fact")[2];
    if (fact && fact.textContent !== run.text) {
      fact.textContent = run.text;
      fact.className = `fact ${run.tone}`;
    }
    if (beat === this.data.pulse.beat || beat === this.told) return;
    this.told = beat;
    this.send({ act: "look" });
  }

  // A page may change its address without drawing the desk anew: the bar follows the address.
  follow() {
    if (location.search === this.place) return;
    this.place = location.search;
    this.look();
  }

  view({ command, selection }) {
    const { facts } = this.data, shown = [...facts.filter((fact) => fact.hint !== "selected"), ...(selection ? [{ text: selection, tone: "plain", hint: "selected" }] : [])];
    if (command === this.data.command && shown.length === facts.length && shown.every((fact, place) => fact.text === facts[place].text)) return;
    this.data = { ...this.data, command, facts: shown };
    this.draw();
  }

  update(data) {
    this.data = data;
    this.place = location.search;
    const { there } = data;
    if (there && there.id !== this.went) {
      this.went = there.id;
      setTimeout(() => visit(there.page, there.params)); // once Streamlit has taken in what came with it
    }
    document.documentElement.dataset.base = data.base;
    this.side.fill(data.side);
    clearInterval(this.timer);
    clearInterval(this.follower);
    if (!data.pulse) return; // a project that cannot be opened: its page says so
    this.timer = setInterval(() => this.look(), data.pulse.every * 1000);
    this.follower = setInterval(() => this.follow(), 250);
    if (this.drawn) this.draw();
    else this.waiting ??= setTimeout(() => this.draw(), BEHIND);
  }

  openPalette() {
    this.palette.items = this.data.items;
    this.palette.toggle();
  }

  openKeys() {
    this.keys.fill(this.data.keys);
    this.keys.open();
  }

  draw() {
    const { data } = this;
    if (!this.drawn) this.bar.showPopover();
    this.drawn = true;
    const left = make("div", "part"), right = make("div", "part right");
    for (const fact of data.facts) {
      const text = make("span", `fact ${fact.tone}`, fact.text);
      text.title = fact.hint;
      left.append(text);
    }
    this.copy = data.command ? copying(data.command) : null;
    if (this.copy) right.append(this.copy);
    right.append(press("Commands Ctrl+K", "Open the command palette", () => this.openPalette()), press("Keys ?", "Show the keys of this page", () => this.openKeys()));
    this.bar.replaceChildren(left, right);
  }

  act(item) {
    if (item.act === "copy") this.copy?.click();
    else if (item.act === "keys") this.openKeys();
    else if (item.act === "go") visit(item.page, item.params);
    else this.send({ act: item.act, page: item.page, params: item.params });
  }

  key(event) {
    const inside = event.composedPath()[0];
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      event.stopPropagation();
      this.openPalette();
    } else if (event.key === "?" && !event.ctrlKey && !event.metaKey && !writes(inside)) {
      event.preventDefault();
      this.openKeys();
    }
  }
}

const writes = (element) => /^(INPUT|TEXTAREA|SELECT)$/.test(element?.tagName ?? "") || Boolean(element?.isContentEditable);
