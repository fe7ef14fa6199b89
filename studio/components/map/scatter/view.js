// Where the window stands over the map: its middle (x, y) in the map's own measure, from -1 to 1, and how near (k).

import { clamp } from "../../dom.js";

const FAR = 0.6, NEAR = 400, MARGIN = 0.9;

export class Place {
  constructor(changed) {
    Object.assign(this, { x: 0, y: 0, k: 1, wide: 1, high: 1, changed });
  }

  size(wide, high) { Object.assign(this, { wide, high }); }

  // Pixels for one unit. Upwards on the map is upwards on the screen.
  get unit() { return (Math.min(this.wide, this.high) / 2) * MARGIN * this.k; }

  toScreen(x, y) { return [this.wide / 2 + (x - this.x) * this.unit, this.high / 2 - (y - this.y) * this.unit]; }

  toMap(px, py) { return [this.x + (px - this.wide / 2) / this.unit, this.y - (py - this.high / 2) / this.unit]; }

  set(x, y, k) {
    Object.assign(this, { x: clamp(x, -1.2, 1.2), y: clamp(y, -1.2, 1.2), k: clamp(k, FAR, NEAR) });
    this.changed();
  }

  shift(dx, dy) { this.set(this.x - dx / this.unit, this.y + dy / this.unit, this.k); }

  zoom(factor, px = this.wide / 2, py = this.high / 2) {
    const [x, y] = this.toMap(px, py), k = clamp(this.k * factor, FAR, NEAR), unit = this.unit * (k / this.k);
    this.set(x - (px - this.wide / 2) / unit, y + (py - this.high / 2) / unit, k);
  }

  // Around some places, all of them where none are named.
  fit(box) {
    if (!box) return this.set(0, 0, 1);
    const [left, bottom, right, top] = box, half = Math.min(this.wide, this.high) / 2;
    const k = Math.min(this.wide / Math.max(right - left, 0.02), this.high / Math.max(top - bottom, 0.02)) / half;
    return this.set((left + right) / 2, (bottom + top) / 2, Math.min(k * 0.8, 60));
  }

  get text() { return [this.x, this.y, this.k].map((part) => part.toFixed(3)).join(","); }

  take(text) {
    const parts = (text || "").split(",").map(Number);
    if (parts.length !== 3 || !parts.every(Number.isFinite)) return false;
    this.set(...parts);
    return true;
  }
}
