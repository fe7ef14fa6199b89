// Pointer, wheel and keys on the map. Says what the person wants; the scatter does it.

const REACH = 9, SLIP = 4;

export class Hands {
  constructor(scatter) {
    this.scatter = scatter;
    this.over = -1;
    this.drawing = null;
    this.stop = new AbortController();
    const { root } = scatter, on = (target, type, act, more) => target.addEventListener(type, act, { signal: this.stop.signal, ...more });
    on(root, "wheel", (event) => this.wheel(event), { passive: false });
    on(root, "pointerdown", (event) => this.press(event));
    on(root, "pointermove", (event) => this.move(event));
    on(root, "pointerup", (event) => this.release(event));
    on(root, "pointercancel", () => this.drop());
    on(root, "pointerleave", () => this.point(-1));
    on(root, "keydown", (event) => this.key(event));
    on(document, "keydown", (event) => this.call(event));
    on(window, "resize", () => scatter.stretch());
  }

  close() { this.stop.abort(); }

  at(event) {
    const box = this.scatter.root.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  wheel(event) {
    if (event.target.closest(".legend")) return;
    event.preventDefault();
    this.scatter.view.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 20 : 1) * (event.ctrlKey ? 0.01 : 0.0016)), ...this.at(event));
  }

  press(event) {
    if (event.button !== 0 || event.target.closest("button, .legend")) return;
    const { scatter } = this, [x, y] = this.at(event);
    const mode = scatter.mode === "move" && event.shiftKey ? "lasso" : scatter.mode;
    this.from = { x, y, lastX: x, lastY: y, mode, far: false, pointer: event.pointerId, corner: scatter.view.toMap(x, y) };
    this.more = event.shiftKey;
  }

  move(event) {
    const { from, scatter } = this, [x, y] = this.at(event);
    if (!from) {
      this.point(event.target.closest("button, .legend") ? -1 : scatter.plot.near(scatter.view, x, y, REACH), x, y);
      return;
    }
    if (!from.far && Math.hypot(x - from.x, y - from.y) < SLIP) return;
    if (!from.far) {
      from.far = true;
      scatter.root.setPointerCapture(from.pointer);
      scatter.root.classList.add("dragging");
      this.point(-1);
    }
    if (from.mode === "move") scatter.view.shift(x - from.lastX, y - from.lastY);
    else this.draw(from, scatter.view.toMap(x, y));
    Object.assign(from, { lastX: x, lastY: y });
  }

  draw(from, here) {
    const [ax, ay] = from.corner, [bx, by] = here;
    if (from.mode === "box") this.drawing = [[ax, ay], [bx, ay], [bx, by], [ax, by]];
    else (this.drawing ??= [from.corner]).push(here);
    this.scatter.draw();
  }

  release(event) {
    const { from, drawing, scatter } = this;
    this.drop();
    if (!from) return;
    if (drawing) scatter.finish(drawing, this.more);
    else if (!from.far) {
      const row = scatter.plot.near(scatter.view, ...this.at(event), REACH);
      if (row >= 0) scatter.open(row);
    }
  }

  drop() {
    this.from = this.drawing = null;
    this.scatter.root.classList.remove("dragging");
    this.scatter.draw();
  }

  point(row, x, y) {
    const { scatter } = this;
    if (row >= 0) scatter.hint.show(row, x, y, scatter.root);
    else scatter.hint.hide();
    if (row === this.over) return;
    this.over = row;
    scatter.root.classList.toggle("on-dot", row >= 0);
    scatter.draw();
  }

  // Keys that work wherever nothing is typed: the map is what this page is for.
  call(event) {
    const inside = event.composedPath()[0];
    if (!this.scatter.root.isConnected || /^(INPUT|TEXTAREA|SELECT)$/.test(inside?.tagName ?? "") || inside?.isContentEditable || event.composedPath().includes(this.scatter.root)) return;
    if (document.querySelector("[role=dialog]") || !/^[lbmf]$/i.test(event.key)) return;
    this.key(event);
  }

  key(event) {
    const { scatter } = this, { view } = scatter, step = 60;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const act = { "+": () => view.zoom(1.4), "=": () => view.zoom(1.4), "-": () => view.zoom(0.7), 0: () => view.fit(), f: () => scatter.fit(),
      l: () => scatter.take("lasso"), b: () => scatter.take("box"), m: () => scatter.take("move"),
      ArrowLeft: () => view.shift(step, 0), ArrowRight: () => view.shift(-step, 0), ArrowUp: () => view.shift(0, step), ArrowDown: () => view.shift(0, -step),
      Escape: () => (this.drawing ? this.drop() : scatter.shapes.length ? scatter.select([]) : scatter.take("move")) }[event.key.length > 1 ? event.key : event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }
}
