// How values of each kind are written and read. A value travels as text that the server reads back: "1204.5",
// "2026-01-04", "true"; null where the field is empty.

export const NONE = "\u2014";
const GROUPS = /\B(?=(\d{3})+(?!\d))/g, LARGEST = 2n ** 63n, YES = ["true", "yes", "y", "1", "\u2713"], NO = ["false", "no", "n", "0"];
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/, CLOCK = /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$/, ZONE = /(Z|[+-]\d{2}:?\d{2})$/;

// As a cell shows it. The decimals of a column stand below one another.
export const written = (column, text) => {
  if (text === null) return NONE;
  if (column.kind === "integer") return text.replace(GROUPS, ",");
  if (column.kind !== "number" || /[en]/i.test(text)) return text;
  const own = Number(text).toFixed(6).replace(/0+$/, "").split(".")[1].length;
  const [whole, part] = Number(text).toFixed(Math.max(own, column.decimals)).split(".");
  return whole.replace(GROUPS, ",") + (part ? `.${part}` : "");
};

export const numeric = ({ kind }) => kind === "integer" || kind === "number";
export const choosing = ({ kind }) => kind === "choice" || kind === "flag";
export const choices = (column) => (column.kind === "flag" ? ["true", "false"] : column.choices);

// What was typed, as text for the server; or why it does not fit.
export const fit = (column, typed) => {
  const text = column.kind === "text" ? typed : typed.trim();
  if (text === "" || text === NONE) return { text: null };
  return READ[column.kind](text, column);
};

const bare = (text) => text.replace(/[,_'\s\u2009]/g, "").replace("\u2212", "-");
const no = (text, what) => ({ why: `\u201c${text.length > 40 ? `${text.slice(0, 39)}\u2026` : text}\u201d is ${what}` });

const isDay = (text) => {
  const [, year, month, day] = DATE.exec(text) ?? [], found = new Date(Date.UTC(year, month - 1, day));
  return Boolean(year) && found.getUTCMonth() === month - 1 && found.getUTCDate() === Number(day);
};

const READ = {
  text: (text) => ({ text }),
  integer: (text) => {
    const plain = bare(text);
    if (!/^[+-]?\d+$/.test(plain)) return no(text, "no whole number");
    const found = BigInt(plain.replace("+", ""));
    return found >= -LARGEST && found < LARGEST ? { text: String(found) } : no(text, "too large a number");
  },
  number: (text) => {
    const plain = bare(text);
    if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return no(text, "no number");
    return Number.isFinite(Number(plain)) ? { text: plain.replace("+", "") } : no(text, "too large a number");
  },
  flag: (text) => {
    const said = text.toLowerCase();
    return YES.includes(said) ? { text: "true" } : NO.includes(said) ? { text: "false" } : no(text, "neither true nor false");
  },
  choice: (text, column) => {
    const found = column.choices.find((each) => each === text) ?? column.choices.find((each) => each.toLowerCase() === text.toLowerCase());
    return found === undefined ? no(text, `none of ${column.choices.join(", ")}`) : { text: found };
  },
  date: (text) => (isDay(text) ? { text } : no(text, "no date such as 2026-01-31")),
  time: (text) => (CLOCK.test(text) ? { text } : no(text, "no time such as 09:30")),
  moment: (text) => {
    const [day, clock, ...more] = text.replace("T", " ").split(" ");
    const fits = isDay(day) && !more.length && (clock === undefined || CLOCK.test(clock.replace(ZONE, "")));
    return fits ? { text: clock === undefined ? day : `${day} ${clock}` } : no(text, "no moment such as 2026-01-31 09:30");
  },
};
