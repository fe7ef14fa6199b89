// What was typed in this window and not saved, by asset: a reload gets a server that knows nothing of it, and is told
// again.

export class Journal {
  constructor(place) {
    this.place = place;
    try { this.held = JSON.parse(sessionStorage.getItem(place)); } catch { /* as if nothing was kept */ }
    this.held ??= { session: null, typed: {} };
  }

  note(asset, entries) {
    const typed = (this.held.typed[asset] ??= {});
    for (const [name, { key, column, text }] of entries) typed[name] = { key, column, text };
    this.keep();
  }

  // Of an asset only these are still open.
  prune(asset, names) {
    const typed = this.held.typed[asset] ?? {}, gone = Object.keys(typed).filter((name) => !names.has(name));
    for (const name of gone) delete typed[name];
    if (gone.length) this.keep();
  }

  // What a session of the server that is not the one before has to be told.
  missing(session) {
    const { held } = this, before = held.session;
    if (before === session) return [];
    held.session = session;
    this.keep();
    return before === null ? [] : Object.entries(held.typed).flatMap(([asset, typed]) => Object.values(typed).map((entry) => ({ do: "put", asset, ...entry })));
  }

  keep() {
    try { sessionStorage.setItem(this.place, JSON.stringify(this.held)); } catch { /* only a reload would miss it */ }
  }
}
