// The lineage graph. Places come from Python. Called again on every change of data or theme: one Board per element keeps
// view and focus. Names and messages go in by textContent only: they are not trusted.

import { STILL, make, stretch } from "../../dom.js";
import { Picture } from "./canvas.js";
import { Cards } from "./cards.js";
import { Bar, legend, tell, tools } from "./controls.js";
import { Finder } from "./finder.js";
import { Hands } from "./hands.js";
import { boxOf, HEAD, inkOf, ROW } from "./ink.js";
import { Links } from "./links.js";
import { Minimap } from "./minimap.js";
import { PAD, View } from "./view.js";

const NEAR = 0.34, MOST_CARDS = 250, LEAST_TALL = 340, RUNNING_EVERY = 60;
const boards = new WeakMap();

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let board = boards.get(parentElement);
  if (!board) boards.set(parentElement, (board = new Board(parentElement)));
  board.send = (event) => setTriggerValue("event", event);
  board.update(data);
  return () => { board.close(); boards.delete(parentElement); };
}

class Board {
  constructor(parent) {
    this.root = parent.querySelector(".board");
    this.view = new View(() => this.draw());
    this.picture = new Picture();
    this.cards = new Cards({ select: (name) => this.select(name), hover: (name, column) => this.hover(name, column), column: (id) => this.send({ column: id }) });
    this.minimap = new Minimap(this.view);
    this.finder = new Finder((name) => this.go(name));
    this.bar = new Bar(this);
    this.empty = make("div", "empty");
    this.notice = make("div", "notice");
    this.band = make("div", "band");
    const [box, level] = tools(this);
    this.level = level;
    this.root.replaceChildren(this.picture.element, this.cards.world, this.empty, this.finder.element, this.bar.element, this.band, this.notice, legend(), this.minimap.element, box);
    this.hands = new Hands(this);
    this.watch = new ResizeObserver(() => this.resize());
    this.watch.observe(this.root);
    // The side panel takes the same height through the variable.
    this.unstretch = stretch(this.root, LEAST_TALL, (height) => document.documentElement.style.setProperty("--board-height", `${height}px`));
  }

  close() {
    this.hands.close();
    this.view.stop();
    this.watch.disconnect();
    this.unstretch();
    cancelAnimationFrame(this.frame);
    clearTimeout(this.later);
  }

  // ---- what is shown

  update(data) {
    this.data = data;
    this.ink = inkOf(this.root);
    this.root.setAttribute("aria-label", `Pipeline graph, ${data.total} nodes`);
    this.empty.hidden = Boolean(data.cards.length);
    this.root.dataset.cards = data.cards.length;
    const { title, line, code } = data.nothing;
    if (!this.empty.hidden) this.empty.replaceChildren(make("strong", "", title), make("p", "", line), make("pre", "", code));
    this.band.textContent = data.past;
    this.band.hidden = !data.past;
    this.root.dataset.past = String(Boolean(data.past));
    this.finder.items = data.finds;
    this.finder.element.hidden = data.total < 2;
    tell(this.notice, data.notice, () => this.send({ dismissed: true }));
    this.links = new Links(data.edges.map((edge) => [edge.source, edge.target]));
    this.threadLinks = new Links(data.threads.map((thread) => thread.ends));
    const fresh = data.shape !== this.shape, other = this.chosen !== data.chosen;
    this.shape = data.shape;
    this.chosen = data.chosen;
    this.bar.update();
    if (fresh) this.view.moved = false;
    this.turn(fresh ? this.better() : this.way);
    if (other && data.chosen && !fresh) this.reveal = data.chosen;
    if (this.flying && this.byName.has(this.flying)) this.view.fly(this.byName.get(this.flying));
    if (this.flying) this.flying = null;
  }

  better() {
    const room = (size) => Math.min((this.root.clientWidth - 2 * PAD) / size[0], (this.root.clientHeight - 3 * PAD) / size[1]);
    const { data } = this;
    return data.cards.length && !data.columns && room(data.down) > room(data.across) * 1.08 ? "down" : "across";
  }

  turn(wanted) {
    const way = this.data.columns ? "across" : wanted, turned = way !== this.way;
    this.way = way;
    this.root.dataset.way = way;
    this.places = this.data.cards.map((card) => ({ ...card, x: card[way][0], y: card[way][1] }));
    this.byName = new Map(this.places.map((card) => [card.name, card]));
    [this.width, this.height] = this.data[way];
    this.trail = this.data.trail ? new Set([...this.data.cards.filter((card) => card.trail).map((card) => card.name), ...this.data.edges.filter((edge) => edge.trail).flatMap((edge) => [edge.source, edge.target])]) : null;
    this.edges = this.data.edges.map((edge) => ({ ...edge, points: edge[way], box: boxOf(edge[way]), running: this.byName.get(edge.target)?.state === "running" }));
    this.threads = this.data.threads.map((thread) => ({ ...thread, points: this.thread(thread.ends) })).filter((thread) => thread.points);
    this.minimap.draw(this.places, this.width, this.height, this.ink);
    this.light();
    if (turned || !this.view.moved) this.fit(false);
    else this.draw(true);
  }

  // From the right side of one card's row to the left side of another's.
  thread(ends) {
    const side = (id, right) => {
      const card = this.places.find((place) => id.startsWith(`${place.name}.`) && place.columns.some((column) => `${place.name}.${column.name}` === id));
      const row = card ? card.columns.findIndex((column) => `${card.name}.${column.name}` === id) : -1;
      return row < 0 ? null : [card.x + (right ? card.width : 0), card.y + HEAD + (row + 0.5) * ROW];
    };
    const points = [side(ends[0], true), side(ends[1], false)];
    return points.every(Boolean) ? points : null;
  }

  scene() {
    return { places: this.places, edges: this.edges, threads: this.threads, down: this.way === "down", ink: this.ink, width: this.width, height: this.height,
      lit: this.lit, trail: Boolean(this.trail) && this.lit === this.trail, litColumns: this.litColumns, chosen: this.chosen, far: this.shownAsCards ? [] : this.places };
  }

  // What hovering or choosing sets apart: the whole lineage of it.
  light() {
    const focus = this.hovered ?? (this.byName.has(this.chosen) ? this.chosen : null);
    this.lit = focus && (this.hovered || !this.trail) ? this.links.lineage(focus) : this.trail;
    const column = this.hoveredColumn ?? this.data.column;
    this.litColumns = column && this.threads.length ? this.threadLinks.lineage(column) : null;
  }

  toggleOutside() {
    if (this.data.around) this.send({ outside: !this.data.outside });
  }

  // ---- where it stands

  resize() {
    const { clientWidth: wide, clientHeight: high } = this.root;
    if (!wide) return;
    this.view.size(wide, high);
    this.picture.size(wide, high);
    if (!this.view.moved) this.fit(false);
    else this.draw(true);
  }

  first() {
    return this.places.reduce((a, b) => ((this.way === "down" ? b.y < a.y : b.x < a.x) ? b : a), this.places[0]);
  }

  fit(all) {
    this.view.size(this.root.clientWidth, this.root.clientHeight);
    this.view.corner = this.minimap.element.offsetWidth;
    if (this.places.length) this.view.fit(this.width, this.height, this.first(), this.way === "down", all);
    if (!all && this.byName.has(this.chosen)) {
      this.view.reveal(this.byName.get(this.chosen));
      this.view.moved = false;
    }
    this.draw(true);
  }

  go(name) {
    const card = this.byName.get(name);
    if (card) this.view.fly(card);
    else this.flying = name; // it lies in a closed group: Python opens that
    this.stand(card, false);
    this.select(name);
  }

  stand(card, shown = true) {
    if (!card) return;
    this.standing = card.name;
    if (shown && this.shownAsCards) this.view.reveal(card);
    else if (shown) this.view.fly(card);
    requestAnimationFrame(() => requestAnimationFrame(() => this.cards.element(card.name)?.focus({ preventScroll: true })));
  }

  select(name) {
    if (name === (this.chosen ?? "")) return;
    this.chosen = name;
    this.standing = name || this.standing;
    this.light();
    this.bar.update();
    this.draw(true);
    this.send({ name });
  }

  hover(name, column = null) {
    if (this.hovered === name && this.hoveredColumn === column) return;
    this.hovered = name;
    this.hoveredColumn = column;
    this.light();
    this.draw(true);
  }

  // ---- drawing: at most once a frame; `anew` where more than the window's place has changed

  draw(anew = false) {
    if (!this.data) return;
    this.dirty ||= anew;
    if (this.reveal && this.byName.has(this.reveal)) {
      const card = this.byName.get(this.reveal);
      this.reveal = null;
      this.view.reveal(card);
    }
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame((time) => this.paint(time));
  }

  paint(time) {
    const { view, root } = this;
    let dots = 24 * view.k;
    while (dots < 14) dots *= 2;
    root.style.backgroundSize = `${dots}px ${dots}px`;
    root.style.backgroundPosition = `${view.x}px ${view.y}px`;
    this.cards.world.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.k})`;
    const few = this.places.length <= MOST_CARDS, seen = few ? this.places : this.places.filter((card) => view.over(card));
    const asCards = view.k >= NEAR && seen.length <= MOST_CARDS, changed = this.dirty || asCards !== this.shownAsCards;
    this.shownAsCards = asCards;
    if (changed || (asCards && !few)) {
      this.cards.show(asCards ? seen : []);
      this.cards.light(this.chosen, this.lit, this.data.column, this.litColumns);
    }
    const early = !this.seen; // a canvas looks for its font when it first writes: the cards need not wait for that
    if (changed || !this.picture.shift(view)) {
      const moving = this.picture.paint({ ...this.scene(), early }, view, time);
      this.seen = true;
      root.dataset.edges = this.picture.drawn;
      clearTimeout(this.later);
      if (moving && !STILL.matches) this.later = setTimeout(() => this.draw(true), RUNNING_EVERY);
    }
    if (root.dataset.zoom !== view.k.toFixed(2)) {
      root.dataset.zoom = view.k.toFixed(2);
      this.level.textContent = `${Math.round(view.k * 100)} %`;
    }
    this.minimap.follow();
    this.dirty = false;
    if (early) this.draw(true);
  }
}
