// The controls: which battle, when, how fast, which unit; keys; the address's part after "#", as #battle=2&step=7&unit=1.
const SPEEDS = [0.25, 0.5, 1, 2, 4, 8];
const state = { battle: 0, time: 0, playing: false, speed: 2, chosen: null, closeUp: true };
const el = (id) => document.getElementById(id);
const smooth = !matchMedia("(prefers-reduced-motion: reduce)").matches;
let before = null;

function battle() {
  return data.episodes[state.battle];
}

function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}

function step() {
  return Math.min(Math.floor(state.time), battle().length);
}

function paint() {
  draw(battle(), smooth ? state.time : step(), state.chosen);
  drawChart(battle(), state.time);
}

// Everything but the pictures: what changes from step to step only.
function refresh() {
  showStatus(battle(), state.battle, step());
  showCard(battle(), step(), state.chosen);
  showList(battle(), step(), state.chosen, choose);
  el("scrub").max = battle().length;
  el("scrub").value = step();
  el("play").textContent = state.playing ? "pause" : "play";
  el("speed").value = state.speed;
  el("zoom").checked = state.closeUp;
  field.setAttribute("aria-label", `${data.env}, ${el("status").textContent}`);
  [...el("battles").children].forEach((button, i) => button.setAttribute("aria-pressed", i === state.battle));
  paint();
}

function resize() {
  layout(battle(), state.closeUp);
  refresh();
}

function go(time) {
  state.playing = false;
  state.time = clamp(Math.round(time), 0, battle().length);
  refresh();
}

function show(number) {
  state.battle = clamp(number, 0, data.episodes.length - 1);
  state.time = 0;
  before = null;
  resize();
}

function choose(unit) {
  state.chosen = unit === state.chosen ? null : unit;
  refresh();
}

// The next living unit in the list, `by` 1 or -1.
function chooseNext(by) {
  const frame = battle().frames[step()];
  let unit = state.chosen === null ? (by > 0 ? -1 : total) : state.chosen;
  for (let tries = 0; tries < total; tries++) {
    unit = (unit + by + total) % total;
    if (get(frame, unit, "alive")) break;
  }
  state.chosen = unit;
  refresh();
}

function toggle() {
  if (!state.playing && state.time >= battle().length) state.time = 0;
  state.playing = !state.playing;
  before = null;
  refresh();
  if (state.playing) requestAnimationFrame(tick);
}

function tick(now) {
  if (!state.playing) return;
  const was = step();
  if (before !== null) state.time += ((now - before) / 1000 / data.seconds_per_step) * state.speed;
  before = now;
  if (state.time >= battle().length) go(battle().length);
  else if (step() !== was) refresh();
  else paint();
  requestAnimationFrame(tick);
}

function setSpeed(by) {
  state.speed = SPEEDS[clamp(SPEEDS.indexOf(state.speed) + by, 0, SPEEDS.length - 1)];
  refresh();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  paint();
}

function otherTheme() {
  setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
}

function zoom() {
  state.closeUp = !state.closeUp;
  resize();
}

function help() {
  el("help").open = !el("help").open;
  if (el("help").open) el("help").scrollIntoView({ block: "nearest" });
}

const KEYS = {
  " ": toggle, Home: () => go(0), End: () => go(battle().length), "[": () => chooseNext(-1), "]": () => chooseNext(1),
  "-": () => setSpeed(-1), "+": () => setSpeed(1), "=": () => setSpeed(1), d: otherTheme, z: zoom, "?": help,
  p: () => show(state.battle - 1), n: () => show(state.battle + 1), Escape: () => state.chosen !== null && choose(state.chosen),
};

function key(event) {
  const { tagName } = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || tagName === "SELECT") return;
  if (event.key === " " && ["BUTTON", "SUMMARY", "INPUT"].includes(tagName)) return;  // it presses what has the focus
  const leap = event.shiftKey ? 10 : 1;
  if (event.key === "ArrowLeft") go(Math.ceil(state.time) - leap);
  else if (event.key === "ArrowRight") go(Math.floor(state.time) + leap);
  else if (/^[1-9]$/.test(event.key)) show(Number(event.key) - 1);
  else if (event.key in KEYS) KEYS[event.key]();
  else return;
  event.preventDefault();
}

function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  const number = (name) => (/^\d+$/.test(given.get(name) ?? "") ? Number(given.get(name)) : null);
  if (number("battle") !== null) show(number("battle") - 1);
  if (number("unit") !== null) state.chosen = clamp(number("unit"), 0, total - 1);
  if (number("step") !== null) go(number("step"));
  if (given.has("theme")) setTheme(given.get("theme") === "dark" ? "dark" : "light");
  refresh();
}

function start() {
  setTheme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  el("title").textContent = `${data.env} \u00b7 ${data.policy} \u00b7 seed ${data.seed}`;
  data.episodes.forEach((episode, i) => {
    const button = make("button", `${i + 1} ${episode.outcome} ${fixed(episode.return, 1)}`);
    button.type = "button";
    button.title = `battle ${i + 1}: ${episode.outcome} after ${episode.length} steps, return ${fixed(episode.return, 2)}`;
    button.addEventListener("click", () => show(i));
    el("battles").append(button);
  });
  for (const speed of SPEEDS) el("speed").append(new Option(`${speed}x`, speed));
  showKey();
  el("legend").open = innerWidth > 900;
  const clicks = {
    first: () => go(0), back: () => go(Math.ceil(state.time) - 1), play: toggle, forward: () => go(Math.floor(state.time) + 1),
    last: () => go(battle().length), theme: otherTheme,
  };
  for (const [id, act] of Object.entries(clicks)) el(id).addEventListener("click", act);
  el("scrub").addEventListener("input", () => go(Number(el("scrub").value)));
  el("speed").addEventListener("change", () => { state.speed = Number(el("speed").value); });
  el("zoom").addEventListener("change", zoom);
  field.addEventListener("click", (event) => {
    const unit = unitAt(battle(), state.time, event.offsetX, event.offsetY);
    if (unit !== null || state.chosen !== null) choose(unit ?? state.chosen);
  });
  chart.addEventListener("click", (event) => go((event.offsetX / chart.clientWidth) * battle().length));
  document.addEventListener("keydown", key);
  // What was clicked with a pointer keeps no focus, so that the space bar plays.
  document.addEventListener("click", (event) => { if (event.detail > 0) document.activeElement?.blur(); });
  addEventListener("resize", resize);
  addEventListener("hashchange", readAddress);
  resize();
  readAddress();
}

window.replay = { state, data, place, go, show, choose, lines: (number, at) => lines(data.episodes[number], at) };
start();
