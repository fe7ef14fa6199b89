// A map of records: dots that can be looked at, pointed at and picked with a lasso or a box. Places come from Python.
// Called again on every change of data or theme: one Scatter per element keeps view and selection. What records say goes
// in by textContent only.

import { make, press } from "../../dom.js";
import { Hands } from "./hands.js";
import { Hint } from "./hint.js";
import { Legend } from "./legend.js";
import { Plot } from "./plot.js";
import { read, simpler, within, write } from "./shapes.js";
import { Place } from "./view.js";

const FOOT = 42, TELL_AFTER = 350, MODES = [["move", "Move", "Move (M)"], ["lasso", "Lasso", "Pick with a lasso (L)"], ["box", "Box", "Pick with a box (B)"]];
const scatters = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  let scatter = scatters.get(parentElement);
  if (!scatter) scatters.set(parentElement, (scatter = new Scatter(parentElement.querySelector(".scatter"))));
  scatter.send = (event) => setTriggerValue("event", event);
  scatter.update(data);
  return () => { scatter.close(); scatters.delete(parentElement); };
}

class Scatter {
  constructor(root) {
    this.root = root;
    const dots = make("canvas"), over = make("canvas");
    this.view = new Place(() => this.moved());
    this.plot = new Plot(dots);
    this.over = over;
    this.hint = new Hint();
    this.legend = new Legend(() => this.draw());
    this.empty = make("div", "empty");
    this.count = make("div", "count");
    this.count.setAttribute("role", "status");
    this.modes = make("div", "modes");
    this.modes.setAttribute("role", "group");
    this.modes.setAttribute("aria-label", "What dragging does");
    for (const [name, text, label] of MODES) {
      const button = press(text, label, () => this.take(name));
      button.dataset.mode = name;
      this.modes.append(button);
    }
    const tools = make("div", "tools");
    tools.append(press("\u2212", "Zoom out (-)", () => this.view.zoom(0.7)), press("+", "Zoom in (+)", () => this.view.zoom(1.4)), press("Fit", "Fit all records, or those picked (F)", () => this.fit()));
    for (const canvas of [dots, over]) canvas.setAttribute("aria-hidden", "true");
    root.replaceChildren(dots, over, this.empty, this.modes, this.count, this.legend.element, tools, this.hint.element);
    this.shapes = [];
    this.take("move");
    this.hands = new Hands(this);
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(root);
  }

  close() {
    this.hands.close();
    this.watch.disconnect();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.later);
  }

  update(data) {
    const before = this.data ?? {};
    this.data = data;
    this.stretch();
    const other = before.name !== data.name;
    if (other) this.plot.load(data);
    if (other || before.paint !== data.paint) {
      this.plot.dye(data);
      this.hint.forget();
    }
    this.ink = this.inks();
    this.plot.tint(this.ink);
    this.legend.fill(data, this.ink);
    this.hint.path = data.hints;
    this.empty.textContent = data.many ? "" : "No record has a place here.";
    this.root.setAttribute("aria-label", `Map of ${data.many.toLocaleString("en")} records`);
    if (other || before.inside !== data.inside) this.shapes = read(data.inside);
    if (before.view !== data.view && data.view !== this.told) this.view.take(data.view) || this.view.fit();
    this.told = data.view;
    this.pick();
  }

  inks() {
    const style = getComputedStyle(this.root), pen = document.createElement("canvas").getContext("2d");
    const read = (name) => {
      pen.fillStyle = style.getPropertyValue(`--st-${name}`).trim() || "#888888";
      return [1, 3, 5].map((at) => parseInt(pen.fillStyle.slice(at, at + 2), 16));
    };
    const back = read("background-color"), text = read("text-color");
    return { back, text, accent: read("primary-color"), none: back.map((value, place) => Math.round(value + (text[place] - value) * 0.34)) };
  }

  take(mode) {
    this.mode = mode;
    this.root.dataset.mode = mode;
    for (const button of this.modes.children) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
  }

  // ---- picking

  pick() {
    this.picked = this.shapes.length ? within(this.shapes, this.plot) : null;
    const many = this.picked ? this.picked.reduce((sum, each) => sum + each, 0) : 0;
    this.count.textContent = this.picked ? `${many.toLocaleString("en")} picked` : "";
    if (this.picked) this.count.append(press("Clear", "Clear the selection (Esc)", () => this.select([])));
    this.root.dataset.picked = many;
    this.draw();
  }

  // A shape that was just closed. more: beside what is picked already.
  finish(corners, more) {
    const shape = simpler(corners);
    if (shape.length > 2) this.select(more ? [...this.shapes, shape] : [shape]);
    else this.draw();
  }

  select(shapes) {
    this.shapes = read(write(shapes));
    this.pick();
    this.send({ inside: write(this.shapes) });
  }

  open(row) { this.send({ row, name: this.data.name }); }

  fit() {
    const { plot, picked } = this, box = [Infinity, Infinity, -Infinity, -Infinity];
    for (let i = 0; i < plot.many; i++) {
      if (picked && !picked[i]) continue;
      box[0] = Math.min(box[0], plot.x[i]);
      box[1] = Math.min(box[1], plot.y[i]);
      box[2] = Math.max(box[2], plot.x[i]);
      box[3] = Math.max(box[3], plot.y[i]);
    }
    this.view.fit(picked && Number.isFinite(box[0]) ? box : null);
  }

  // ---- where it stands

  stretch() {
    const top = this.root.getBoundingClientRect().top + (this.root.closest("section")?.scrollTop ?? 0);
    const height = Math.max(340, Math.round(innerHeight - top - FOOT));
    if (!this.root.isConnected || top <= 0 || height === this.tall) return;
    this.tall = height;
    this.root.style.height = `${height}px`;
    document.documentElement.style.setProperty("--board-height", `${height}px`);
  }

  resize() {
    this.stretch();
    const { clientWidth: wide, clientHeight: high } = this.root;
    if (!wide || !high) return;
    this.view.size(wide, high);
    this.plot.size(wide, high);
    Object.assign(this.over, { width: this.plot.canvas.width, height: this.plot.canvas.height });
    this.draw();
  }

  moved() {
    this.hint.hide();
    this.draw();
    clearTimeout(this.later);
    this.later = setTimeout(() => {
      if (!this.data || this.view.text === (this.told || "0.000,0.000,1.000")) return;
      this.told = this.view.text;
      this.send({ view: this.told });
    }, TELL_AFTER);
  }

  // ---- drawing: at most once a frame

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.paint());
  }

  paint() {
    if (!this.data || !this.plot.out) return;
    const start = performance.now();
    this.plot.paint(this.view, this.legend.only === null ? this.picked : this.lit());
    this.trace();
    this.root.dataset.spent = (performance.now() - start).toFixed(1);
    this.root.dataset.drawn = this.plot.many;
    this.root.dataset.view = this.view.text;
  }

  // With one line of the legend held, its records alone.
  lit() {
    const { codes, many } = this.plot, { only } = this.legend, found = new Uint8Array(many);
    for (let i = 0; i < many; i++) found[i] = codes[i] === only && (!this.picked || this.picked[i]) ? 1 : 0;
    return found;
  }

  trace() {
    const pen = this.over.getContext("2d"), { dpr } = this.plot, { view } = this;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.over.width, this.over.height);
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    const accent = this.ink.accent.join(" ");
    const shapes = this.hands.drawing ? [...(this.hands.more ? this.shapes : []), this.hands.drawing] : this.shapes;
    for (const shape of shapes) {
      pen.beginPath();
      shape.forEach(([x, y], place) => pen[place ? "lineTo" : "moveTo"](...view.toScreen(x, y)));
      pen.closePath();
      pen.fillStyle = `rgb(${accent} / 7%)`;
      pen.strokeStyle = `rgb(${accent} / 85%)`;
      pen.lineWidth = 1.5;
      pen.fill();
      pen.stroke();
    }
    for (const [row, width] of [[this.data.chosen, 2.5], [this.hands.over, 1.5]]) {
      if (row < 0 || row >= this.plot.many) continue;
      const [x, y] = view.toScreen(this.plot.x[row], this.plot.y[row]);
      pen.beginPath();
      pen.arc(x, y, this.plot.radius(view.k) + 3.5, 0, 7);
      pen.strokeStyle = `rgb(${this.ink.text.join(" ")})`;
      pen.lineWidth = width;
      pen.stroke();
    }
  }
}
