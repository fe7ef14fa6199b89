// Shapes that people draw around dots: as text in the address, and which dots lie within. The engine counts the same way.

const MOST_CORNERS = 60;

export const read = (text) => (text || "").split(";").map((part) => part.trim().split(/\s+/).filter(Boolean).map((corner) => corner.split(",").map(Number))).filter((shape) => shape.length > 2);

export const write = (shapes) => shapes.map((shape) => shape.map((corner) => corner.map((part) => String(Number(part.toFixed(4)))).join(",")).join(" ")).join(";");

// Fewer corners, those that matter most: as fine as the address has room for.
export const simpler = (corners) => {
  let gap = 0.002, found = corners.length > 4 ? thin(corners, gap) : corners;
  while (found.length > MOST_CORNERS) found = thin(corners, gap *= 1.6);
  return found;
};

// Douglas and Peucker, 1973.
const thin = (line, gap) => {
  if (line.length < 3) return line;
  const [a, b] = [line[0], line[line.length - 1]], [dx, dy] = [b[0] - a[0], b[1] - a[1]], length = Math.hypot(dx, dy) || 1e-9;
  let far = 0, at = 0;
  for (let i = 1; i < line.length - 1; i++) {
    const away = length > 1e-8 ? Math.abs(dx * (line[i][1] - a[1]) - dy * (line[i][0] - a[0])) / length : Math.hypot(line[i][0] - a[0], line[i][1] - a[1]);
    if (away > far) [far, at] = [away, i];
  }
  if (far <= gap) return [a, b];
  return [...thin(line.slice(0, at + 1), gap).slice(0, -1), ...thin(line.slice(at), gap)];
};

export const within = (shapes, { many, x, y }) => {
  const hit = new Uint8Array(many);
  for (const shape of shapes) {
    for (let i = 0; i < many; i++) {
      if (hit[i]) continue;
      let inside = false;
      for (let j = 0; j < shape.length; j++) {
        const [ax, ay] = shape[j], [bx, by] = shape[(j + 1) % shape.length];
        if (ay !== by && (ay > y[i]) !== (by > y[i]) && x[i] < ((bx - ax) * (y[i] - ay)) / (by - ay) + ax) inside = !inside;
      }
      if (inside) hit[i] = 1;
    }
  }
  return hit;
};
