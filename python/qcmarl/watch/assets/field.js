// The battlefield on its canvas. North is up; `box` is the part of the map that is shown, in cells.
const field = document.getElementById("field");
const SHAPES = [0, 4, 3, 6, 5, 8];  // corners of each type's outline; 0: a disc

const GROUND = { ".": "ground", "^": "cliff" };

const styles = getComputedStyle(document.documentElement);
function colour(name) {
  return styles.getPropertyValue(`--${name}`).trim();
}

// Types that are there, in the order in which they first appear, so that the commonest look plain.
const shapes = new Map();
for (let unit = 0; unit < total; unit++) {
  const name = kind(unit).name;
  if (!shapes.has(name)) shapes.set(name, SHAPES[shapes.size % SHAPES.length]);
}

function mapBox() {
  const box = { left: Infinity, right: -Infinity, bottom: Infinity, top: -Infinity };
  const include = (x, y, margin) => {
    box.left = Math.min(box.left, x - margin);
    box.right = Math.max(box.right, x + margin);
    box.bottom = Math.min(box.bottom, y - margin);
    box.top = Math.max(box.top, y + margin);
  };
  data.terrain.forEach((row, y) => {
    [...row].forEach((cell, x) => { if (cell in GROUND) include(x + 0.5, y + 0.5, 1); });
  });
  if (box.left === Infinity) return fightBox(data.episodes[0], 2);
  return box;
}

// Everywhere a living unit stands in a battle.
function fightBox(battle, margin) {
  const xs = [], ys = [];
  for (const frame of battle.frames) {
    for (let unit = 0; unit < total; unit++) {
      if (!get(frame, unit, "alive")) continue;
      xs.push(get(frame, unit, "x"));
      ys.push(get(frame, unit, "y"));
    }
  }
  return {
    left: Math.min(...xs) - margin, right: Math.max(...xs) + margin,
    bottom: Math.min(...ys) - margin, top: Math.max(...ys) + margin,
  };
}

const view = { box: mapBox(), scale: 1, width: 1, height: 1 };

// Fits the box to the shape of its column, so that a close up of two ranks is no strip, and the canvas to the box.
function layout(battle, closeUp) {
  view.box = closeUp ? fightBox(battle, 1.5) : mapBox();
  view.width = field.parentElement.clientWidth - 20;
  const tallest = Math.max(220, innerHeight * 0.68);
  if (closeUp) heighten(view.box, Math.min(tallest / view.width, view.width < 500 ? 0.8 : 0.5));
  const wide = view.box.right - view.box.left, high = view.box.top - view.box.bottom;
  view.scale = Math.min(view.width / wide, tallest / high);
  view.height = Math.round(view.scale * high);
  const dense = devicePixelRatio || 1;
  field.style.height = `${view.height}px`;
  field.width = Math.round(view.width * dense);
  field.height = Math.round(view.height * dense);
  field.getContext("2d").setTransform(dense, 0, 0, dense, 0, 0);
}

// Makes a box at least `share` as high as it is wide.
function heighten(box, share) {
  const lack = share * (box.right - box.left) - (box.top - box.bottom);
  if (lack <= 0) return;
  box.top += lack / 2;
  box.bottom -= lack / 2;
}

// From cells to pixels of the page within the canvas.
function place(x, y) {
  const slack = (view.width - view.scale * (view.box.right - view.box.left)) / 2;
  return [slack + (x - view.box.left) * view.scale, (view.box.top - y) * view.scale];
}

// A unit between step and the next; `share` of the way.
function between(battle, step, share, unit) {
  const now = battle.frames[step], next = battle.frames[Math.min(step + 1, battle.length)];
  const mix = (name) => get(now, unit, name) + share * (get(next, unit, name) - get(now, unit, name));
  const moves = get(next, unit, "alive");
  return {
    x: moves ? mix("x") : get(now, unit, "x"), y: moves ? mix("y") : get(now, unit, "y"),
    hp: mix("hp"), shield: mix("shield"), alive: get(now, unit, "alive"), fade: moves ? 1 : 1 - share,
  };
}

function draw(battle, time, chosen) {
  const step = Math.min(Math.floor(time), battle.length), share = time - step;
  const ink = field.getContext("2d");
  const units = Array.from({ length: total }, (_, unit) => between(battle, step, share, unit));
  ink.clearRect(0, 0, view.width, view.height);
  drawGround(ink);
  units.forEach((unit, i) => { if (!unit.alive) drawGrave(ink, battle, step, i); });
  if (chosen !== null && units[chosen].alive) drawReach(ink, units[chosen]);
  for (const line of lines(battle, step)) drawLine(ink, units[line.from], units[line.to], line.verb);
  const living = units.map((_, i) => i).filter((i) => units[i].alive && i !== chosen);
  if (chosen !== null && units[chosen].alive) living.push(chosen);  // in a crowd it is on top
  for (const i of living) drawBody(ink, units[i], i, isHit(battle, step, i), i === chosen);
  for (const i of living) drawBars(ink, battle, units[i], i);
}

function drawGround(ink) {
  ink.fillStyle = colour("wall");
  ink.fillRect(0, 0, view.width, view.height);
  data.terrain.forEach((row, y) => {
    [...row].forEach((cell, x) => {
      if (!(cell in GROUND)) return;
      const [left, top] = place(x, y + 1);
      ink.fillStyle = colour("grid");
      ink.fillRect(left - 0.5, top - 0.5, view.scale + 1, view.scale + 1);
      ink.fillStyle = colour(GROUND[cell]);
      ink.fillRect(left + 0.5, top + 0.5, view.scale - 1, view.scale - 1);
    });
  });
}

function drawGrave(ink, battle, step, unit) {
  let died = step;
  while (died > 0 && !get(battle.frames[died], unit, "alive")) died--;
  const [x, y] = place(get(battle.frames[died], unit, "x"), get(battle.frames[died], unit, "y"));
  const arm = 0.22 * view.scale;
  ink.globalAlpha = 0.45;
  ink.strokeStyle = colour(isAlly(unit) ? "ally" : "enemy");
  ink.lineWidth = 1.5;
  ink.beginPath();
  ink.moveTo(x - arm, y - arm);
  ink.lineTo(x + arm, y + arm);
  ink.moveTo(x + arm, y - arm);
  ink.lineTo(x - arm, y + arm);
  ink.stroke();
  ink.globalAlpha = 1;
}

function drawReach(ink, unit) {
  const [x, y] = place(unit.x, unit.y);
  ink.strokeStyle = colour("chosen");
  for (const [radius, dashes] of [[data.sight, [6, 6]], [data.shooting_range, []]]) {
    ink.setLineDash(dashes);
    ink.lineWidth = 1.25;
    ink.beginPath();
    ink.arc(x, y, radius * view.scale, 0, 2 * Math.PI);
    ink.stroke();
  }
  ink.setLineDash([]);
}

function drawLine(ink, from, to, verb) {
  const [x, y] = place(from.x, from.y), [u, v] = place(to.x, to.y);
  // Two that shoot at each other: the enemy's line runs beside the ally's.
  const beside = verb === "guess" || verb === "aim" ? 3 / (Math.hypot(u - x, v - y) || 1) : 0, dx = beside * (y - v), dy = beside * (u - x);
  ink.strokeStyle = colour(verb === "heal" ? "heal" : verb === "attack" ? "ally" : "enemy");
  ink.setLineDash(verb === "guess" ? [3, 4] : []);
  ink.lineWidth = 1.5;
  ink.globalAlpha = 0.75;
  ink.beginPath();
  ink.moveTo(x + dx, y + dy);
  ink.lineTo(u + dx, v + dy);
  ink.stroke();
  ink.globalAlpha = 1;
  ink.setLineDash([]);
}

function outline(ink, x, y, radius, corners) {
  ink.beginPath();
  if (corners === 0) {
    ink.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  for (let i = 0; i < corners; i++) {
    const angle = (2 * Math.PI * (i + (corners % 2 ? 0 : 0.5))) / corners - Math.PI / 2;
    ink.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
  }
  ink.closePath();
}

function drawBody(ink, unit, i, hit, isChosen) {
  const [x, y] = place(unit.x, unit.y), radius = kind(i).radius * view.scale;
  ink.globalAlpha = Math.max(unit.fade, 0.15);
  outline(ink, x, y, radius, shapes.get(kind(i).name));
  ink.fillStyle = colour(isAlly(i) ? "ally" : "enemy");
  ink.fill();
  ink.lineWidth = hit ? Math.min(2.5, 0.3 * radius) : Math.min(1, 0.15 * radius);
  ink.strokeStyle = colour(hit ? "low" : "ground");
  ink.stroke();
  if (isChosen) {
    outline(ink, x, y, radius + 3, 0);
    ink.lineWidth = 2;
    ink.strokeStyle = colour("chosen");
    ink.stroke();
  }
  drawName(ink, x, y, radius, i);
  ink.globalAlpha = 1;
}

// Where all units are of one type its mark says nothing: then their numbers stand alone.
function drawName(ink, x, y, radius, unit) {
  const number = label(unit).slice(1), mark = kind(unit).mark;
  ink.fillStyle = colour("ink");
  ink.textAlign = "center";
  ink.textBaseline = "middle";
  const write = (text, height, dy) => {
    ink.font = `700 ${Math.round(height / Math.sqrt(text.length))}px system-ui, "DejaVu Sans", sans-serif`;
    ink.fillText(text, x, y + dy);
  };
  const corners = shapes.get(kind(unit).name), room = corners === 3 ? 0.7 * radius : radius;
  if (radius < 5) return;
  if (shapes.size === 1) write(number, 1.1 * room, 0.08 * radius);
  else if (room < 14) write(mark, 1.2 * room, 0.08 * radius);
  else {
    write(mark, 0.95 * room, -0.2 * room);
    write(number, 0.65 * room, 0.5 * room);
  }
}

function drawBars(ink, battle, unit, i) {
  const radius = kind(i).radius * view.scale, [x, middle] = place(unit.x, unit.y);
  const width = Math.max(10, 1.7 * radius), thick = clampBar(view.scale / 9), top = middle - radius - thick / 2;
  const hp = unit.hp / full(battle, i, "hp"), shield = full(battle, i, "shield");
  const bar = (share, from, name) => {
    ink.fillStyle = colour("empty");
    ink.fillRect(x - width / 2, from, width, thick);
    ink.fillStyle = colour(name);
    ink.fillRect(x - width / 2, from, width * Math.max(0, Math.min(1, share)), thick);
    ink.lineWidth = 0.75;
    ink.strokeStyle = colour("ink");
    ink.strokeRect(x - width / 2, from, width, thick);
  };
  ink.globalAlpha = Math.max(unit.fade, 0.15);
  bar(hp, top, hp > 0.35 ? "health" : "low");
  if (shield > 0) bar(unit.shield / shield, top - thick, "shield");
  ink.globalAlpha = 1;
}

function clampBar(pixels) {
  return Math.round(Math.max(3, Math.min(6, pixels)));
}

// The living unit at a point of the canvas, or null.
function unitAt(battle, time, px, py) {
  const step = Math.min(Math.floor(time), battle.length);
  let best = null, least = Infinity;
  for (let i = 0; i < total; i++) {
    const unit = between(battle, step, time - step, i);
    if (!unit.alive) continue;
    const [x, y] = place(unit.x, unit.y), away = Math.hypot(px - x, py - y);
    if (away < least && away <= Math.max(16, kind(i).radius * view.scale)) [best, least] = [i, away];
  }
  return best;
}
