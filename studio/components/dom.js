// What every component of the studio builds its elements with. Text goes in by textContent only: it is not trusted.

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
export const STILL = matchMedia("(prefers-reduced-motion: reduce)");

export const make = (tag, name, text) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
};

export const press = (text, label, act, name) => {
  const element = make("button", name, text);
  element.type = "button";
  if (label) {
    element.title = label;
    element.setAttribute("aria-label", label);
  }
  element.onclick = act;
  return element;
};

// A command that a press copies; it says how that went for a moment.
export const copying = (command) => {
  const said = make("em", "", "Copy"), box = press("", `Copy as command: ${command}`, async () => {
    try {
      await navigator.clipboard.writeText(command);
      said.textContent = "Copied";
    } catch {
      said.textContent = "Not allowed here";
    }
    setTimeout(() => { said.textContent = "Copy"; }, 1500);
  }, "copy");
  box.append(make("code", "", command), said);
  return box;
};

// Names that hold what was typed: those that start with it first, then words that do, then anywhere.
export const matching = (items, typed, limit = 9) => {
  const wanted = typed.trim().toLowerCase();
  const rank = ({ name: id, title }) => {
    const name = title || id;
    const place = name.toLowerCase().indexOf(wanted);
    return place < 0 ? 9 : place === 0 ? 0 : /[\s_./-]/.test(name[place - 1]) ? 1 : 2;
  };
  return items.map((item) => [rank(item), item]).filter(([order]) => order < 9)
    .sort((a, b) => a[0] - b[0] || (a[1].title || a[1].name).length - (b[1].title || b[1].name).length).slice(0, limit).map(([, item]) => item);
};

// What stands before the studio's own paths in the browser's address: a proxy may have the studio below one of its own.
export const base = () => {
  const told = window.__streamlit?.BACKEND_BASE_URL;
  return told ? new URL(told).pathname.replace(/\/$/, "") : document.documentElement.dataset.base ?? "";
};

// To another page of the studio, in one step of the browser's history: a switch asked of the server leaves one more, the
// old page with the new page's address.
export const visit = (page, params = {}) => {
  const asked = new URLSearchParams(Object.entries(params));
  const there = `${base()}/${page === "pipeline" ? "" : page}${[...asked].length ? `?${asked}` : ""}`;
  if (there !== location.pathname + location.search) history.pushState({}, "", there);
  dispatchEvent(new PopStateEvent("popstate"));
};

// Down to the window's foot, whatever stands above it; again when the window changes. Answers what ends that. told: hears
// the height.
const STATUS_BAR = 42;

export const stretch = (root, least, told = () => {}) => {
  const set = () => {
    const top = root.getBoundingClientRect().top + (root.closest("section")?.scrollTop ?? 0);
    if (!root.isConnected || top <= 0) return;
    const height = Math.max(least, Math.round(innerHeight - top - STATUS_BAR));
    root.style.height = `${height}px`;
    told(height);
  };
  const watch = new ResizeObserver(set);
  watch.observe(document.body);
  const block = root.getRootNode().host?.closest('[data-testid="stMainBlockContainer"]'); // what stands above may come later
  if (block) watch.observe(block);
  addEventListener("resize", set);
  set();
  return () => { watch.disconnect(); removeEventListener("resize", set); };
};
