// What lies around every page: the command palette (Ctrl+K), the list of keys (?), and the status bar at the foot.
// Project text goes in by textContent only.

import { base, make, press, visit } from "../dom.js";
import { Palette } from "./palette.js";
import { Keys } from "./keys.js";

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
    this.palette = new Palette((item) => this.act(item));
    this.keys = new Keys();
    root.replaceChildren(this.bar, this.palette.element, this.keys.element);
    this.bar.popover = "manual"; // the top layer: over the sidebar too
    this.bar.showPopover();
    this.stop = new AbortController();
    document.addEventListener("keydown", (event) => this.key(event), { signal: this.stop.signal, capture: true });
  }

  close() {
    this.stop.abort();
    clearInterval(this.timer);
    clearInterval(this.follower);
  }

  // Whether something happened elsewhere: told once for each change, to draw the page anew.
  async look() {
    if (document.hidden) return;
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
    document.documentElement.dataset.base = data.pulse.base;
    clearInterval(this.timer);
    clearInterval(this.follower);
    this.timer = setInterval(() => this.look(), data.pulse.every * 1000);
    this.follower = setInterval(() => this.follow(), 250);
    this.palette.items = data.items;
    this.keys.fill(data.keys);
    this.draw();
  }

  draw() {
    const { data } = this;
    const left = make("div", "part"), right = make("div", "part right");
    for (const fact of data.facts) {
      const text = make("span", `fact ${fact.tone}`, fact.text);
      text.title = fact.hint;
      left.append(text);
    }
    if (data.command) {
      const copy = press("", `Copy as command: ${data.command}`, () => this.copy(), "copy");
      copy.append(make("code", "", data.command), make("em", "", "Copy"));
      this.copied = copy.lastChild;
      right.append(copy);
    }
    right.append(press("Commands Ctrl+K", "Open the command palette", () => this.palette.open()), press("Keys ?", "Show the keys of this page", () => this.keys.open()));
    this.bar.replaceChildren(left, right);
  }

  async copy() {
    const said = this.copied;
    try {
      await navigator.clipboard.writeText(this.data.command);
      said.textContent = "Copied";
    } catch {
      said.textContent = "Not allowed here";
    }
    setTimeout(() => { said.textContent = "Copy"; }, 1500);
  }

  act(item) {
    if (item.act === "copy") this.copy();
    else if (item.act === "keys") this.keys.open();
    else if (item.act === "go") visit(item.page, item.params);
    else this.send({ act: item.act, page: item.page, params: item.params });
  }

  key(event) {
    const inside = event.composedPath()[0];
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      event.stopPropagation();
      this.palette.toggle();
    } else if (event.key === "?" && !event.ctrlKey && !event.metaKey && !writes(inside)) {
      event.preventDefault();
      this.keys.open();
    }
  }
}

const writes = (element) => /^(INPUT|TEXTAREA|SELECT)$/.test(element?.tagName ?? "") || Boolean(element?.isContentEditable);
