// The colours and shapes that canvas, minimap and export share. Colours come from the theme's variables.

export const HEAD = 84, ROW = 19;

export const inkOf = (root) => {
  const style = getComputedStyle(root);
  const read = (name) => style.getPropertyValue(`--st-${name}`).trim();
  return {
    text: read("text-color"), muted: read("gray-text-color"), back: read("background-color"), second: read("secondary-background-color"),
    line: read("border-color"), edge: read("gray-color"), accent: read("primary-color"), up: read("green-text-color"), down: read("red-text-color"),
    fresh: read("green-color"), stale: read("orange-color"), failed: read("red-color"), blocked: read("red-color"),
    running: read("primary-color"), never: read("gray-color"), font: style.fontFamily,
  };
};

// An edge as curves: [start, [control, control, end], ...], and its arrow's tip. `short` leaves room for the arrow.
export const curves = (points, down, short) => points.slice(1).map(([bx, by], index) => {
  const [ax, ay] = points[index], tip = index === points.length - 2 ? short : 0;
  const bend = Math.max((down ? by - ay : bx - ax) * 0.55, 24);
  return down ? [[ax, ay + bend], [bx, by - bend], [bx, by - tip]] : [[ax + bend, ay], [bx - bend, by], [bx - tip, by]];
});

export const arrow = ([x, y], down) => (down ? [[x, y - 1], [x - 4.5, y - 9], [x + 4.5, y - 9]] : [[x - 1, y], [x - 9, y - 4.5], [x - 9, y + 4.5]]);

// The middle of an edge's longest stretch between two cards: where its label stands.
export const middleOf = (points) => {
  const [ax, ay] = points[points.length - 2], [bx, by] = points[points.length - 1];
  return [(ax + bx) / 2, (ay + by) / 2];
};

export const boxOf = (points) => {
  let [left, top] = points[0], right = left, bottom = top;
  for (const [x, y] of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return { x: left - 30, y: top - 30, width: right - left + 60, height: bottom - top + 60 };
};
