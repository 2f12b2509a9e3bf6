// What stands beside the field: the line above it, the chosen unit, the list of units, the chart.
const chart = document.getElementById("chart");
const SHOWN = 12;  // most probable actions of a unit that are listed

function make(tag, text, name) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (name) element.className = name;
  return element;
}

// Columns that this environment adds, such as energy.
const KNOWN = ["team", "type", "x", "y", "hp", "shield", "cooldown", "alive", "target"];
const extra = data.fields.filter((name) => !KNOWN.includes(name));

function fixed(value, digits) {
  return Number(value).toFixed(digits);
}

function showStatus(battle, number, step) {
  const sum = returns(battle)[step], frame = battle.frames[step];
  const ended = step === battle.length;
  const parts = [
    `battle ${number + 1} of ${data.episodes.length}`, `step ${step} of ${battle.length}`,
    `${fixed(step * data.seconds_per_step, 1)} game s`, `reward ${fixed(frame.reward, 2)}`, `return ${fixed(sum, 2)}`,
  ];
  if (ended) parts.push(battle.outcome.toUpperCase());
  document.getElementById("status").textContent = parts.join(" \u00b7 ");
}

function does(battle, step, unit) {
  const frame = battle.frames[step];
  if (!get(frame, unit, "alive")) return "dead";
  if (!isAlly(unit)) return enemyDoes(battle, step, unit);
  return frame.actions === null ? "" : words(unit, frame.actions[unit]);
}

function enemyDoes(battle, step, unit) {
  const fires = hasFired(battle, step, unit) ? "fires" : "";
  const aim = "target" in column ? lines(battle, step).find((line) => line.from === unit) : undefined;
  if (aim === undefined) return fires;
  return `${aim.verb === "heal" ? "heals" : fires ? "fires at" : "aims at"} ${label(aim.to)}`;
}

function points(battle, frame, unit, name) {
  return `${fixed(get(frame, unit, name), 1)} / ${fixed(full(battle, unit, name), 0)}`;
}

function showCard(battle, step, unit) {
  const card = document.getElementById("card");
  card.replaceChildren();
  if (unit === null) {
    card.append(make("p", "Choose a unit on the field or in the list to see its sight, its range and its actions.", "dim"));
    return;
  }
  const frame = battle.frames[step], side = isAlly(unit) ? "ally" : "enemy";
  card.append(make("h2", `${label(unit)}: ${side} ${kind(unit).name.replaceAll("_", " ")}`, side));
  const facts = [`hp ${points(battle, frame, unit, "hp")}`];
  if (full(battle, unit, "shield") > 0) facts.push(`shield ${points(battle, frame, unit, "shield")}`);
  facts.push(`at (${fixed(get(frame, unit, "x"), 2)}, ${fixed(get(frame, unit, "y"), 2)})`);
  facts.push(`cooldown ${fixed(get(frame, unit, "cooldown"), 1)}`);
  for (const name of extra) {
    if (battle.frames.some((other) => get(other, unit, name) !== 0)) facts.push(`${name} ${fixed(get(frame, unit, name), 1)}`);
  }
  card.append(make("p", facts.join(" \u00b7 ")));
  const now = does(battle, step, unit);
  if (now) card.append(make("p", `now: ${now}`));
  if (isAlly(unit)) card.append(law(frame, unit));
}

// The agent's actions by probability, the one taken in bold; masked actions have none.
function law(frame, agent) {
  if (frame.probabilities === null || !get(frame, agent, "alive")) {
    const why = frame.actions === null ? "The battle is over." : "No probabilities: the unit is dead or follows a script.";
    return make("p", why, "dim");
  }
  const box = make("div", undefined, "law");
  const ranked = frame.probabilities[agent].map((p, action) => ({ p, action })).filter((entry) => entry.p > 0);
  ranked.sort((a, b) => b.p - a.p || a.action - b.action);
  for (const { p, action } of ranked.slice(0, SHOWN)) {
    const taken = action === frame.actions[agent];
    const bar = make("span", undefined, "bar"), fill = make("i");
    fill.style.width = `${100 * p}%`;
    bar.append(fill);
    box.append(make("span", (taken ? "\u25b8 " : "") + words(agent, action), taken ? "taken" : ""), bar);
    box.append(make("span", `${fixed(100 * p, 1)}%`, "number"));
  }
  return box;
}

function showList(battle, step, chosen, choose) {
  const table = make("table"), head = make("tr"), body = make("tbody"), frame = battle.frames[step];
  const shields = data.fields.includes("shield") && battle.frames[0].units.some((row) => row[column.shield] > 0);
  const columns = ["x", "y", "hp", ...(shields ? ["shield"] : [])];
  head.append(make("th", "unit"), make("th", "type"), ...columns.map((name) => make("th", name, "number")), make("th", "does"));
  for (let unit = 0; unit < total; unit++) {
    const alive = get(frame, unit, "alive");
    const row = make("tr", undefined, [unit === chosen && "chosen", !alive && "dead"].filter(Boolean).join(" "));
    row.append(make("td", label(unit), isAlly(unit) ? "ally" : "enemy"), make("td", kind(unit).name.replaceAll("_", " ")));
    for (const name of columns) row.append(make("td", fixed(get(frame, unit, name), name.length > 1 ? 0 : 1), "number"));
    row.append(make("td", does(battle, step, unit)));
    row.addEventListener("click", () => choose(unit));
    body.append(row);
  }
  const top = make("thead");
  top.append(head);
  table.append(top, body);
  const list = document.getElementById("list"), scrolled = list.scrollTop;
  list.replaceChildren(table);
  list.scrollTop = scrolled;
}

function showKey() {
  const key = document.getElementById("key");
  const marks = [...shapes.keys()].map((name) => {
    const found = data.kinds.find((entry) => entry.name === name);
    return `${found.mark} ${name.replaceAll("_", " ")}`;
  });
  const types = shapes.size === 1 ? `, all ${[...shapes.keys()][0].replaceAll("_", " ")}s` : `; ${marks.join(", ")}`;
  key.replaceChildren(make("b", "allies A", "ally"), ", ", make("b", "enemies E", "enemy"), `${types}, with their numbers. `);
  const enemies = "target" in column ? "whom enemies aim at"
    : "dashed, an enemy fired; whom at is not recorded, the line leads to the nearest ally that was hit";
  key.append(
    "Lines: attacks ordered in this step; healing in green; ", enemies, ". ",
    `Red rim: hit in this step. Around the chosen unit: sight ${data.sight} (dashed) and shooting range ${data.shooting_range}. `,
    "Chart: ", make("b", "allies' health", "ally"), ", ", make("b", "enemies' health", "enemy"), ", return (grey).",
  );
}

function drawChart(battle, time) {
  const dense = devicePixelRatio || 1, width = chart.parentElement.clientWidth - 20, height = 84;
  chart.width = Math.round(width * dense);
  chart.height = Math.round(height * dense);
  const ink = chart.getContext("2d");
  ink.setTransform(dense, 0, 0, dense, 0, 0);
  const sums = returns(battle), low = Math.min(0, ...sums), high = Math.max(1e-9, ...sums);
  const curves = [
    [sums.map((sum) => (sum - low) / (high - low)), "dim"],
    [battle.frames.map((frame) => sideHealth(battle, frame, true)), "ally"],
    [battle.frames.map((frame) => sideHealth(battle, frame, false)), "enemy"],
  ];
  ink.fillStyle = colour("ground");
  ink.fillRect(0, 0, width, height);
  for (const [values, name] of curves) {
    ink.strokeStyle = colour(name);
    ink.lineWidth = 1.75;
    ink.beginPath();
    values.forEach((value, step) => ink.lineTo((width * step) / battle.length, height - 4 - value * (height - 8)));
    ink.stroke();
  }
  ink.fillStyle = colour("text");
  ink.fillRect((width * time) / battle.length - 0.75, 0, 1.5, height);
}
