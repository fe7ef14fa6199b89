// The dots. Written into the picture's bytes one by one: tens of thousands of circles as paths take a browser without a
// graphics card ten times as long.

import { clamp } from "../../dom.js";

const NONE = 255, STEPS = 32767, FULL = 250;
const VALUES = ["#4f6bed", "#e07b39", "#2a9d6f", "#c2477f", "#8a63d2", "#1f9bb6", "#b8860b", "#d64545", "#6b8e23", "#8d6748", "#7d8597"];
const RAMP = ["#35298c", "#4f5fe0", "#1f9bb6", "#3fb27a", "#dcb93a"];

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const between = (part) => {
  const at = clamp(part, 0, 1) * (RAMP.length - 1), low = Math.min(Math.floor(at), RAMP.length - 2), rest = at - low;
  const [a, b] = [rgb(RAMP[low]), rgb(RAMP[low + 1])];
  return a.map((value, place) => Math.round(value + (b[place] - value) * rest));
};

// The colour of a code, as [r, g, b].
export const colourOf = (scale, code, ink) => (scale === "none" ? rgb("#4f6bed") : code === NONE ? ink.none : scale === "values" ? rgb(VALUES[code] ?? VALUES[10]) : between(code / FULL));
export const css = (colour) => `rgb(${colour.join(" ")})`;
export const rampCss = () => `linear-gradient(to right, ${RAMP.join(", ")})`;

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

export class Plot {
  constructor(canvas) {
    this.canvas = canvas;
    this.pen = canvas.getContext("2d", { alpha: false });
    this.many = 0;
    this.stamps = new Map();
  }

  size(wide, high) {
    this.dpr = Math.min(devicePixelRatio || 1, 2);
    this.canvas.width = Math.max(1, Math.round(wide * this.dpr));
    this.canvas.height = Math.max(1, Math.round(high * this.dpr));
    this.image = this.pen.createImageData(this.canvas.width, this.canvas.height);
    this.out = new Uint32Array(this.image.data.buffer);
  }

  load({ many, places }) {
    const packed = new DataView(bytes(places).buffer);
    this.many = many;
    this.x = new Float32Array(many);
    this.y = new Float32Array(many);
    for (let i = 0; i < many; i++) {
      this.x[i] = packed.getInt16(i * 4, true) / STEPS;
      this.y[i] = packed.getInt16(i * 4 + 2, true) / STEPS;
    }
  }

  dye({ codes, scale }) {
    this.codes = bytes(codes);
    this.scale = scale;
  }

  tint(ink) {
    this.back = (255 << 24) | (ink.back[2] << 16) | (ink.back[1] << 8) | ink.back[0];
    this.table = Array.from({ length: 256 }, (_, code) => colourOf(this.scale, code, ink));
  }

  radius(k) {
    const roomy = clamp(Math.min(this.canvas.width, this.canvas.height) / (this.dpr * 820), 1, 1.6);
    const small = roomy * (this.many > 20000 ? 1.5 : this.many > 5000 ? 2 : this.many > 800 ? 2.7 : 3.6);
    return clamp(small * k ** 0.28, small * 0.9, 8);
  }

  // Offsets and strengths of a disc with a soft edge.
  stamp(radius) {
    const size = Math.round(radius * this.dpr * 4) / 4;
    if (!this.stamps.has(size)) {
      const reach = Math.ceil(size), parts = [];
      for (let dy = -reach; dy <= reach; dy++) for (let dx = -reach; dx <= reach; dx++) {
        const strength = clamp(size + 0.5 - Math.hypot(dx, dy), 0, 1);
        if (strength > 0.04) parts.push([dx, dy, strength]);
      }
      this.stamps.set(size, { reach, parts });
    }
    return this.stamps.get(size);
  }

  // strong: which dots stand out (null: all alike).
  paint(view, strong) {
    this.out.fill(this.back);
    const order = strong ? [false, true] : [null];
    for (const late of order) this.dots(view, strong, late);
    this.pen.putImageData(this.image, 0, 0);
  }

  dots(view, strong, late) {
    const { out, dpr, x, y, codes, table } = this, { width, height } = this.canvas;
    const { reach, parts } = this.stamp(this.radius(view.k) * (late === true ? 1.12 : 1));
    const unit = view.unit * dpr, left = width / 2 - view.x * unit, top = height / 2 + view.y * unit;
    const strength = late === false ? 0.17 : late === true ? 0.95 : this.many > 20000 ? 0.72 : 0.82, count = parts.length;
    const shift = Int32Array.from(parts, ([dx, dy]) => dy * width + dx), share = Float32Array.from(parts, (part) => part[2] * strength);
    for (let i = 0; i < this.many; i++) {
      if (late !== null && Boolean(strong[i]) !== late) continue;
      const px = Math.round(left + x[i] * unit), py = Math.round(top - y[i] * unit);
      if (px < reach || py < reach || px >= width - reach || py >= height - reach) continue;
      const [r, g, b] = table[codes[i]], at = py * width + px;
      for (let j = 0; j < count; j++) {
        const place = at + shift[j], old = out[place], a = share[j];
        const or = old & 255, og = (old >> 8) & 255, ob = (old >> 16) & 255;
        out[place] = 0xff000000 | ((ob + (b - ob) * a) << 16) | ((og + (g - og) * a) << 8) | (or + (r - or) * a);
      }
    }
  }

  // The dot nearest to a point of the screen, -1 where none is near.
  near(view, px, py, most) {
    let best = -1, least = most * most;
    const { unit } = view, left = view.wide / 2 - view.x * unit, top = view.high / 2 + view.y * unit;
    for (let i = 0; i < this.many; i++) {
      const dx = left + this.x[i] * unit - px, dy = top - this.y[i] * unit - py, far = dx * dx + dy * dy;
      if (far <= least) {
        least = far;
        best = i;
      }
    }
    return best;
  }
}
