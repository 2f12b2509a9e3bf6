// The recording read: units by name of column, what each does in a step, who was hit.
const data = JSON.parse(document.getElementById("recording").textContent);
const column = Object.fromEntries(data.fields.map((name, i) => [name, i]));
const FIRST_TARGET = 6;
const total = data.n_agents + data.n_enemies;

function get(frame, unit, name) {
  return frame.units[unit][column[name]];
}

function health(frame, unit) {
  return get(frame, unit, "hp") + get(frame, unit, "shield");
}

function kind(unit) {
  return data.kinds[get(data.episodes[0].frames[0], unit, "type")];
}

function isAlly(unit) {
  return unit < data.n_agents;
}

function label(unit) {
  return isAlly(unit) ? `A${unit}` : `E${unit - data.n_agents}`;
}

// What a unit may have at most: what it has at the start of a battle.
function full(battle, unit, name) {
  return get(battle.frames[0], unit, name);
}

// What action `number` of an agent says: {verb, target}, the target a unit or null.
function order(agent, number) {
  if (number < FIRST_TARGET) return { verb: data.actions[number], target: null };
  const slot = number - FIRST_TARGET;
  return kind(agent).heals ? { verb: "heal", target: slot } : { verb: "attack", target: data.n_agents + slot };
}

function words(agent, number) {
  const { verb, target } = order(agent, number);
  return target === null ? verb : `${verb} ${label(target)}`;
}

function distance(frame, a, b) {
  return Math.hypot(get(frame, a, "x") - get(frame, b, "x"), get(frame, a, "y") - get(frame, b, "y"));
}

function isHit(battle, step, unit) {
  const next = battle.frames[step + 1];
  return next !== undefined && health(next, unit) < health(battle.frames[step], unit);
}

// A weapon was fired in the step where its cooldown is longer afterwards.
function hasFired(battle, step, unit) {
  const next = battle.frames[step + 1];
  return next !== undefined && get(next, unit, "cooldown") > get(battle.frames[step], unit, "cooldown");
}

// Lines of a step: the allies' orders, and what the enemies aim at.
function lines(battle, step) {
  const frame = battle.frames[step], found = [];
  if (frame.actions === null) return found;
  frame.actions.forEach((number, agent) => {
    const { verb, target } = order(agent, number);
    if (target !== null) found.push({ from: agent, to: target, verb });
  });
  return found.concat("target" in column ? aims(battle, step) : guesses(battle, step));
}

// Who the enemies shoot at or heal as the step begins or, where that is nobody, as it ends.
function aims(battle, step) {
  const found = [], now = battle.frames[step], later = battle.frames[step + 1];
  for (let enemy = data.n_agents; enemy < total; enemy++) {
    const ends = [now, later].filter((frame) => get(frame, enemy, "alive")).map((frame) => get(frame, enemy, "target"));
    const to = ends.find((end) => end >= 0 && get(now, end, "alive"));
    if (to !== undefined) found.push({ from: enemy, to, verb: kind(enemy).heals ? "heal" : "aim" });
  }
  return found;
}

// For each enemy that fired the nearest ally that was hit.
function guesses(battle, step) {
  const found = [], frame = battle.frames[step];
  for (let enemy = data.n_agents; enemy < total; enemy++) {
    if (!hasFired(battle, step, enemy)) continue;
    let best = null;
    for (let ally = 0; ally < data.n_agents; ally++) {
      if (!isHit(battle, step, ally)) continue;
      if (best === null || distance(frame, enemy, ally) < distance(frame, enemy, best)) best = ally;
    }
    if (best !== null) found.push({ from: enemy, to: best, verb: "guess" });
  }
  return found;
}

// Sums over the steps so far: the return.
function returns(battle) {
  let sum = 0;
  return battle.frames.map((frame) => (sum += frame.reward));
}

// Health of a side as a share of what it began with.
function sideHealth(battle, frame, ally) {
  let now = 0, first = 0;
  for (let unit = 0; unit < total; unit++) {
    if (isAlly(unit) !== ally) continue;
    now += health(frame, unit);
    first += health(battle.frames[0], unit);
  }
  return now / first;
}
