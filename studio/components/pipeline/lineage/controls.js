// What lies over the graph: zoom buttons, legend, the bar with columns, groups, focus and export, and the notice.

import { make, press } from "../../dom.js";
import { savePng, saveSvg } from "./export.js";

const LEGEND = [["fresh", "--st-green-color"], ["stale", "--st-orange-color"], ["failed, blocked", "--st-red-color"],
  ["running", "--st-primary-color"], ["never run", "--st-gray-color"]];

export const legend = () => {
  const box = make("div", "legend");
  for (const [word, tone] of LEGEND) {
    const item = make("span", "", word);
    item.style.setProperty("--tone", `var(${tone})`);
    box.append(item);
  }
  box.setAttribute("aria-hidden", "true");
  return box;
};

export const tools = (board) => {
  const box = make("div", "tools"), { view } = board;
  const level = press("100 %", "Zoom to 100 % (0)", () => view.zoom(1 / view.k));
  box.append(press("\u2212", "Zoom out (-)", () => view.zoom(0.8)), level, press("+", "Zoom in (+)", () => view.zoom(1.25)),
    press("Fit", "Fit the graph (F)", () => board.fit(true)), press("\u21c4", "Turn the graph (T)", () => board.turn(board.way === "down" ? "across" : "down")));
  return [box, level];
};

// A button that opens a list of things to do.
const menu = (text, label, fill) => {
  const box = make("div", "menu"), list = make("div", "list");
  list.hidden = true;
  const toggle = press(text, label, () => {
    if (list.hidden) list.replaceChildren(...fill(() => { list.hidden = true; }));
    list.hidden = !list.hidden;
    toggle.setAttribute("aria-expanded", String(!list.hidden));
  });
  toggle.setAttribute("aria-expanded", "false");
  box.onfocusout = (event) => { if (!box.contains(event.relatedTarget)) list.hidden = true; };
  box.onkeydown = (event) => { if (event.key === "Escape") { list.hidden = true; toggle.focus(); event.stopPropagation(); } };
  box.append(toggle, list);
  return box;
};

export class Bar {
  constructor(board) {
    this.board = board;
    this.element = make("div", "bar-top");
    this.focus = make("div", "focus");
    this.focus.setAttribute("role", "group");
    this.focus.setAttribute("aria-label", "Show only what is near the chosen asset");
    this.columns = press("Columns", "Show columns and where they come from (C)", () => board.send({ columns: !board.data.columns }));
    this.outside = press("Outside", "Show jobs and data of other tools (O)", () => board.toggleOutside());
    this.groups = menu("Groups", "Open and close groups of assets", (done) => this.listGroups(done));
    this.files = menu("Export", "Save the graph as a file", (done) => [
      press("As SVG", "", () => { done(); saveSvg(board.scene(), board.data.title); }),
      press("As PNG", "", () => { done(); savePng(board.scene(), board.data.title); }),
    ]);
    this.element.append(this.focus, this.groups, this.outside, this.columns, this.files);
  }

  update() {
    const { data, chosen } = this.board;
    this.columns.setAttribute("aria-pressed", String(data.columns));
    this.columns.hidden = !data.cards.length || Boolean(data.past);
    this.files.hidden = !data.cards.length;
    this.outside.hidden = !data.around;
    this.outside.title = `${data.around} (O)`;
    this.outside.setAttribute("aria-pressed", String(data.outside));
    this.groups.hidden = !data.groups.length;
    const { focus } = data, name = focus?.name ?? chosen;
    this.focus.hidden = !name || (!focus && data.total < 4);
    if (this.focus.hidden) return;
    const hops = focus?.hops ?? 0;
    const option = (text, label, wanted) => {
      const button = press(text, label, () => this.board.send({ focus: wanted === null ? null : { name, hops: wanted } }));
      button.setAttribute("aria-pressed", String(focus ? wanted === hops : wanted === null));
      return button;
    };
    const steps = focus && hops > 0
      ? [press("\u2212", "One step fewer", () => this.board.send({ focus: { name, hops: Math.max(hops - 1, 1) } })), make("span", "hops", `${hops} ${hops === 1 ? "step" : "steps"}`),
        press("+", "One step more", () => this.board.send({ focus: { name, hops: hops + 1 } }))]
      : [option("\u00b11", `Only what is one step from ${name}`, 1)];
    this.focus.replaceChildren(option("All", "The whole graph", null), option("Lineage", `Only what ${name} depends on and what depends on it`, 0), ...steps);
  }

  listGroups(done) {
    const { groups } = this.board.data, send = (open) => { done(); this.board.send({ open }); };
    const open = groups.filter((group) => group.open).map((group) => group.name);
    const all = [press("Open all", "", () => send(groups.map((group) => group.name))), press("Close all", "", () => send([]))];
    return [...all, ...groups.map((group) => {
      const line = press("", "", () => send(group.open ? open.filter((name) => name !== group.name) : [...open, group.name]));
      line.setAttribute("aria-pressed", String(group.open));
      line.append(make("span", "", group.name), make("em", "", String(group.size)));
      return line;
    })];
  }
}

export const tell = (box, notice, dismissed) => {
  box.hidden = !notice;
  if (!notice) return box.replaceChildren();
  box.dataset.tone = notice.tone;
  box.setAttribute("role", "status");
  const close = press("\u00d7", "Dismiss", () => { box.hidden = true; dismissed(); }, "close");
  const text = make("div", "told");
  text.append(make("strong", "", notice.title), make("span", "", notice.line), ...notice.details.map((line) => make("p", "", line)));
  return box.replaceChildren(text, close);
};
