// The whole graph in a corner, with the window's frame over it. Shown while part of the graph is out of sight.

import { clamp, make } from "../../dom.js";

const WIDE = 176, HIGH = 112, INSET = 6;

export class Minimap {
  constructor(view) {
    this.view = view;
    this.element = make("div", "minimap");
    this.element.setAttribute("aria-hidden", "true");
    this.picture = make("canvas");
    this.frame = make("i");
    this.element.append(this.picture, this.frame);
    this.element.onpointerdown = (event) => {
      event.stopPropagation();
      this.element.setPointerCapture(event.pointerId);
      this.go(event);
      this.element.onpointermove = (next) => this.go(next);
    };
    this.element.onpointerup = this.element.onpointercancel = () => { this.element.onpointermove = null; };
  }

  go(event) {
    const box = this.element.getBoundingClientRect(), { view } = this;
    const x = (event.clientX - box.left - this.left) / this.scale, y = (event.clientY - box.top - this.top) / this.scale;
    view.shift(view.wide / 2 - x * view.k, view.high / 2 - y * view.k);
  }

  draw(places, width, height, ink) {
    Object.assign(this, { width, height });
    this.scale = Math.min((WIDE - 2 * INSET) / Math.max(width, 1), (HIGH - 2 * INSET) / Math.max(height, 1));
    this.left = (WIDE - width * this.scale) / 2;
    this.top = (HIGH - height * this.scale) / 2;
    const dpr = devicePixelRatio || 1, pen = this.picture.getContext("2d");
    this.picture.width = WIDE * dpr;
    this.picture.height = HIGH * dpr;
    pen.setTransform(dpr * this.scale, 0, 0, dpr * this.scale, dpr * this.left, dpr * this.top);
    const least = 2 / this.scale;
    for (const card of places) {
      pen.fillStyle = ink[card.state] ?? ink.edge;
      pen.fillRect(card.x, card.y, Math.max(card.width, least), Math.max(card.height, least));
    }
  }

  follow() {
    const { view } = this;
    const part = { left: -view.x / view.k, top: -view.y / view.k, wide: view.wide / view.k, high: view.high / view.k };
    const whole = part.left <= 0 && part.top <= 0 && part.left + part.wide >= this.width && part.top + part.high >= this.height;
    this.element.hidden = whole || !this.width;
    if (this.element.hidden) return;
    const left = clamp(this.left + part.left * this.scale, 0, WIDE), top = clamp(this.top + part.top * this.scale, 0, HIGH);
    const right = clamp(this.left + (part.left + part.wide) * this.scale, left + 4, WIDE), bottom = clamp(this.top + (part.top + part.high) * this.scale, top + 4, HIGH);
    Object.assign(this.frame.style, { transform: `translate(${left}px, ${top}px)`, width: `${right - left}px`, height: `${bottom - top}px` });
  }
}
