// The page's own behaviour: theme, ages that keep counting, tables that sort and filter, clicks that select.
(() => {
  const root = document.documentElement;
  const stored = () => { try { return localStorage.getItem("nemwarm-theme"); } catch { return null; } };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = (theme) => {
    root.dataset.theme = theme;
    // Figures read their colours from CSS when they paint: ask each to paint again.
    for (const view of window.Bokeh?.index ? views(window.Bokeh.index) : []) view.request_repaint?.();
  };
  function* views(index) {
    for (const top of index.roots ?? Object.values(index)) yield* below(top);
  }
  function* below(view) {
    yield view;
    for (const child of view.child_views ?? []) yield* below(child);
  }
  apply(stored() ?? (system.matches ? "dark" : "light"));
  system.addEventListener("change", (event) => { if (!stored()) apply(event.matches ? "dark" : "light"); });
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      const theme = root.dataset.theme === "dark" ? "light" : "dark";
      try { localStorage.setItem("nemwarm-theme", theme); } catch { /* a browser without storage forgets */ }
      apply(theme);
    });
  });

  // Bokeh takes every touch on a figure for itself; a page that is mostly figures could not be scrolled. Vertical ones are the page's.
  const touch = new CSSStyleSheet();
  touch.replaceSync(`.bk-events { touch-action: pan-y pinch-zoom !important; }
    @media (max-width: 700px) { :host(.bk-Tooltip) { left: auto !important; right: 8px !important; } }`);
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (options) {
    const shadow = attach.call(this, options);
    shadow.adoptedStyleSheets.push(touch);
    // Nor does a figure answer to keys: it is a picture to them, whose numbers are a table under Export.
    new MutationObserver((_, observer) => {
      const layer = shadow.querySelector(".bk-events");
      if (!layer) return;
      observer.disconnect();
      layer.tabIndex = -1;
      Object.assign(this, { role: "img", ariaLabel: "Chart; its numbers are under Export, Table" });
    }).observe(shadow, { childList: true });
    return shadow;
  };

  // And the start of a scroll must not be the start of a zoom: of a finger, figures hear only where it tapped, as a pointer there.
  const figure = (event) => event.composedPath().find((node) => node.classList?.contains("bk-events"));
  const tell = (node, kind, { clientX, clientY }) =>
    node.dispatchEvent(new PointerEvent(kind, { pointerType: "mouse", isPrimary: true, clientX, clientY, bubbles: true, composed: true }));
  let tapped = null, start = null;
  for (const kind of ["pointerdown", "pointermove", "pointercancel", "pointerup", "pointerover", "pointerout"])
    addEventListener(kind, (event) => {
      if (event.pointerType !== "touch") return;
      const node = figure(event);
      if (node) event.stopImmediatePropagation();
      if (kind === "pointerdown") {
        if (tapped) tell(tapped, "pointerout", event);
        tapped = null;
        start = event;
      }
      if (kind === "pointerup" && node && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) < 10) {
        tapped = node;
        tell(node, "pointermove", event);
      }
    }, { capture: true });

  // The hidden fields through which page and server talk, by their name.
  const tell_server = (name, text) => { for (const doc of window.Bokeh?.documents ?? []) Object.assign(doc.get_model_by_name(name) ?? {}, { content: text }); };
  // Numbered, so that the same click tells again: were the field emptied in between, that could meet the next click, and undo it.
  let picks = 0;
  const pick = (text) => tell_server("pick", `${text}\n=${++picks}`);
  addEventListener("popstate", () => tell_server("address", location.search));

  const picked = (event) => {
    const path = event.composedPath();
    if (event.type === "click" || event.key === "Enter") {
      const found = path.find((node) => node.dataset?.pick);
      if (!found) return;
      pick(found.dataset.pick);
      if (found.dataset.pick.startsWith("station=")) scrollTo({ top: 0, behavior: "smooth" });
    }
  };
  addEventListener("click", picked);
  addEventListener("keydown", (event) => { if (event.composedPath()[0].tagName === "TR") picked(event); });

  // The server is away: once it answers, the address opens the same view.
  window.nemwarm_lost = () => {
    if (document.querySelector(".lost")) return;
    const notice = Object.assign(document.createElement("p"), { className: "lost", role: "alert", textContent: "The connection was lost. Waiting for the server" });
    document.querySelector(".bar").after(notice);
    const look = async () => {
      const answer = await fetch("ready", { cache: "no-store" }).catch(() => null);
      if (answer?.ok) location.reload();
      else setTimeout(look, 1000);
    };
    look();
  };

  // The page was too old to open its session: opened anew, but not for ever where no websocket is let through.
  let is_ready = performance.getEntriesByType("navigation")[0]?.type === "reload";
  window.WebSocket = class extends WebSocket {
    constructor(...options) {
      super(...options);
      this.addEventListener("close", () => { if (!is_ready) window.nemwarm_lost(); });
    }
  };

  // Bokeh's tabs stand behind what they open, and know nothing of the keyboard but focus.
  window.nemwarm_ready = () => {
    is_ready = true;
    const tabs = [...views(window.Bokeh.index)].find((view) => view.header_els);
    const tell = () => tabs.header_els.forEach((one, place) => Object.assign(one, { role: "tab", ariaSelected: String(place === tabs.model.active) }));
    tabs.shadow_el.prepend(tabs.header_el);
    tabs.headers_wrapper_el.role = "tablist";
    tabs.model.properties.active.change.connect(tell);
    tell();
  };
  const tab = (event) => event.composedPath().find((node) => node.classList?.contains("bk-tab"));
  addEventListener("keydown", (event) => {
    const node = tab(event);
    if (!node) return;
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); node.click(); }
    if (event.key === "ArrowRight") node.nextElementSibling?.focus();
    if (event.key === "ArrowLeft") node.previousElementSibling?.focus();
  });

  // Ticks over time at even distances: days count on through the months, weeks begin on Mondays, and what is longer are months.
  const MINUTE = 60_000, HOUR = 60 * MINUTE, DAY = 24 * HOUR, MONDAY = 4 * DAY;
  const STEPS = [...[5, 10, 15, 30].map((one) => one * MINUTE), ...[1, 2, 3, 6, 12].map((one) => one * HOUR), ...[1, 2, 3, 7, 14].map((one) => one * DAY)];
  window.nemwarm_ticks = (start, end, monthly = false) => {
    const few = (step) => (end - start) / step <= Math.min(9.6, Math.max(4.5, innerWidth / 150));
    const step = monthly ? 0 : STEPS.find(few), ticks = [];
    if (step) {
      const origin = step < 7 * DAY ? 0 : MONDAY;
      for (let tick = Math.ceil((start - origin) / step) * step + origin; tick <= end; tick += step) ticks.push(tick);
      return ticks;
    }
    const months = [1, 2, 3, 6, 12, 24, 60].find((one) => few(30.4 * one * DAY)) ?? 120, first = new Date(start - 1);
    const month = (place) => Date.UTC(2000, place * months);
    for (let place = Math.floor(((first.getUTCFullYear() - 2000) * 12 + first.getUTCMonth()) / months) + 1; month(place) <= end; place++) ticks.push(month(place));
    return ticks;
  };

  // A table over the page; closed, the focus is where it was.
  window.nemwarm_show = (html) => {
    const sheet = Object.assign(document.createElement("dialog"), { className: "sheet", innerHTML: `${html}<form method="dialog"><button autofocus>Close</button></form>` });
    sheet.ariaLabel = sheet.querySelector("h2").textContent;
    let before = document.activeElement;
    while (before.shadowRoot?.activeElement) before = before.shadowRoot.activeElement;
    sheet.addEventListener("close", () => { sheet.remove(); before.focus(); });
    document.body.append(sheet);
    sheet.showModal();
  };

  // A pop-up closes on Escape and on a click beside it.
  let popped = null;
  const close = (focus) => {
    if (!popped) return;
    popped.open = false;
    if (focus) popped.querySelector("summary").focus();
    popped = null;
  };
  addEventListener("click", (event) => {
    const node = event.composedPath().find((one) => one.matches?.("details.popover"));
    if (node && node !== popped) { close(); popped = node; }
  });
  addEventListener("pointerdown", (event) => { if (popped && !event.composedPath().includes(popped)) close(); }, { capture: true });
  addEventListener("keydown", (event) => { if (event.key === "Escape" && !document.querySelector("dialog")) close(true); });

  customElements.define("nw-dates", class extends HTMLElement {
    connectedCallback() {
      const form = this.querySelector("form"), { first, last } = form.elements, said = form.querySelector("[role=alert]");
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        said.textContent = first.value <= last.value ? "" : "The last day is before the first.";
        if (said.textContent) return;
        const after = new Date(`${last.value}T00:00Z`);  // a range ends where its last day does
        after.setUTCDate(after.getUTCDate() + 1);
        close();
        pick(`${this.getAttribute("field")}=${first.value}..${after.toISOString().slice(0, 10)}`);
      });
    }
  });

  // A tree of rows in one table: a row's level says what it is below.
  customElements.define("nw-tree", class extends HTMLElement {
    connectedCallback() {
      this.addEventListener("click", (event) => {
        const row = event.target.closest("tr[aria-expanded]");
        if (row) this.turn(row);
      });
      this.addEventListener("keydown", (event) => {
        const row = event.target.closest("tr[aria-expanded]");
        if (row && (event.key === "ArrowRight") !== (row.ariaExpanded === "true") && event.key.startsWith("Arrow") && event.key !== "ArrowUp" && event.key !== "ArrowDown") this.turn(row);
      });
    }
    turn(row) {
      const level = Number(row.ariaLevel), opens = row.ariaExpanded !== "true";
      row.ariaExpanded = String(opens);
      for (let below = row.nextElementSibling; below && Number(below.ariaLevel) > level; below = below.nextElementSibling) {
        below.hidden = !opens || Number(below.ariaLevel) > level + 1;
        if (below.hasAttribute("aria-expanded")) below.ariaExpanded = "false";
      }
    }
  });

  // A choice has its own HTML replaced: the focus stays where it was made.
  let chosen = "";
  customElements.define("nw-choice", class extends HTMLElement {
    connectedCallback() {
      const field = this.getAttribute("field");
      this.addEventListener("click", (event) => {
        if (!event.target.dataset.pick) return;
        chosen = field;
        for (const one of this.children) one.ariaPressed = String(one === event.target);
      });
      this.addEventListener("change", (event) => pick(`${chosen = field}=${event.target.value}`));
      if (chosen !== field || document.activeElement !== document.body) return;
      this.querySelector("[aria-pressed=true], select")?.focus({ preventScroll: true });
      chosen = "";
    }
  });

  // How many letters one word must change to be the start of the other, given up past `most`.
  const apart = (typed, word, most) => {
    let last = [...Array(word.length + 1).keys()];
    for (let i = 1; i <= typed.length; i++) {
      const row = [i];
      for (let j = 1; j <= word.length; j++)
        row.push(Math.min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (typed[i - 1] === word[j - 1] ? 0 : 1)));
      if (Math.min(...row) > most) return most + 1;
      last = row;
    }
    return Math.min(...last);
  };
  const plain = (text) => text.toLowerCase().normalize("NFKD").replace(/[^a-z0-9 ]+/g, "");

  customElements.define("nw-search", class extends HTMLElement {
    connectedCallback() {
      [this.input, this.list] = [this.querySelector("input"), this.querySelector("ul")];
      this.all = [...this.querySelector("template").content.children].map((node) => ({
        name: node.value, units: node.dataset.units, where: node.dataset.where,
        words: [...plain(node.value).split(" "), ...node.dataset.units.split(" ").map(plain)], whole: plain(node.value),
      }));
      this.at = 0;
      this.input.addEventListener("input", () => this.show());
      this.input.addEventListener("focus", () => this.show());
      this.input.addEventListener("blur", () => setTimeout(() => this.hide(), 150));
      this.input.addEventListener("keydown", (event) => this.key(event));
      this.list.addEventListener("pointerdown", (event) => {
        const item = event.target.closest("li[data-name]");
        if (item) { event.preventDefault(); this.take(item.dataset.name); }
      });
    }
    rank(place, text) {
      if (place.whole.startsWith(text)) return 0;
      if (place.words.some((word) => word.startsWith(text))) return 1;
      if (place.whole.includes(text) || place.words.some((word) => word.includes(text))) return 2;
      const most = text.length < 4 ? 0 : text.length < 8 ? 1 : 2;
      const far = Math.min(...[place.whole, ...place.words].map((word) => apart(text, word, most)));
      return far <= most ? 3 + far : Infinity;
    }
    show() {
      const text = plain(this.input.value.trim());
      const found = this.all.map((place) => [text ? this.rank(place, text) : 0, place]).filter(([rank]) => rank < Infinity);
      found.sort(([a, one], [b, two]) => a - b || one.name.localeCompare(two.name));
      this.at = 0;
      this.list.replaceChildren(...found.slice(0, 60).map(([, place], number) => {
        const item = document.createElement("li"), [units, where] = [document.createElement("small"), document.createElement("span")];
        Object.assign(item, { role: "option", id: `found-${number}`, textContent: place.name });
        item.dataset.name = place.name;
        units.textContent = place.units === place.name ? "" : place.units;
        Object.assign(where, { className: "where", textContent: place.where });
        item.append(units, where);
        return item;
      }));
      if (!found.length) this.list.append(Object.assign(document.createElement("li"), { className: "none", textContent: "No station or unit is called that" }));
      this.list.hidden = false;
      this.input.ariaExpanded = "true";
      this.mark();
    }
    mark() {
      const items = [...this.list.querySelectorAll("li[data-name]")];
      items.forEach((item, number) => { item.ariaSelected = String(number === this.at); });
      items[this.at]?.scrollIntoView({ block: "nearest" });
      this.input.setAttribute("aria-activedescendant", items[this.at]?.id ?? "");
      return items;
    }
    key(event) {
      if (event.key === "Escape") this.hide();
      if (!["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
      event.preventDefault();
      if (this.list.hidden) return this.show();
      const items = this.mark();
      if (event.key === "Enter") return items[this.at] && this.take(items[this.at].dataset.name);
      this.at = (this.at + (event.key === "ArrowDown" ? 1 : items.length - 1)) % (items.length || 1);
      this.mark();
    }
    hide() { this.list.hidden = true; this.input.ariaExpanded = "false"; }
    take(name) {
      this.input.value = "";
      this.hide();
      this.input.blur();
      const then = this.getAttribute("then");
      pick(`station=${name}${then ? `\n${then}` : ""}`);
    }
  });

  customElements.define("nw-clock", class extends HTMLElement {
    connectedCallback() {
      const since = performance.now();
      this.timer = setInterval(() => { this.textContent = `${Math.round((performance.now() - since) / 1000)} s`; }, 1000);
    }
    disconnectedCallback() { clearInterval(this.timer); }
  });

  customElements.define("nw-copy", class extends HTMLElement {
    connectedCallback() {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: "Copy" });
      button.addEventListener("click", async () => {
        const text = this.querySelector("code");
        try {
          await navigator.clipboard.writeText(text.textContent);
          button.textContent = "Copied";
        } catch {  // a page that is not served over https may not: select it instead
          getSelection().selectAllChildren(text);
        }
      });
      this.append(button);
    }
  });

  // A band of a stack is hidden in this browser alone: its name is left out of the sums that are painted, nothing is asked.
  const hidden = new Set(), whole = new WeakMap();
  const restack = () => {
    for (const doc of window.Bokeh?.documents ?? []) {
      const models = [...doc._all_models.values()];
      let changed = false;
      for (const model of models) {
        if (model.type !== "Stack" || !model.fields) continue;
        if (!whole.has(model)) whole.set(model, [...model.fields]);
        const fields = whole.get(model).filter((name) => !hidden.has(name));
        if (fields.length === model.fields.length) continue;
        model.setv({ fields }, { silent: true });  // silent: the server's figure stays whole
        changed = true;
      }
      for (const source of changed ? models : [])
        if (source.type === "ColumnDataSource") {
          source.setv({ name: source.name }, { silent: true });  // so that sums over it are made anew
          source.change.emit();
        }
    }
  };
  customElements.define("nw-hide", class extends HTMLElement {
    connectedCallback() {
      const band = this.getAttribute("band");
      Object.assign(this, { role: "switch", tabIndex: 0, title: "show or hide in the chart" });
      const tell = () => {
        this.setAttribute("aria-checked", !hidden.has(band));
        this.closest("tr, li")?.classList.toggle("hidden-band", hidden.has(band));
      };
      const turn = (event) => {
        event.stopPropagation();
        hidden.has(band) ? hidden.delete(band) : hidden.add(band);
        tell();
        restack();
      };
      this.addEventListener("click", turn);
      this.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); turn(event); } });
      tell();
      // The chart of new numbers comes a little before or after the table that this stands in.
      if (hidden.size) for (const delay of [0, 300, 1200]) setTimeout(restack, delay);
    }
  });

  customElements.define("nw-age", class extends HTMLElement {
    connectedCallback() {
      this.title ||= this.textContent;
      this.since = performance.now() / 1000 - Number(this.getAttribute("seconds"));
      this.tell();
      this.timer = setInterval(() => this.tell(), 15000);
    }
    disconnectedCallback() { clearInterval(this.timer); }
    tell() {
      const seconds = performance.now() / 1000 - this.since;
      const [unit, size] = seconds < 90 ? ["s", 1] : seconds < 5400 ? ["min", 60] : seconds < 129600 ? ["h", 3600] : ["days", 86400];
      this.textContent = seconds < 20 ? "just now" : `${Math.round(seconds / size)} ${unit} ago`;
    }
  });

  const order = {};  // by a table's headings: what a reader sorted and typed outlives new numbers
  customElements.define("nw-table", class extends HTMLElement {
    connectedCallback() {
      this.heads = [...this.querySelectorAll("th")];
      this.key = this.heads.map((head) => head.textContent).join();
      this.state = order[this.key] ??= { column: null, down: true, text: "" };
      this.heads.forEach((head, column) => {
        head.tabIndex = 0;
        const turn = () => {
          this.state.down = this.state.column === column ? !this.state.down : this.numeric(column);
          this.state.column = column;
          this.sort();
        };
        head.addEventListener("click", turn);
        head.addEventListener("keydown", (event) => { if (event.key === "Enter") turn(); });
      });
      for (const row of this.querySelectorAll("tr[data-pick]")) row.tabIndex = 0;
      if (this.hasAttribute("filter")) {
        const input = document.createElement("input");
        Object.assign(input, { type: "search", placeholder: this.getAttribute("filter"), value: this.state.text });
        input.setAttribute("aria-label", input.placeholder);
        input.addEventListener("input", () => { this.state.text = input.value; this.filter(); });
        this.prepend(input);
        this.filter();
      }
      if (this.state.column !== null) this.sort();
    }
    value(row, column) { return row.cells[column]?.dataset.v ?? ""; }
    rows() { return [...this.querySelectorAll("tbody tr")]; }
    numeric(column) { return this.rows().some((row) => this.value(row, column) !== "" && !Number.isNaN(Number(this.value(row, column)))); }
    sort() {
      const { column, down } = this.state;
      const number = this.numeric(column), sign = down ? -1 : 1;
      const fixed = (row) => row.classList.contains("total") || row.classList.contains("flow");
      const body = this.querySelector("tbody"), rows = this.rows();
      const free = rows.filter((row) => !fixed(row)).sort((one, two) => {
        const [a, b] = [this.value(one, column), this.value(two, column)];
        if (a === "" || b === "") return (a === "") - (b === "");  // what is missing stands last either way
        return sign * (number ? Number(a) - Number(b) : a.localeCompare(b));
      });
      body.append(...free, ...rows.filter(fixed));
      this.heads.forEach((head, place) => place === column ? head.setAttribute("aria-sort", down ? "descending" : "ascending") : head.removeAttribute("aria-sort"));
    }
    filter() {
      const words = this.state.text.toLowerCase().split(/\s+/);
      for (const row of this.rows()) {
        const text = `${row.textContent} ${row.dataset.find ?? ""}`.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    }
  });
})();
