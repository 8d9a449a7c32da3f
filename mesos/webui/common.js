// What the pages of master and agent share. All that comes from outside becomes text, never markup.

export const ROWS_MAX = 200;

export function el(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null).map((child) =>
    child instanceof Node ? child : String(child)));
  return element;
}

// A link to an http address; anything else is shown as text.
export function link(address, text) {
  let safe = false;
  try {
    safe = ["http:", "https:"].includes(new URL(address, location.href).protocol);
  } catch { /* it is no address */ }
  return safe ? el("a", { href: address, rel: "noreferrer" }, text) : el("span", {}, text);
}

export function card(number, text, share) {
  const meter = share === undefined ? null : el("meter", { min: 0, max: 1, value: Math.min(1, share || 0) });
  return el("div", { class: "card" }, el("b", {}, number), el("span", {}, text), meter);
}

// Columns are [heading, cell(item), class]. Rows are those whose text holds what the filter says.
export function table(heading, columns, items, { filter, empty = "None." } = {}) {
  const wanted = (filter?.value || "").toLowerCase();
  const rows = [];
  let found = 0;
  for (const item of items) {
    const cells = columns.map(([, cell]) => cell(item));
    if (wanted && !cells.some((cell) => (cell?.textContent ?? String(cell ?? "")).toLowerCase().includes(wanted))) continue;
    found += 1;
    if (rows.length < ROWS_MAX) {
      rows.push(el("tr", {}, columns.map(([, , kind], index) => el("td", { class: kind }, cells[index]))));
    }
  }
  const head = el("tr", {}, columns.map(([name, , kind]) => el("th", { class: kind, scope: "col" }, name)));
  const body = rows.length
    ? el("div", { class: "scroll" }, el("table", {}, el("thead", {}, head), el("tbody", {}, rows)))
    : el("div", { class: "scroll" }, el("p", { class: "empty" }, empty));
  const more = found > rows.length ? el("p", { class: "more" }, `${found - rows.length} more: filter to see them.`) : null;
  return el("section", {}, el("div", { class: "bar" }, el("h2", {}, `${heading} (${found})`), filter), body, more);
}

export function filterBox(redraw) {
  const box = el("input", { type: "search", placeholder: "Filter", "aria-label": "Filter" });
  box.addEventListener("input", redraw);
  return box;
}

const GOOD = ["TASK_RUNNING", "TASK_FINISHED"];
const BUSY = ["TASK_STAGING", "TASK_STARTING", "TASK_KILLING"];
export function stateOf(state) {
  const kind = GOOD.includes(state) ? "good" : BUSY.includes(state) ? "busy" : state === "TASK_KILLED" ? "" : "bad";
  return el("span", { class: `state ${kind}` }, (state || "").replace("TASK_", "").toLowerCase());
}

export function flag(yes, good, bad) {
  return el("span", { class: `state ${yes ? "good" : "bad"}` }, yes ? good : bad);
}

export function amount(value) {
  return Number.isFinite(value) ? String(Math.round(value * 100) / 100) : "0";
}

export function bytes(megabytes) {
  const units = ["MB", "GB", "TB", "PB"];
  let unit = 0;
  while (megabytes >= 1024 && unit < 3) [megabytes, unit] = [megabytes / 1024, unit + 1];
  return `${amount(Math.round((megabytes || 0) * 10) / 10)} ${units[unit]}`;
}

export function ago(seconds) {
  if (!seconds) return "";
  const past = Math.max(0, Date.now() / 1000 - seconds);
  const [size, name] = past < 90 ? [1, "s"] : past < 5400 ? [60, "min"] : past < 129600 ? [3600, "h"] : [86400, "d"];
  return `${Math.round(past / size)} ${name} ago`;
}

// Draw at most once per frame, whatever happens meanwhile; what is being typed in stays.
export function drawer(draw) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  };
}

export function show(main, ...children) {
  const focused = document.activeElement;
  main.replaceChildren(...children);
  if (focused?.isConnected && focused !== document.activeElement) focused.focus();
}

export async function getJson(path) {
  const response = await fetch(path, { cache: "no-cache", headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

export function setStatus(kind, text) {
  const status = document.getElementById("status");
  status.className = `status ${kind}`;
  status.textContent = text;
}

export function markTab() {
  for (const tab of document.querySelectorAll("header nav a")) {
    const here = tab.getAttribute("href") === (location.hash.split("?")[0] || "#/");
    if (here) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
}
