// The agent's page: what runs there, and the sandboxes.

import { ago, amount, bytes, card, drawer, el, filterBox, getJson, link, markTab, setStatus, show, stateOf, table }
  from "./common.js";

const POLL_MILLISECONDS = 3000;
const TAIL_BYTES = 60000;

let state = null;
let files = null; // of the directory that is looked into
let text = null; // of the file that is looked into

const main = document.getElementById("main");
const redraw = drawer(draw);
const filter = filterBox(redraw);

async function poll() {
  for (;;) {
    if (!document.hidden) {
      try {
        state = await getJson("state");
        setStatus("live", "live");
        await look();
      } catch (error) {
        setStatus("lost", `${error.message.slice(0, 200)}; trying again`);
      }
      redraw();
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}

const place = () => new URLSearchParams(location.hash.split("?")[1] || "");

function executors() {
  const all = [];
  for (const framework of [...(state?.frameworks || []), ...(state?.completed_frameworks || [])]) {
    for (const executor of framework.executors) all.push({ framework, executor, runs: true });
    for (const executor of framework.completed_executors) all.push({ framework, executor, runs: false });
  }
  return all;
}

// The sandbox that the address names: by its path, or by framework and executor.
function directory() {
  const asked = place();
  if (asked.get("path")) return asked.get("path");
  const found = executors().find(({ framework, executor }) =>
    framework.id === asked.get("framework") && executor.id === asked.get("executor"));
  return found?.executor.directory;
}

async function look() {
  files = text = null;
  if (!location.hash.startsWith("#/sandbox")) return;
  const path = directory();
  if (!path) return;
  const file = place().get("file");
  if (file) {
    const end = (await getJson(`files/read?${new URLSearchParams({ path: file, offset: -1 })}`)).offset;
    const offset = Math.max(0, end - TAIL_BYTES);
    text = (await getJson(`files/read?${new URLSearchParams({ path: file, offset })}`)).data;
  } else {
    files = await getJson(`files/browse?${new URLSearchParams({ path })}`);
  }
}

const inside = (more) => `#/sandbox?${new URLSearchParams(more)}`;
const last = (path) => path.split("/").pop();

function executorRows(wanted) {
  return executors().filter(({ runs }) => runs === wanted).flatMap(({ framework, executor }) =>
    [...executor.tasks, ...executor.queued_tasks, ...executor.completed_tasks].map((task) => ({ framework, executor, task })));
}

function tasksTable(heading, wanted, empty) {
  return table(heading, [
    ["Task", ({ task }) => task.id, "id"],
    ["Name", ({ task }) => task.name],
    ["Framework", ({ framework }) => framework.name],
    ["Executor", ({ executor }) => executor.id, "id"],
    ["State", ({ task }) => stateOf(task.state)],
    ["Resources", ({ task }) => `${amount(task.resources.cpus || 0)} cpus, ${bytes(task.resources.mem || 0)}`],
    ["Began", ({ task }) => ago(task.statuses?.[0]?.timestamp)],
    ["", ({ executor }) => link(inside({ path: executor.directory }), "sandbox")],
  ], executorRows(wanted), { filter, empty });
}

function running() {
  const total = state.resources;
  const used = { cpus: 0, mem: 0 };
  for (const { executor, runs } of executors()) {
    if (runs) for (const name of Object.keys(used)) used[name] += executor.resources[name] || 0;
  }
  return [
    el("div", { class: "cards" },
      card(executors().filter(({ runs }) => runs).length, "executors"),
      card(executorRows(true).filter(({ task }) => task.state === "TASK_RUNNING").length, "tasks running"),
      card(amount(used.cpus), `of ${amount(total.cpus)} cpus in use`, used.cpus / total.cpus),
      card(bytes(used.mem), `of ${bytes(total.mem)} memory in use`, used.mem / total.mem)),
    tasksTable("Tasks", true, "Nothing runs."),
  ];
}

function sandboxPage() {
  const path = directory();
  if (!path) return [el("p", { class: "empty" }, "There is no such sandbox here, or not any more.")];
  const file = place().get("file");
  if (file) {
    return [
      el("div", { class: "bar" }, el("h2", {}, last(file)), link(inside({ path }), "back to the sandbox"),
        link(`files/download?${new URLSearchParams({ path: file })}`, "download")),
      el("pre", {}, text ?? ""),
    ];
  }
  const up = /\/runs\/[^/]+$/.test(path) ? null : link(inside({ path: path.slice(0, path.lastIndexOf("/")) }), "up");
  return [
    table(`Sandbox ${last(path)}`, [
      ["Name", (each) => link(each.mode.startsWith("d") ? inside({ path: each.path }) : inside({ path, file: each.path }),
        last(each.path))],
      ["Size", (each) => `${each.size} B`, "number"],
      ["Mode", (each) => each.mode, "id"],
      ["Owner", (each) => each.uid],
      ["Changed", (each) => ago(each.mtime)],
      ["", (each) => (each.mode.startsWith("-")
        ? link(`files/download?${new URLSearchParams({ path: each.path })}`, "download") : "")],
    ], files || [], { filter, empty: files ? "It is empty." : "Looking …" }),
    up,
  ].filter(Boolean);
}

function draw() {
  markTab();
  if (!state) return;
  document.title = document.getElementById("title").textContent = `Agent ${state.hostname}`;
  const page = location.hash.startsWith("#/sandbox") ? sandboxPage
    : location.hash.startsWith("#/ended") ? () => [tasksTable("Tasks of what ended", false, "None yet.")] : running;
  show(main, ...page());
}

addEventListener("hashchange", async () => {
  redraw();
  await look().catch((error) => setStatus("lost", error.message.slice(0, 200)));
  redraw();
});
poll();
