// Where the window stands over the graph: shift (x, y) in pixels and scale k. Knows nothing of what is drawn.

import { STILL, clamp } from "../../dom.js";

export const PAD = 34, FARTHEST = 0.03, NEAREST = 2;
const READABLE = 0.72, WHOLE = 0.64; // a little smaller is worth it where all of the graph is then in sight
const TOP = 58, FOOT_ROOM = 52, CORNER_TALL = 124; // what lies over the graph: above, below, and in the corner there

export class View {
  constructor(changed) {
    this.x = this.y = 0;
    this.k = 1;
    this.corner = 0; // how wide what lies in the lower right corner is
    this.moved = false;
    this.changed = changed;
  }

  size(wide, high) {
    this.wide = wide;
    this.high = high;
  }

  shift(x, y) {
    this.x = x;
    this.y = y;
    this.moved = true;
    this.changed();
  }

  zoom(factor, x = this.wide / 2, y = this.high / 2) {
    const k = clamp(this.k * factor, FARTHEST, NEAREST);
    this.x = x - ((x - this.x) * k) / this.k;
    this.y = y - ((y - this.y) * k) / this.k;
    this.k = k;
    this.moved = true;
    this.changed();
  }

  // all: however small it gets. Otherwise it stays readable, and what does not fit starts at `first`.
  fit(width, height, first, down, all) {
    const { wide, high } = this;
    if (!wide || !width) return;
    const across = wide - 2 * PAD, tall = high - TOP - FOOT_ROOM;
    const whole = Math.min(across / width, tall / height), least = all ? FARTHEST : whole >= WHOLE ? WHOLE : READABLE;
    const k = clamp(whole, least, wide > 1700 ? 1.7 : 1.35);
    const beside = across - this.corner; // a graph that reaches down to the little map stands beside it, where it can
    const roomy = height * k > tall - CORNER_TALL && width * k <= beside ? beside : across;
    const place = (from, room, size, start, extent, along) => (size * k <= room + 1 ? from + (room - size * k) / 2
      : along ? from - start * k : clamp(from + (room - extent * k) / 2 - start * k, from + room - size * k, from));
    this.k = k;
    this.x = place(PAD, roomy, width, first.x, first.width, !down);
    this.y = place(TOP, tall, height, first.y, first.height, down);
    this.moved = all;
    this.changed();
  }

  // Into sight, with as little movement as possible.
  reveal({ x, y, width, height }) {
    const inside = (start, size, from, to) => (start < from ? from - start : start + size > to ? to - start - size : 0);
    const dx = inside(this.x + x * this.k, width * this.k, PAD, this.wide - PAD), dy = inside(this.y + y * this.k, height * this.k, TOP, this.high - FOOT_ROOM);
    if (dx || dy) this.shift(this.x + dx, this.y + dy);
  }

  // To the middle, near enough to read.
  fly({ x, y, width, height }) {
    const k = Math.max(this.k, 0.85);
    const there = { k, x: this.wide / 2 - (x + width / 2) * k, y: this.high / 2 - (y + height / 2) * k };
    const from = { x: this.x, y: this.y, k: this.k }, start = performance.now(), lasts = STILL.matches ? 0 : 260;
    const step = (now) => {
      const part = lasts ? clamp((now - start) / lasts, 0, 1) : 1, ease = 1 - (1 - part) ** 3;
      for (const name of ["x", "y", "k"]) this[name] = from[name] + (there[name] - from[name]) * ease;
      this.moved = true;
      this.changed();
      if (part < 1) this.flight = requestAnimationFrame(step);
    };
    cancelAnimationFrame(this.flight);
    step(start);
  }

  stop() { cancelAnimationFrame(this.flight); }

  over({ x, y, width, height }, margin = 0) {
    const left = this.x + x * this.k, top = this.y + y * this.k;
    return left < this.wide + margin && top < this.high + margin && left + width * this.k > -margin && top + height * this.k > -margin;
  }

  at(px, py) { return [(px - this.x) / this.k, (py - this.y) / this.k]; }
}
