// Edges, always, and the cards as blocks when far. Painted with a margin around the window, so that a pan within it
// only shifts the picture.

import { clamp, make } from "../../dom.js";
import { arrow, curves, middleOf } from "./ink.js";

const MARGIN = 360, LABELS_FROM = 0.6;

export class Picture {
  constructor() {
    this.element = make("canvas");
    this.element.setAttribute("aria-hidden", "true");
    this.drawn = 0;
  }

  size(wide, high) {
    const dpr = (this.dpr = devicePixelRatio || 1);
    this.element.width = Math.round((wide + 2 * MARGIN) * dpr);
    this.element.height = Math.round((high + 2 * MARGIN) * dpr);
    Object.assign(this.element.style, { left: `${-MARGIN}px`, top: `${-MARGIN}px`, width: `${wide + 2 * MARGIN}px`, height: `${high + 2 * MARGIN}px` });
    this.at = null;
  }

  // Whether the window still lies within what is painted; then the picture is only shifted.
  shift(view) {
    if (!this.at || this.at.k !== view.k) return false;
    const dx = view.x - this.at.x, dy = view.y - this.at.y;
    if (Math.abs(dx) > MARGIN || Math.abs(dy) > MARGIN) return false;
    this.element.style.transform = dx || dy ? `translate(${dx}px, ${dy}px)` : "";
    return true;
  }

  paint(scene, view, time) {
    const pen = (this.pen = this.element.getContext("2d")), { k } = view, { dpr } = this;
    Object.assign(this, { scene, k });
    this.at = { x: view.x, y: view.y, k };
    this.element.style.transform = "";
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.element.width, this.element.height);
    pen.setTransform(dpr * k, 0, 0, dpr * k, dpr * (view.x + MARGIN), dpr * (view.y + MARGIN));
    this.drawn = 0;
    const seen = scene.edges.filter((edge) => view.over(edge.box, MARGIN)), { lit } = scene;
    const late = [], isOn = (edge) => Boolean(lit) && (scene.trail ? Boolean(edge.trail) : lit.has(edge.source) && lit.has(edge.target));
    for (const edge of seen) {
      const on = isOn(edge);
      if (on || edge.running) late.push([edge, on]);
      else this.edge(edge.points, scene.ink.edge, scene.threads.length ? 0.18 : lit ? 0.45 : 0.75, 1.4, null, edge.outside);
    }
    for (const [edge, on] of late) this.edge(edge.points, scene.ink.accent, on || !lit ? 0.95 : 0.4, on ? 2 : 1.7, edge.running ? (time / 30) % 12 : null, edge.outside);
    if (k >= LABELS_FROM && !scene.threads.length && !scene.early) for (const edge of seen) this.label(scene.trail ? { ...edge, rows: edge.trail, delta: "" } : edge, !lit || isOn(edge));
    for (const card of scene.far) if (view.over(card, MARGIN)) this.block(card, lit && !lit.has(card.name));
    this.threads();
    return seen.some((edge) => edge.running);
  }

  // Column to column, over the cards' edges.
  threads() {
    const { threads, litColumns, ink } = this.scene;
    for (const late of [false, true]) {
      for (const { ends, points, direct } of threads) {
        const on = Boolean(litColumns) && ends.every((end) => litColumns.has(end));
        if (on === late) this.edge(points, on ? ink.accent : ink.edge, on ? 0.95 : litColumns ? 0.12 : direct ? 0.55 : 0.3, on ? 1.8 : 1, null, !direct);
      }
    }
  }

  edge(points, colour, strength, width, shift = null, dotted = false) {
    const { pen } = this, { down } = this.scene;
    pen.globalAlpha = strength;
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = width / clamp(this.k, 0.05, 1);
    pen.setLineDash(shift === null ? (dotted ? [2, 4] : []) : [7, 5]);
    pen.lineDashOffset = -(shift ?? 0);
    pen.beginPath();
    pen.moveTo(...points[0]);
    for (const [a, b, end] of curves(points, down, 7)) pen.bezierCurveTo(...a, ...b, ...end);
    pen.stroke();
    pen.setLineDash([]);
    const [tip, left, right] = arrow(points[points.length - 1], down);
    pen.beginPath();
    pen.moveTo(...tip);
    pen.lineTo(...left);
    pen.lineTo(...right);
    pen.fill();
    pen.globalAlpha = 1;
    this.drawn += 1;
  }

  label({ rows, delta, points }, lit) {
    if (!rows) return;
    const { pen } = this, { ink } = this.scene, [x, y] = middleOf(points);
    pen.font = `500 11px ${ink.font}`;
    const gap = delta ? 5 : 0, wide = pen.measureText(rows).width, more = delta ? pen.measureText(delta).width : 0, all = wide + gap + more;
    pen.globalAlpha = lit ? 1 : 0.6;
    pen.fillStyle = ink.back;
    pen.beginPath();
    pen.roundRect(x - all / 2 - 5, y - 8.5, all + 10, 17, 6);
    pen.fill();
    pen.textBaseline = "middle";
    pen.fillStyle = ink.muted;
    pen.fillText(rows, x - all / 2, y + 0.5);
    pen.fillStyle = delta.startsWith("+") ? ink.up : ink.down;
    if (delta) pen.fillText(delta, x - all / 2 + wide + gap, y + 0.5);
    pen.globalAlpha = 1;
  }

  block(card, dim) {
    const { pen, k } = this, { ink, chosen } = this.scene, on = card.name === chosen, tiny = k < 0.14;
    pen.globalAlpha = dim ? 0.4 : 1;
    pen.fillStyle = ink.back;
    pen.strokeStyle = on ? ink.accent : ink.line;
    pen.lineWidth = (on ? 3 : 1) / k;
    pen.beginPath();
    pen.roundRect(card.x, card.y, card.width, card.height, 9);
    pen.fill();
    if (card.state === "outside") pen.setLineDash([5 / k, 4 / k]);
    pen.stroke();
    pen.setLineDash([]);
    pen.fillStyle = ink[card.state] ?? ink.edge;
    if (tiny) pen.globalAlpha *= 0.75;
    if (card.state !== "outside") pen.fillRect(card.x, card.y + 4, tiny ? card.width : 10, card.height - 8);
    if (k > 0.12) {
      pen.fillStyle = ink.text;
      pen.font = `600 ${clamp(11 / k, 14, 34)}px ${ink.font}`;
      pen.textBaseline = "middle";
      pen.fillText(card.title, card.x + 22, card.y + card.height / 2, card.width - 30);
    }
    pen.globalAlpha = 1;
  }
}
