// The lineage graph: DOM cards (real buttons) when near, a canvas when far, edges always on the canvas.
// Places come from Python. Called again on every change of data or theme: one Board per element keeps view and focus.
// Text goes in by textContent only: names and messages are not trusted.

const NEAR = 0.34, MOST_CARDS = 250, LABELS_FROM = 0.6, PAD = 34, FOOT = 14;
const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const LEGEND = [["fresh", "--st-green-color"], ["stale", "--st-orange-color"], ["failed, blocked", "--st-red-color"],
  ["running", "--st-primary-color"], ["never run", "--st-gray-color"]];
const boards = new WeakMap();

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let board = boards.get(parentElement);
  if (!board) boards.set(parentElement, (board = new Board(parentElement)));
  board.send = (event) => setTriggerValue("event", event);
  board.update(data);
  return () => { board.close(); boards.delete(parentElement); };
}

const make = (tag, name, text) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
};
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

class Board {
  constructor(parent) {
    this.root = parent.querySelector(".board");
    this.canvas = make("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.world = make("div", "world");
    this.empty = make("div", "empty");
    this.notice = make("div", "notice");
    this.root.replaceChildren(this.canvas, this.world, this.empty, this.notice, this.legend(), this.tools());
    this.view = { x: 0, y: 0, k: 1 };
    this.cards = new Map();
    this.hovered = null;
    this.moved = false;
    this.listen();
  }

  legend() {
    const box = make("div", "legend");
    for (const [word, tone] of LEGEND) {
      const item = make("span", "", word);
      item.style.setProperty("--tone", `var(${tone})`);
      box.append(item);
    }
    box.setAttribute("aria-hidden", "true");
    return box;
  }

  tools() {
    const box = make("div", "tools");
    const add = (label, text, act) => {
      const button = make("button", "", text);
      button.type = "button";
      button.title = label;
      button.setAttribute("aria-label", label);
      button.onclick = act;
      box.append(button);
      return button;
    };
    add("Zoom out (-)", "\u2212", () => this.zoom(1 / 1.25));
    this.level = add("Zoom to 100 % (0)", "100 %", () => this.zoom(1 / this.view.k));
    add("Zoom in (+)", "+", () => this.zoom(1.25));
    add("Fit the graph (F)", "Fit", () => this.fit(true));
    add("Turn the graph (T)", "\u21c4", () => this.turn(this.way === "down" ? "across" : "down"));
    return box;
  }

  listen() {
    const stop = (this.stop = new AbortController());
    const on = (target, type, act, more) => target.addEventListener(type, act, { signal: stop.signal, ...more });
    on(this.root, "wheel", (event) => {
      event.preventDefault();
      const box = this.root.getBoundingClientRect();
      const speed = event.ctrlKey ? 0.01 : 0.0016;
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 20 : 1) * speed), event.clientX - box.left, event.clientY - box.top);
    }, { passive: false });
    on(this.root, "pointerdown", (event) => this.press(event));
    on(this.root, "pointermove", (event) => this.drag(event));
    on(this.root, "pointerup", (event) => this.release(event));
    on(this.root, "pointercancel", () => this.drop());
    on(this.root, "keydown", (event) => this.key(event));
    this.size = new ResizeObserver(() => this.resize());
    this.size.observe(this.root);
    on(window, "resize", () => this.stretch());
  }

  close() {
    this.stop.abort();
    this.size.disconnect();
    cancelAnimationFrame(this.frame);
  }

  // ---- data

  update(data) {
    this.data = data;
    this.stretch();
    this.neighbours();
    this.colours();
    this.root.setAttribute("aria-label", `Pipeline graph, ${data.cards.length} nodes`);
    this.empty.textContent = data.cards.length ? "" : data.nothing;
    this.tell(data.notice);
    const fresh = data.shape !== this.shape;
    this.shape = data.shape;
    if (this.chosen !== data.chosen) {
      this.chosen = data.chosen;
      this.reveal = !fresh && Boolean(data.chosen);
    }
    if (fresh) {
      this.moved = false;
      this.turn(this.better());
    } else this.turn(this.way);
  }

  better() {
    const room = (size) => Math.min((this.root.clientWidth - 2 * PAD) / size[0], (this.root.clientHeight - 2 * PAD) / size[1]);
    return this.data.cards.length && room(this.data.down) > room(this.data.across) * 1.08 ? "down" : "across";
  }

  turn(way) {
    const turned = way !== this.way;
    this.way = way;
    this.root.dataset.way = way;
    this.places = this.data.cards.map((card) => ({ ...card, x: card[way][0], y: card[way][1] }));
    this.byName = new Map(this.places.map((card) => [card.name, card]));
    [this.width, this.height] = this.data[way];
    if (turned || !this.moved) this.fit(false);
    else this.draw();
  }

  tell(notice) {
    this.notice.hidden = !notice;
    if (!notice) return this.notice.replaceChildren();
    this.notice.dataset.tone = notice.tone;
    this.notice.setAttribute("role", "status");
    const close = make("button", "close", "\u00d7");
    close.type = "button";
    close.setAttribute("aria-label", "Dismiss");
    close.onclick = () => { this.notice.hidden = true; this.send({ dismissed: true }); };
    const text = make("div", "told");
    text.append(make("strong", "", notice.title), make("span", "", notice.line), ...notice.details.map((line) => make("p", "", line)));
    this.notice.replaceChildren(text, close);
  }

  neighbours() {
    this.after = new Map();
    this.before = new Map();
    for (const { source, target } of this.data.edges) {
      this.after.set(source, [...(this.after.get(source) ?? []), target]);
      this.before.set(target, [...(this.before.get(target) ?? []), source]);
    }
  }

  lineage(name) {
    const found = new Set([name]);
    for (const near of [this.after, this.before]) {
      const queue = [name];
      while (queue.length) {
        for (const other of near.get(queue.pop()) ?? []) {
          if (!found.has(other)) { found.add(other); queue.push(other); }
        }
      }
    }
    return found;
  }

  colours() {
    const style = getComputedStyle(this.root);
    const read = (name) => style.getPropertyValue(name).trim();
    this.ink = {
      text: read("--st-text-color"), muted: read("--st-gray-text-color"), back: read("--st-background-color"), line: read("--st-border-color"),
      edge: read("--st-gray-color"), accent: read("--st-primary-color"), up: read("--st-green-text-color"), down: read("--st-red-text-color"),
      fresh: read("--st-green-color"), stale: read("--st-orange-color"), failed: read("--st-red-color"), blocked: read("--st-red-color"),
      running: read("--st-primary-color"), font: style.fontFamily,
    };
  }

  // ---- view

  stretch() {
    // Down to the window's foot, whatever stands above: the side panel takes the same height through the variable.
    const top = this.root.getBoundingClientRect().top + (this.root.closest("section")?.scrollTop ?? 0);
    const height = Math.max(340, Math.round(innerHeight - top - FOOT));
    if (!this.root.isConnected || top <= 0 || height === this.tall) return;
    this.tall = height;
    this.root.style.height = `${height}px`;
    document.documentElement.style.setProperty("--board-height", `${height}px`);
  }

  resize() {
    this.stretch();
    const box = this.root.getBoundingClientRect();
    if (!box.width) return;
    const dpr = devicePixelRatio || 1;
    this.canvas.width = Math.round(box.width * dpr);
    this.canvas.height = Math.round(box.height * dpr);
    if (!this.moved) this.fit(false);
    else this.draw();
  }

  fit(all) {
    const { clientWidth: wide, clientHeight: high } = this.root;
    const { width, height } = this;
    if (!wide || !width) return this.draw();
    const whole = Math.min((wide - 2 * PAD) / width, (high - 2 * PAD - 30) / height);
    const k = all ? clamp(whole, 0.04, 1.35) : clamp(whole, 0.72, 1.35);
    // What does not fit starts at its first card, with room around it.
    const first = this.places.reduce((a, b) => (this.way === "down" ? b.y < a.y : b.x < a.x) ? b : a);
    const place = (room, size, start, extent, along) => (size * k <= room - 2 * PAD ? (room - size * k) / 2
      : along ? PAD - start * k : clamp((room - extent * k) / 2 - start * k, room - PAD - size * k, PAD));
    const down = this.way === "down";
    this.view = { k, x: place(wide, width, first.x, first.width, !down), y: Math.max(place(high - 24, height, first.y, first.height, down), high - PAD - height * k - 30) };
    if (height * k <= high - 2 * PAD) this.view.y = Math.max(this.view.y, PAD - 8);
    this.moved = all;
    if (!all && this.chosen && this.byName.has(this.chosen)) this.show(this.chosen);
    this.draw();
  }

  zoom(factor, x = this.root.clientWidth / 2, y = this.root.clientHeight / 2) {
    const { view } = this;
    const k = clamp(view.k * factor, 0.04, 2);
    view.x = x - ((x - view.x) * k) / view.k;
    view.y = y - ((y - view.y) * k) / view.k;
    view.k = k;
    this.moved = true;
    this.draw();
  }

  show(name) {
    const card = this.byName.get(name);
    const { view } = this;
    const inside = (start, size, room) => (start < PAD ? PAD - start : start + size > room - PAD ? room - PAD - start - size : 0);
    view.x += inside(view.x + card.x * view.k, card.width * view.k, this.root.clientWidth);
    view.y += inside(view.y + card.y * view.k, card.height * view.k, this.root.clientHeight);
  }

  // ---- hands

  press(event) {
    if (event.button !== 0 || event.target.closest(".tools, .notice")) return;
    this.from = { x: event.clientX, y: event.clientY, vx: this.view.x, vy: this.view.y, far: false, card: event.target.closest(".card") };
    this.pointer = event.pointerId;
  }

  drag(event) {
    const { from } = this;
    if (!from) return;
    const dx = event.clientX - from.x, dy = event.clientY - from.y;
    if (!from.far && Math.hypot(dx, dy) < 4) return;
    if (!from.far) {
      from.far = true;
      this.root.setPointerCapture(this.pointer);
      this.root.classList.add("dragging");
    }
    this.view.x = from.vx + dx;
    this.view.y = from.vy + dy;
    this.moved = true;
    this.draw();
  }

  release(event) {
    const { from } = this;
    this.drop();
    if (!from || from.far || from.card) return;
    const hit = this.shownAsCards ? null : this.at(event);
    this.select(hit ? hit.name : "");
  }

  drop() {
    this.from = null;
    this.root.classList.remove("dragging");
  }

  at(event) {
    const box = this.root.getBoundingClientRect();
    const x = (event.clientX - box.left - this.view.x) / this.view.k, y = (event.clientY - box.top - this.view.y) / this.view.k;
    return this.places.find((card) => x >= card.x && x <= card.x + card.width && y >= card.y && y <= card.y + card.height);
  }

  select(name) {
    if (name === (this.chosen ?? "")) return;
    this.chosen = name;
    this.draw();
    this.send({ name });
  }

  hover(name) {
    if (this.hovered === name) return;
    this.hovered = name;
    this.draw();
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const act = { "+": () => this.zoom(1.25), "=": () => this.zoom(1.25), "-": () => this.zoom(0.8), 0: () => this.zoom(1 / this.view.k),
      f: () => this.fit(true), t: () => this.turn(this.way === "down" ? "across" : "down"), Escape: () => this.select("") }[event.key];
    const next = act ? null : this.step(event.key);
    if (!act && !next) return;
    event.preventDefault();
    event.stopPropagation();
    if (act) return act();
    this.show(next);
    this.moved = true;
    this.draw();
    this.cards.get(next)?.focus({ preventScroll: true });
  }

  step(key) {
    const here = this.byName.get(this.root.getRootNode().activeElement?.dataset?.name);
    if (!here) return null;
    const down = this.way === "down", flow = down ? "y" : "x", side = down ? "x" : "y";
    const near = (list) => [...list].sort((a, b) => Math.abs(a[side] - here[side]) - Math.abs(b[side] - here[side]))[0]?.name;
    const cards = (names) => (names ?? []).map((other) => this.byName.get(other)).filter(Boolean);
    const beside = this.places.filter((card) => Math.abs(card[flow] - here[flow]) < 40 && card !== here);
    const [on, back, next, last] = down ? ["ArrowDown", "ArrowUp", "ArrowRight", "ArrowLeft"] : ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"];
    if (key === on) return near(cards(this.after.get(here.name)));
    if (key === back) return near(cards(this.before.get(here.name)));
    if (key === next) return near(beside.filter((card) => card[side] > here[side]));
    if (key === last) return near(beside.filter((card) => card[side] < here[side]));
    return null;
  }

  // ---- drawing

  draw() {
    if (!this.data) return;
    if (this.reveal) { this.reveal = false; this.show(this.chosen); }
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame((time) => this.paint(time));
  }

  paint(time) {
    const { view, root } = this;
    const focus = this.hovered ?? (this.chosen && this.byName.has(this.chosen) ? this.chosen : null);
    const lit = focus ? this.lineage(focus) : null;
    const seen = this.places.filter((card) => this.visible(card));
    this.shownAsCards = view.k >= NEAR && seen.length <= MOST_CARDS;
    root.dataset.zoom = view.k.toFixed(2);
    let dots = 24 * view.k;
    while (dots < 14) dots *= 2;
    root.style.backgroundSize = `${dots}px ${dots}px`;
    root.style.backgroundPosition = `${view.x}px ${view.y}px`;
    this.level.textContent = `${Math.round(view.k * 100)} %`;
    this.world.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.k})`;
    this.paintCards(this.shownAsCards ? (this.places.length <= MOST_CARDS ? this.places : seen) : [], lit);
    const moving = this.paintCanvas(this.shownAsCards ? [] : seen, lit, time);
    root.dataset.edges = this.drawn;
    if (moving && !STILL.matches) this.frame = requestAnimationFrame((next) => this.paint(next));
  }

  visible(card) {
    const { x, y, k } = this.view;
    const left = x + card.x * k, top = y + card.y * k;
    return left < this.root.clientWidth && top < this.root.clientHeight && left + card.width * k > 0 && top + card.height * k > 0;
  }

  paintCards(wanted, lit) {
    const names = new Set(wanted.map((card) => card.name));
    for (const [name, element] of this.cards) {
      if (!names.has(name)) { element.remove(); this.cards.delete(name); }
    }
    for (const card of wanted) {
      let element = this.cards.get(card.name);
      if (!element) {
        element = this.button(card.name);
        this.cards.set(card.name, element);
        this.world.append(element);
      }
      const content = JSON.stringify(card);
      if (element.shows !== content) this.fill(element, card, content);
      element.classList.toggle("dim", Boolean(lit) && !lit.has(card.name));
      element.setAttribute("aria-pressed", String(card.name === this.chosen));
    }
  }

  button(name) {
    const element = make("button", "card");
    element.type = "button";
    element.dataset.name = name;
    element.onclick = () => this.select(name);
    element.onpointerenter = () => this.hover(name);
    element.onpointerleave = () => this.hover(null);
    element.onfocus = () => { if (element.matches(":focus-visible")) this.hover(name); };
    element.onblur = () => this.hover(null);
    return element;
  }

  fill(element, card, content) {
    element.shows = content;
    element.dataset.state = card.state;
    element.setAttribute("aria-label", card.label);
    element.title = card.line;
    Object.assign(element.style, { left: `${card.x}px`, top: `${card.y}px`, width: `${card.width}px`, height: `${card.height}px` });
    const head = make("span", "line"), foot = make("span", "foot");
    head.append(make("span", "name", card.name), make("span", "kind", card.kind));
    if (card.rows) foot.append(make("span", "rows", card.rows));
    if (card.delta) foot.append(make("span", `delta ${card.delta.startsWith("+") ? "up" : "down"}`, card.delta));
    for (const mark of card.marks) {
      const note = make("span", `mark ${mark.tone}`, mark.text);
      note.title = mark.hint;
      foot.append(note);
    }
    if (card.time) foot.append(make("span", "time", card.time));
    const parts = [head, make("span", "state", card.line)];
    if (foot.childNodes.length) parts.push(foot);
    if (card.progress !== null) {
      const bar = make("span", "bar"), done = make("i");
      done.style.width = `${clamp(card.progress, 0, 1) * 100}%`;
      bar.append(done);
      parts.push(bar);
    }
    element.replaceChildren(...parts);
  }

  paintCanvas(far, lit, time) {
    const pen = this.canvas.getContext("2d");
    const dpr = devicePixelRatio || 1;
    const { x, y, k } = this.view;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    pen.setTransform(dpr * k, 0, 0, dpr * k, dpr * x, dpr * y);
    this.drawn = 0;
    let moving = false;
    const late = [];
    for (const edge of this.data.edges) {
      const on = Boolean(lit) && lit.has(edge.source) && lit.has(edge.target);
      const running = this.byName.get(edge.target)?.state === "running";
      moving ||= running;
      if (on || running) late.push([edge, on, running]);
      else this.edge(pen, edge, this.ink.edge, lit ? 0.28 : 0.75, 1.4, 0);
    }
    for (const [edge, on, running] of late) {
      this.edge(pen, edge, this.ink.accent, on || !lit ? 0.95 : 0.4, on ? 2 : 1.7, running ? (time / 30) % 12 : 0, running);
    }
    if (k >= LABELS_FROM) for (const edge of this.data.edges) this.label(pen, edge, !lit || (lit.has(edge.source) && lit.has(edge.target)));
    for (const card of far) this.block(pen, card, lit && !lit.has(card.name));
    return moving;
  }

  edge(pen, edge, colour, strength, width, shift, dashed) {
    pen.globalAlpha = strength;
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = width / clamp(this.view.k, 0.05, 1);
    pen.setLineDash(dashed ? [7, 5] : []);
    pen.lineDashOffset = -shift;
    pen.beginPath();
    const points = edge[this.way], down = this.way === "down";
    pen.moveTo(...points[0]);
    for (let index = 1; index < points.length; index++) {
      const [ax, ay] = points[index - 1], [bx, by] = points[index];
      const tip = index === points.length - 1 ? 7 : 0;
      const bend = Math.max((down ? by - ay : bx - ax) * 0.55, 24);
      if (down) pen.bezierCurveTo(ax, ay + bend, bx, by - bend, bx, by - tip);
      else pen.bezierCurveTo(ax + bend, ay, bx - bend, by, bx - tip, by);
    }
    pen.stroke();
    pen.setLineDash([]);
    const [ex, ey] = points[points.length - 1];
    pen.beginPath();
    pen.moveTo(ex - (down ? 0 : 1), ey - (down ? 1 : 0));
    pen.lineTo(ex - (down ? 4.5 : 9), ey - (down ? 9 : 4.5));
    pen.lineTo(ex + (down ? 4.5 : -9), ey - (down ? 9 : -4.5));
    pen.fill();
    pen.globalAlpha = 1;
    this.drawn += 1;
  }

  label(pen, edge, lit) {
    const { rows, delta } = edge, points = edge[this.way];
    if (!rows) return;
    const [ax, ay] = points[points.length - 2], [bx, by] = points[points.length - 1];
    const x = (ax + bx) / 2, y = (ay + by) / 2;
    pen.font = `500 11px ${this.ink.font}`;
    const gap = delta ? 5 : 0;
    const wide = pen.measureText(rows).width, more = delta ? pen.measureText(delta).width : 0;
    const all = wide + gap + more;
    pen.globalAlpha = lit ? 1 : 0.4;
    pen.fillStyle = this.ink.back;
    pen.beginPath();
    pen.roundRect(x - all / 2 - 5, y - 8.5, all + 10, 17, 6);
    pen.fill();
    pen.textBaseline = "middle";
    pen.fillStyle = this.ink.muted;
    pen.fillText(rows, x - all / 2, y + 0.5);
    if (delta) {
      pen.fillStyle = delta.startsWith("+") ? this.ink.up : this.ink.down;
      pen.fillText(delta, x - all / 2 + wide + gap, y + 0.5);
    }
    pen.globalAlpha = 1;
  }

  block(pen, card, dim) {
    pen.globalAlpha = dim ? 0.4 : 1;
    pen.fillStyle = this.ink.back;
    pen.strokeStyle = card.name === this.chosen ? this.ink.accent : this.ink.line;
    pen.lineWidth = (card.name === this.chosen ? 3 : 1) / this.view.k;
    pen.beginPath();
    pen.roundRect(card.x, card.y, card.width, card.height, 9);
    pen.fill();
    pen.stroke();
    pen.fillStyle = this.ink[card.state] ?? this.ink.edge;
    if (this.view.k < 0.14) pen.globalAlpha *= 0.75;
    pen.fillRect(card.x, card.y + 4, this.view.k < 0.14 ? card.width : 10, card.height - 8);
    if (this.view.k > 0.12) {
      pen.fillStyle = this.ink.text;
      pen.font = `600 ${clamp(11 / this.view.k, 14, 34)}px ${this.ink.font}`;
      pen.textBaseline = "middle";
      pen.fillText(card.name, card.x + 22, card.y + card.height / 2, card.width - 30);
    }
    pen.globalAlpha = 1;
  }
}
