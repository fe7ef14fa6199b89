// The graph as a file: SVG written element by element from the same places and colours, PNG painted from that SVG.

import { arrow, curves, middleOf } from "./ink.js";

const NAMES = "http://www.w3.org/2000/svg", EDGE = 24, MOST_PIXELS = 8000, DASHED = { "stroke-dasharray": "4 4" };

const shape = (parent, tag, facts, words) => {
  const made = document.createElementNS(NAMES, tag);
  for (const [name, value] of Object.entries(facts)) made.setAttribute(name, value);
  if (words !== undefined) made.textContent = words;
  parent.append(made);
};

export const svgOf = ({ places, edges, threads, down, ink, width, height }) => {
  const wide = Math.ceil(width + 2 * EDGE), high = Math.ceil(height + 2 * EDGE);
  const root = document.createElementNS(NAMES, "svg");
  for (const [name, value] of Object.entries({ xmlns: NAMES, width: wide, height: high, viewBox: `${-EDGE} ${-EDGE} ${wide} ${high}`, "font-family": ink.font })) root.setAttribute(name, value);
  shape(root, "rect", { x: -EDGE, y: -EDGE, width: wide, height: high, fill: ink.back });
  for (const edge of edges) line(root, edge, down, ink.edge, 1.4);
  for (const edge of edges) if (edge.rows && !threads.length) label(root, edge, ink);
  for (const card of places) block(root, card, ink);
  for (const thread of threads) line(root, thread, down, ink.accent, 1);
  return new XMLSerializer().serializeToString(root);
};

const line = (root, { points, outside }, down, colour, width) => {
  const path = curves(points, down, 7).map((parts) => `C${parts.map((point) => point.join(" ")).join(",")}`).join("");
  shape(root, "path", { d: `M${points[0].join(" ")}${path}`, fill: "none", stroke: colour, "stroke-width": width, ...(outside ? DASHED : {}) });
  shape(root, "polygon", { points: arrow(points[points.length - 1], down).map((point) => point.join(",")).join(" "), fill: colour });
};

const label = (root, { rows, delta, points }, ink) => {
  const [x, y] = middleOf(points), text = delta ? `${rows} ${delta}` : rows;
  shape(root, "rect", { x: x - text.length * 3.2 - 5, y: y - 9, width: text.length * 6.4 + 10, height: 18, rx: 6, fill: ink.back });
  shape(root, "text", { x, y: y + 4, "font-size": 11, "text-anchor": "middle", fill: ink.muted }, text);
};

const block = (root, card, ink) => {
  const outside = card.state === "outside", source = outside || card.state === "source";
  const box = { x: card.x, y: card.y, width: card.width, height: card.height, rx: 9 };
  shape(root, "rect", { ...box, fill: source ? ink.second : ink.back, stroke: ink.line, ...(outside ? DASHED : {}) });
  if (!source) shape(root, "rect", { x: card.x, y: card.y + 4, width: 4, height: card.height - 8, fill: ink[card.state] ?? ink.edge });
  const left = card.x + 16, cut = (text, room) => (text.length > room ? `${text.slice(0, room - 1)}\u2026` : text);
  shape(root, "text", { x: left, y: card.y + 24, "font-size": 14, "font-weight": 600, fill: ink.text }, cut(card.title, 20));
  shape(root, "text", { x: card.x + card.width - 12, y: card.y + 24, "font-size": 11, "text-anchor": "end", fill: ink.muted }, card.kind);
  shape(root, "text", { x: left, y: card.y + 43, "font-size": 12, fill: source ? ink.muted : ink[card.state] ?? ink.muted }, cut(card.line, 32));
  const foot = [card.rows, card.delta, ...card.marks.map((mark) => mark.text)].filter(Boolean).join("  ");
  if (foot) shape(root, "text", { x: left, y: card.y + 70, "font-size": 12, fill: ink.text }, cut(foot, 32));
  card.columns.forEach(({ name }, row) => shape(root, "text", { x: left, y: card.y + 84 + row * 19 + 14, "font-size": 11.5, fill: ink.text }, cut(name, 26)));
};

export const save = (name, blob) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

export const saveSvg = (scene, name) => save(`${name}.svg`, new Blob([svgOf(scene)], { type: "image/svg+xml" }));

export const savePng = async (scene, name) => {
  const image = new Image(), from = URL.createObjectURL(new Blob([svgOf(scene)], { type: "image/svg+xml" }));
  image.src = from;
  await image.decode();
  const scale = Math.min(2, MOST_PIXELS / Math.max(image.width, image.height)), canvas = document.createElement("canvas");
  canvas.width = Math.round(image.width * scale);
  canvas.height = Math.round(image.height * scale);
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(from);
  canvas.toBlob((blob) => save(`${name}.png`, blob), "image/png");
};
