// Pointer, wheel and keys on the graph. Says what the person wants; the board does it.

import { stepFrom } from "./links.js";

export class Hands {
  constructor(board) {
    this.board = board;
    this.stop = new AbortController();
    const { root } = board, on = (target, type, act, more) => target.addEventListener(type, act, { signal: this.stop.signal, ...more });
    on(root, "wheel", (event) => this.wheel(event), { passive: false });
    on(root, "pointerdown", (event) => this.press(event));
    on(root, "pointermove", (event) => this.drag(event));
    on(root, "pointerup", (event) => this.release(event));
    on(root, "pointercancel", () => this.drop());
    on(root, "keydown", (event) => this.key(event));
    on(document, "keydown", (event) => this.call(event));
  }

  close() { this.stop.abort(); }

  // "/" from anywhere that takes no text puts the cursor into the search.
  call(event) {
    const { root, finder } = this.board, inside = event.composedPath()[0];
    if (event.key !== "/" || !root.isConnected || /^(INPUT|TEXTAREA|SELECT)$/.test(inside.tagName) || inside.isContentEditable) return;
    event.preventDefault();
    finder.input.focus();
  }

  wheel(event) {
    if (event.target.closest(".menu, .finder, .notice")) return;
    event.preventDefault();
    const box = this.board.root.getBoundingClientRect(), speed = event.ctrlKey ? 0.01 : 0.0016;
    this.board.view.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 20 : 1) * speed), event.clientX - box.left, event.clientY - box.top);
  }

  press(event) {
    if (event.button !== 0 || event.target.closest(".tools, .notice, .finder, .bar-top, .minimap")) return;
    const { view } = this.board;
    view.stop();
    this.from = { x: event.clientX, y: event.clientY, vx: view.x, vy: view.y, far: false, card: event.target.closest(".card, .column"), pointer: event.pointerId };
  }

  drag(event) {
    const { from } = this;
    if (!from) return;
    const dx = event.clientX - from.x, dy = event.clientY - from.y;
    if (!from.far && Math.hypot(dx, dy) < 4) return;
    if (!from.far) {
      from.far = true;
      this.board.root.setPointerCapture(from.pointer);
      this.board.root.classList.add("dragging");
    }
    this.board.view.shift(from.vx + dx, from.vy + dy);
  }

  release(event) {
    const { from, board } = this;
    this.drop();
    if (!from || from.far || from.card) return;
    board.select(board.shownAsCards ? "" : this.under(event)?.name ?? "");
  }

  drop() {
    this.from = null;
    this.board.root.classList.remove("dragging");
  }

  under(event) {
    const box = this.board.root.getBoundingClientRect();
    const [x, y] = this.board.view.at(event.clientX - box.left, event.clientY - box.top);
    return this.board.places.find((card) => x >= card.x && x <= card.x + card.width && y >= card.y && y <= card.y + card.height);
  }

  key(event) {
    const { board } = this, { view } = board;
    if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest(".finder, .menu")) return;
    const act = { "+": () => view.zoom(1.25), "=": () => view.zoom(1.25), "-": () => view.zoom(0.8), 0: () => view.zoom(1 / view.k),
      f: () => board.fit(true), t: () => board.turn(board.way === "down" ? "across" : "down"), c: () => board.send({ columns: !board.data.columns }),
      o: () => board.toggleOutside(), Escape: () => board.select("") }[event.key];
    const next = act || !event.key.startsWith("Arrow") ? null : this.next(event.key);
    if (!act && !next) return;
    event.preventDefault();
    event.stopPropagation();
    if (act) act();
    else board.stand(next);
  }

  // From the card with the focus; with none, the chosen one, else the first.
  next(key) {
    const { board } = this, name = board.root.getRootNode().activeElement?.dataset?.name;
    const here = board.byName.get(name ?? board.standing ?? "");
    return here ? stepFrom(here, key, board) : board.byName.get(board.chosen) ?? board.first();
  }
}
