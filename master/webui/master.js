// The master's page: all of the cluster, kept up to date by the stream of events for operators.

import { ago, amount, bytes, card, drawer, el, filterBox, flag, getJson, link, markTab, setStatus, show, stateOf, table }
  from "./common.js";

const AGAIN_MILLISECONDS = 2000;
const SILENCE_MILLISECONDS = 45000;
const SUMMARY_MILLISECONDS = 5000;
const ENDED_SHOWN = 2000;

const agents = new Map();
const frameworks = new Map();
const endedFrameworks = new Map();
const tasks = new Map();
const endedTasks = new Map();
let summary = { slaves: [], frameworks: [] };
let offers = [];
let lastEvent = null;

const main = document.getElementById("main");
const redraw = drawer(draw);
const filter = filterBox(redraw);

// The stream: RecordIO, each record an event.

async function* records(body) {
  const reader = body.getReader();
  let buffer = new Uint8Array(0);
  let wanted = null; // how long the record at hand is, once that is known
  let alarm;
  try {
    for (;;) {
      const silence = new Promise((_, reject) => {
        alarm = setTimeout(() => reject(new Error("no word for a while")), SILENCE_MILLISECONDS);
      });
      const { done, value } = await Promise.race([reader.read(), silence]);
      clearTimeout(alarm);
      if (done) return;
      const joined = new Uint8Array(buffer.length + value.length);
      joined.set(buffer);
      joined.set(value, buffer.length);
      buffer = joined;
      for (;;) {
        if (wanted === null) {
          const end = buffer.indexOf(10);
          if (end < 0) break;
          wanted = Number(new TextDecoder().decode(buffer.subarray(0, end)));
          buffer = buffer.subarray(end + 1);
        }
        if (buffer.length < wanted) break;
        yield JSON.parse(new TextDecoder().decode(buffer.subarray(0, wanted)));
        buffer = buffer.subarray(wanted);
        wanted = null;
      }
    }
  } finally {
    clearTimeout(alarm);
    reader.cancel().catch(() => {});
  }
}

async function listen() {
  for (;;) {
    try {
      const headers = { "Content-Type": "application/json", Accept: "application/json" };
      if (lastEvent !== null) headers["Last-Event-Id"] = lastEvent;
      const response = await fetch("api/v1", { method: "POST", headers, body: JSON.stringify({ type: "SUBSCRIBE" }) });
      if (!response.ok) throw new Error(`${response.status}: ${(await response.text()).slice(0, 200)}`);
      setStatus("live", "live");
      for await (const event of records(response.body)) {
        take(event);
        if (event.sequence !== undefined) lastEvent = event.sequence;
        redraw();
      }
      setStatus("lost", "the master ended the stream; trying again");
    } catch (error) {
      setStatus("lost", `${error.message}; trying again`);
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MILLISECONDS));
  }
}

const taskKey = (frameworkId, taskId) => `${frameworkId} ${taskId}`;
const ENDED = new Set(["TASK_FINISHED", "TASK_FAILED", "TASK_KILLED", "TASK_ERROR", "TASK_LOST", "TASK_DROPPED", "TASK_GONE",
  "TASK_GONE_BY_OPERATOR"]);

function putTask(task) {
  const key = taskKey(task.framework_id.value, task.task_id.value);
  tasks.delete(key);
  endedTasks.delete(key);
  (ENDED.has(task.state) ? endedTasks : tasks).set(key, task);
  if (endedTasks.size > ENDED_SHOWN) endedTasks.delete(endedTasks.keys().next().value);
}

function take(event) {
  const body = event[event.type.toLowerCase()];
  if (event.type === "SUBSCRIBED") {
    for (const all of [agents, frameworks, endedFrameworks, tasks, endedTasks]) all.clear();
    const state = body.get_state || {};
    for (const agent of state.get_agents?.agents || []) agents.set(agent.agent_info.id.value, agent);
    for (const each of state.get_frameworks?.frameworks || []) frameworks.set(each.framework_info.id.value, each);
    for (const each of state.get_frameworks?.completed_frameworks || []) {
      endedFrameworks.set(each.framework_info.id.value, each);
    }
    const lists = state.get_tasks || {};
    for (const task of [...(lists.completed_tasks || []), ...(lists.unreachable_tasks || []), ...(lists.tasks || [])]) {
      putTask(task);
    }
  } else if (event.type === "AGENT_ADDED") {
    agents.set(body.agent.agent_info.id.value, body.agent);
  } else if (event.type === "AGENT_REMOVED") {
    agents.delete(body.agent_id.value);
  } else if (event.type === "FRAMEWORK_ADDED" || event.type === "FRAMEWORK_UPDATED") {
    frameworks.set(body.framework.framework_info.id.value, body.framework);
  } else if (event.type === "FRAMEWORK_REMOVED") {
    const id = body.framework_info.id.value;
    const known = frameworks.get(id) || { framework_info: body.framework_info };
    frameworks.delete(id);
    endedFrameworks.set(id, { ...known, active: false, connected: false });
  } else if (event.type === "TASK_ADDED") {
    putTask(body.task);
  } else if (event.type === "TASK_UPDATED") {
    const key = taskKey(body.framework_id.value, body.status.task_id.value);
    const known = tasks.get(key) || endedTasks.get(key);
    if (known) putTask({ ...known, state: body.state, statuses: [...(known.statuses || []), body.status] });
  }
}

// What no event tells: the resources in use and on offer.

async function refresh() {
  try {
    summary = await getJson("state-summary");
    if (location.hash.startsWith("#/offers")) {
      offers = (await getJson("frameworks")).frameworks.flatMap((framework) => framework.offers);
    }
    redraw();
  } catch { /* the stream's status tells */ }
}

async function poll() {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise((resolve) => setTimeout(resolve, SUMMARY_MILLISECONDS));
  }
}

// Drawing.

const nameOf = (frameworkId) =>
  (frameworks.get(frameworkId) || endedFrameworks.get(frameworkId))?.framework_info.name || frameworkId;
const hostOf = (agentId) => agents.get(agentId)?.agent_info.hostname || agentId;
const pageOf = (agent) => `//${agent.agent_info.hostname}:${agent.agent_info.port || 5051}/`;
const began = (task) => task.statuses?.[0]?.timestamp;
const usedBy = (list, id) => list.find((each) => each.id === id)?.used_resources || {};
const resourcesText = (these) => `${amount(these.cpus || 0)} cpus, ${bytes(these.mem || 0)}`;

function sandbox(task) {
  const agent = agents.get(task.agent_id.value);
  if (!agent) return "";
  const executor = task.executor_id?.value || task.task_id.value;
  const place = new URLSearchParams({ framework: task.framework_id.value, executor });
  return link(`${pageOf(agent)}#/sandbox?${place}`, "sandbox");
}

const taskColumns = [
  ["Task", (task) => task.task_id.value, "id"],
  ["Name", (task) => task.name],
  ["Framework", (task) => nameOf(task.framework_id.value)],
  ["State", (task) => stateOf(task.state)],
  ["Agent", (task) => hostOf(task.agent_id.value)],
  ["Began", (task) => ago(began(task))],
  ["", sandbox],
];

function overview() {
  const total = { cpus: 0, mem: 0, disk: 0 };
  const used = { cpus: 0, mem: 0, disk: 0 };
  for (const agent of summary.slaves) {
    for (const name of Object.keys(total)) {
      total[name] += agent.resources[name] || 0;
      used[name] += agent.used_resources[name] || 0;
    }
  }
  const active = [...agents.values()].filter((agent) => agent.active).length;
  const running = [...tasks.values()].filter((task) => task.state === "TASK_RUNNING").length;
  const failed = [...endedTasks.values()].filter((task) => !["TASK_FINISHED", "TASK_KILLED"].includes(task.state)).length;
  const share = (name) => (total[name] ? used[name] / total[name] : 0);
  return [
    el("div", { class: "cards" },
      card(active, `of ${agents.size} agents active`),
      card(frameworks.size, "frameworks"),
      card(running, `of ${tasks.size} tasks running`),
      card(failed, "of the last tasks failed"),
      card(amount(used.cpus), `of ${amount(total.cpus)} cpus in use`, share("cpus")),
      card(bytes(used.mem), `of ${bytes(total.mem)} memory used`, share("mem")),
      card(bytes(used.disk), `of ${bytes(total.disk)} disk in use`, share("disk"))),
    table("Tasks", taskColumns, newest(tasks), { filter, empty: "Nothing runs." }),
    table("Tasks that ended", taskColumns, newest(endedTasks), { empty: "None yet." }),
  ];
}

const newest = (of) => [...of.values()].reverse();

function agentsPage() {
  return [table("Agents", [
    ["Agent", (agent) => link(pageOf(agent), agent.agent_info.hostname)],
    ["Id", (agent) => agent.agent_info.id.value, "id"],
    ["State", (agent) => flag(agent.active, "active", "inactive")],
    ["Tasks", (agent) => [...tasks.values()].filter((t) => t.agent_id.value === agent.agent_info.id.value).length, "number"],
    ["In use", (agent) => resourcesText(usedBy(summary.slaves, agent.agent_info.id.value))],
    ["Total", (agent) => resourcesText(summary.slaves.find((s) => s.id === agent.agent_info.id.value)?.resources || {})],
    ["Version", (agent) => agent.version],
    ["Registered", (agent) => ago((agent.reregistered_time || agent.registered_time)?.nanoseconds / 1e9)],
  ], agents.values(), { filter, empty: "No agent is registered." })];
}

function standing(framework) {
  if (framework.recovered) return "known from agents only";
  return framework.connected ? "inactive" : "disconnected";
}

function frameworksPage() {
  const columns = [
    ["Framework", (each) => link(each.framework_info.webui_url || "", each.framework_info.name || "(no name)")],
    ["Id", (each) => each.framework_info.id.value, "id"],
    ["User", (each) => each.framework_info.user],
    ["Roles", (each) => (each.framework_info.roles || [each.framework_info.role || "*"]).join(", ")],
    ["State", (each) => flag(each.active && each.connected, "active", standing(each))],
    ["In use", (each) => resourcesText(usedBy(summary.frameworks, each.framework_info.id.value))],
    ["Registered", (each) => ago(each.registered_time?.nanoseconds / 1e9)],
  ];
  const ended = columns.filter(([name]) => !["State", "In use"].includes(name));
  return [
    table("Frameworks", columns, frameworks.values(), { filter, empty: "No framework is registered." }),
    table("Frameworks that ended", ended, newest(endedFrameworks), { empty: "None yet." }),
  ];
}

function tasksPage() {
  return [
    table("Tasks", taskColumns, newest(tasks), { filter, empty: "Nothing runs." }),
    table("Tasks that ended", taskColumns, newest(endedTasks), { empty: "None yet." }),
  ];
}

function offersPage() {
  return [table("Offers", [
    ["Offer", (offer) => offer.id, "id"],
    ["Framework", (offer) => nameOf(offer.framework_id)],
    ["Role", (offer) => offer.allocation_info?.role],
    ["Agent", (offer) => hostOf(offer.slave_id)],
    ["Resources", (offer) => `${resourcesText(offer.resources)}, ${bytes(offer.resources.disk || 0)} disk`],
  ], offers, { filter, empty: "Nothing is on offer." })];
}

const PAGES = { "#/": overview, "#/agents": agentsPage, "#/frameworks": frameworksPage, "#/tasks": tasksPage,
  "#/offers": offersPage };

function draw() {
  markTab();
  const title = summary.cluster || "Mesolite";
  document.title = document.getElementById("title").textContent = title;
  show(main, ...(PAGES[location.hash.split("?")[0] || "#/"] || overview)());
}

addEventListener("hashchange", () => {
  redraw();
  refresh();
});
setInterval(redraw, 10000); // times go on
redraw();
listen();
poll();
