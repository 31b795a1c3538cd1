'use strict';
/* The page: reads /events, draws, and looks customers up. Text from outside goes into text nodes and attributes only. */

const SPAN_S = 300; /* what charts show, once there is so much */
const COLOURS = 8;
const ALERTS_KEPT = 200;
const ALERTS_SHOWN = 60;
const LETTERS_KEPT = 50;

const $ = (id) => document.getElementById(id);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === 'onclick') node.addEventListener('click', value);
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) node.append(child);
  return node;
}
const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const svg = (tag, attributes, ...children) => fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);

/* ---- how numbers read ---- */

const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const count = (n) => (Math.abs(n) < 10000 ? plain.format(Math.round(n)) : short.format(n));

/* [figure, unit] */
function lengthOf(seconds) {
  if (seconds === null || seconds === undefined) return ['–', ''];
  if (seconds < 0.0005) return ['0', 's'];
  if (seconds < 1) return [plain.format(Math.round(seconds * 1000)), 'ms'];
  if (seconds < 100) return [plain.format(seconds), 's'];
  if (seconds < 5400) return [plain.format(seconds < 600 ? seconds / 60 : Math.round(seconds / 60)), 'min'];
  if (seconds < 172800) return [plain.format(seconds / 3600), 'h'];
  return [plain.format(seconds / 86400), 'days'];
}
const lengthText = (seconds) => lengthOf(seconds).join(' ').trim();
const clock = (t) => new Date(t).toLocaleTimeString('en-GB');
const when = (text) => { const t = new Date(text); return isNaN(t) ? String(text) : `${t.toISOString().slice(0, 10)} ${t.toISOString().slice(11, 19)} UTC`; };

/* ---- what is known ---- */

const history = { t: [], seconds: [], records: [], rate: [], p50: [], p99: [], alerts: [], letters: [] };
const partitions = new Map(); /* "source/partition" → { source, partition, colour, now, t, seconds, records } */
const ticks = []; /* commit counts of the last minute: { t, counts, bounds } */
let alerts = [];
let held = []; /* that came while the list is paused */
let letters = [];
let paused = false;
let unit = 'seconds';
let lit = null; /* the partition that is pointed at */

function remember(list, value) { list.push(value); }
function forget(now) {
  while (history.t.length && history.t[0] < now - SPAN_S * 1000) for (const list of Object.values(history)) list.shift();
  for (const [key, one] of partitions) {
    while (one.t.length && one.t[0] < now - SPAN_S * 1000) { one.t.shift(); one.seconds.shift(); one.records.shift(); }
    if (!one.t.length) partitions.delete(key);
  }
  while (ticks.length > 1 && ticks[1].t < now - 60000) ticks.shift();
}

/* The quantile of what was counted between two ticks, from cumulative counts by bound; null: nothing was. */
function quantile(q, then, now) {
  const last = now.counts.length - 1;
  const at = (i) => now.counts[i] - (then ? then.counts[i] : 0);
  const total = at(last);
  if (total <= 0) return null;
  for (let i = 0; i < last; i++) {
    if (at(i) < q * total) continue;
    const low = i === 0 ? 0 : now.bounds[i - 1], below = i === 0 ? 0 : at(i - 1), inside = at(i) - below;
    return low + (now.bounds[i] - low) * (inside > 0 ? (q * total - below) / inside : 1);
  }
  return now.bounds[last - 1];
}

function take(tick, now) {
  const seen = new Set();
  for (const lag of tick.lags || []) {
    const key = `${lag.source}/${lag.partition}`;
    let one = partitions.get(key);
    if (!one) partitions.set(key, one = { source: lag.source, partition: lag.partition, colour: partitions.size % COLOURS, t: [], seconds: [], records: [] });
    one.now = lag;
    one.t.push(now); one.seconds.push(lag.seconds); one.records.push(lag.records);
    seen.add(key);
  }
  for (const [key, one] of partitions) if (!seen.has(key)) one.now = null;
  const commits = tick.commits ? { t: now, counts: tick.commits.counts, bounds: tick.commits.bounds } : null;
  if (commits) ticks.push(commits);
  forget(now);
  remember(history.t, now);
  remember(history.seconds, tick.lag_seconds === undefined ? null : tick.lag_seconds);
  remember(history.records, tick.lag_records === undefined ? null : tick.lag_records);
  remember(history.rate, tick.rate === undefined ? null : tick.rate);
  remember(history.p50, commits && quantile(0.5, ticks.length > 1 ? ticks[0] : null, commits));
  remember(history.p99, commits && quantile(0.99, ticks.length > 1 ? ticks[0] : null, commits));
  remember(history.alerts, (tick.rules || []).reduce((sum, rule) => sum + rule.raised, 0));
  remember(history.letters, tick.dead_letters || 0);
}

/* ---- charts ---- */

/* Whole minutes, one at least: a page that was just opened is not mostly empty. */
function spanMs() {
  const known = history.t.length ? Date.now() - history.t[0] : 0;
  return Math.min(SPAN_S, Math.max(1, Math.ceil(known / 60000)) * 60) * 1000;
}

/* A round number at or above `value`, so that a scale does not jump with each tick. */
function ceiling(value, least) {
  if (!(value > least)) return least;
  const power = 10 ** Math.floor(Math.log10(value));
  for (const step of [1, 1.5, 2, 3, 4, 5, 7.5, 10]) if (value <= step * power) return step * power;
  return 10 * power;
}

function pathOf(t, values, x, y) {
  let d = '', pen = false;
  for (let i = 0; i < t.length; i++) {
    if (values[i] === null || values[i] === undefined) { pen = false; continue; }
    d += `${pen ? 'L' : 'M'}${x(t[i]).toFixed(1)} ${y(values[i]).toFixed(1)}`;
    pen = true;
  }
  return d;
}

/* series: [{ name, t, values, colour, area, dim, lit }]; options: { least, format, label } */
function draw(box, series, options) {
  const width = box.clientWidth, height = box.clientHeight;
  if (!width || document.hidden) return;
  const left = 52, right = 8, top = 8, bottom = 22;
  const end = Date.now(), begin = end - spanMs();
  let most = 0;
  for (const one of series) for (const value of one.values) if (value > most) most = value;
  const high = ceiling(most, options.least);
  const x = (t) => left + (Math.max(t, begin) - begin) / (end - begin) * (width - left - right);
  const y = (value) => top + (1 - value / high) * (height - top - bottom);
  const image = svg('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': options.label(series) });
  for (let i = 0; i <= 4; i++) {
    const value = high * i / 4;
    image.append(svg('line', { class: 'grid', x1: left, x2: width - right, y1: y(value), y2: y(value) }),
      svg('text', { x: left - 8, y: y(value) + 4, 'text-anchor': 'end' }, options.format(value)));
  }
  for (const part of width < 420 ? [0.5, 1] : [0.25, 0.5, 0.75, 1]) {
    const ago = (end - begin) * part / 1000;
    image.append(svg('text', { x: x(end - ago * 1000), y: height - 4, 'text-anchor': part === 1 ? 'start' : 'middle' }, ago % 60 === 0 ? `−${ago / 60} min` : `−${ago} s`));
  }
  image.append(svg('text', { x: width - right, y: height - 4, 'text-anchor': 'end' }, 'now'));
  for (const one of series) {
    const line = pathOf(one.t, one.values, x, y);
    if (!line) continue;
    const colour = `s${one.colour}`;
    const first = one.values.findIndex((value) => value !== null && value !== undefined);
    if (one.area) image.append(svg('path', { class: `area ${colour}`, d: `${line}L${x(one.t[one.t.length - 1]).toFixed(1)} ${y(0)}L${x(one.t[first]).toFixed(1)} ${y(0)}Z` }));
    image.append(svg('path', { class: `${colour}${one.dim ? ' dim' : ''}${one.lit ? ' lit' : ''}`, d: line }));
  }
  if (!series.some((one) => one.values.some((value) => value !== null && value !== undefined)))
    image.append(svg('text', { class: 'none', x: (left + width) / 2, y: height / 2 }, 'waiting for numbers'));
  const old = box.querySelector('svg');
  if (old) old.replaceWith(image); else box.append(image);
  box.chart = { series, x, begin, end, left, right, width, top, bottom, height, format: options.format };
  if (box.pointer !== undefined) point(box, box.pointer);
}

function point(box, at) {
  const chart = box.chart;
  box.pointer = at;
  for (const old of box.querySelectorAll('.tip, .cross')) old.remove();
  if (at === undefined || !chart || at < chart.left || at > chart.width - chart.right) return;
  const t = chart.begin + (at - chart.left) / (chart.width - chart.left - chart.right) * (chart.end - chart.begin);
  const rows = [];
  for (const one of chart.series) {
    let best = -1;
    for (let i = 0; i < one.t.length; i++) if (best < 0 || Math.abs(one.t[i] - t) < Math.abs(one.t[best] - t)) best = i;
    if (best >= 0 && Math.abs(one.t[best] - t) < 6000 && one.values[best] !== null && one.values[best] !== undefined) rows.push([one, one.values[best]]);
  }
  if (!rows.length) return;
  rows.sort((a, b) => b[1] - a[1]);
  box.querySelector('svg').append(svg('line', { class: 'cross', x1: at, x2: at, y1: chart.top, y2: chart.height - chart.bottom }));
  const tip = el('div', { class: 'tip' }, el('div', {}, clock(t)),
    rows.slice(0, 8).map(([one, value]) => el('div', {}, el('span', { class: `key k${one.colour}` }), `${one.name} `, el('b', {}, chart.format(value)))),
    rows.length > 8 ? el('div', {}, `and ${rows.length - 8} more`) : null);
  box.append(tip);
  tip.style.left = `${at + 14 + tip.offsetWidth > chart.width ? at - 14 - tip.offsetWidth : at + 14}px`;
}

/* The last five minutes of a tile; `values` as long as history.t. */
function spark(box, values) {
  const known = values.filter((value) => value !== null && value !== undefined);
  if (known.length < 2) return;
  const high = Math.max(...known, 1e-9), end = history.t[history.t.length - 1];
  const x = (t) => 100 - (end - t) / spanMs() * 100, y = (value) => 30 - value / high * 27;
  const line = pathOf(history.t, values, x, y);
  box.replaceChildren(svg('svg', { viewBox: '0 0 100 32', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('path', { class: 'fill', d: `${line}L100 32L${x(history.t[0]).toFixed(1)} 32Z` }), svg('path', { class: 'line', d: line })));
}

/* How much a count has grown over the ten seconds before each tick. */
function growth(values) {
  let from = 0;
  return values.map((value, i) => {
    while (history.t[from + 1] <= history.t[i] - 10000) from++;
    return Math.max(0, value - values[from]);
  });
}

/* ---- the parts of the page ---- */

const KINDS = { ok: 'fine', restoring: 'wait', lagging: 'warn', stalled: 'bad', stopped: 'bad' };
const nameOf = (one) => `${one.source} ${one.partition}`;

function figure(id, [number, unitText], tone) {
  const node = $(id);
  node.replaceChildren(number, unitText ? el('small', {}, unitText) : '');
  if (tone) node.dataset.tone = tone; else delete node.dataset.tone;
}

function showTiles() {
  const last = (list) => list[list.length - 1];
  const seconds = last(history.seconds);
  figure('tile-seconds', lengthOf(seconds), seconds > 300 ? 'bad' : seconds > 30 ? 'warn' : null);
  figure('tile-records', [last(history.records) === null ? '–' : count(last(history.records)), '']);
  figure('tile-rate', [last(history.rate) === null ? '–' : count(last(history.rate)), '/s']);
  figure('tile-commit', lengthOf(last(history.p99)));
  figure('tile-alerts', [count(last(history.alerts)), '']);
  figure('tile-letters', [count(last(history.letters)), ''], last(history.letters) > 0 ? 'warn' : null);
  const minutes = Math.max(1, Math.round((Date.now() - history.t[0]) / 60000));
  const since = (list) => `since it started, ${count(Math.max(0, last(list) - list[0]))} in ${minutes} min`;
  $('note-alerts').textContent = since(history.alerts);
  $('note-letters').textContent = since(history.letters);
  for (const name of ['seconds', 'records', 'rate']) spark($(`spark-${name}`), history[name]);
  spark($('spark-commit'), history.p99);
  spark($('spark-alerts'), growth(history.alerts));
  spark($('spark-letters'), growth(history.letters));
}

function showCharts() {
  const all = [...partitions.values()];
  const format = unit === 'seconds' ? lengthText : count;
  draw($('chart-lag'), all.map((one) => ({ name: nameOf(one), t: one.t, values: one[unit], colour: one.colour, dim: lit !== null && lit !== nameOf(one), lit: lit === nameOf(one) })),
    { least: unit === 'seconds' ? 1 : 10, format, label: () => `Lag of ${all.length} partitions in ${unit} over five minutes; the table beside it has the numbers` });
  draw($('chart-rate'), [{ name: 'throughput', t: history.t, values: history.rate, colour: 0, area: true }],
    { least: 10, format: count, label: () => `Throughput over five minutes, now ${count(history.rate[history.rate.length - 1] || 0)} records a second` });
  draw($('chart-commit'), [{ name: 'median', t: history.t, values: history.p50, colour: 0 }, { name: '99th percentile', t: history.t, values: history.p99, colour: 2 }],
    { least: 0.05, format: lengthText, label: () => `Commit latency over five minutes, 99th percentile now ${lengthText(history.p99[history.p99.length - 1])}` });
}

function showPartitions(tick) {
  const rows = [...partitions.values()].filter((one) => one.now).sort((a, b) => a.source.localeCompare(b.source) || a.partition - b.partition);
  $('partitions').replaceChildren(...rows.map((one) => {
    const row = el('tr', {}, el('th', { scope: 'row' }, el('span', { class: `key k${one.colour}`, 'aria-hidden': 'true' }), nameOf(one)),
      el('td', {}, el('span', { class: 'badge', 'data-kind': KINDS[one.now.status] || 'wait' }, one.now.status)),
      el('td', { class: 'number' }, lengthText(one.now.seconds)), el('td', { class: 'number' }, count(one.now.records)),
      el('td', { class: 'number rate' }, `${count(one.now.rate)}/s`));
    row.addEventListener('pointerenter', () => { lit = nameOf(one); showCharts(); });
    row.addEventListener('pointerleave', () => { lit = null; showCharts(); });
    return row;
  }));
  const left = (tick.lag_count || 0) - rows.length;
  $('partitions-empty').hidden = rows.length > 0 && left <= 0;
  $('partitions-empty').textContent = rows.length === 0 ? 'No partitions yet.' : `The ${rows.length} furthest behind; ${left} more are not shown.`;
}

function showRestore(tick) {
  const list = tick.restore || [];
  $('restore').hidden = list.length === 0;
  if (!list.length) return;
  $('restore-title').textContent = list.some((one) => one.state === 'blocked') ? 'Some partitions wait' : 'Restoring';
  $('restore-text').textContent = `${tick.tasks_ready} of ${tick.tasks} partitions are at work${tick.eta === null ? '' : `, the rest in about ${lengthText(tick.eta)}`}.`;
  $('restore-list').replaceChildren(...list.map((one) => {
    const done = one.target > 0 ? Math.max(0, Math.min(1, 1 - one.remaining / one.target)) : 0;
    const text = one.blocked ? `waits: ${one.blocked}` : `${count(one.remaining)} records to go${one.eta === null ? '' : `, ${lengthText(one.eta)}`}`;
    return el('li', {}, `Partition ${one.partition}: ${text}`, one.blocked ? null : el('progress', { max: 1, value: done, 'aria-label': `Partition ${one.partition} restored` }));
  }));
}

function showRules(tick) {
  const fired = (rule) => (rule.mode === 'shadow' ? rule.shadow : rule.raised);
  const rules = [...(tick.rules || [])].sort((a, b) => fired(b) - fired(a));
  const most = Math.max(1, ...rules.map(fired));
  $('rules-empty').hidden = rules.length > 0;
  $('rules').replaceChildren(...rules.slice(0, 12).map((rule) => el('li', {},
    el('div', { class: 'line' }, el('span', { class: 'name' }, rule.rule, ' ', el('span', { class: 'aside' }, rule.mode === 'live' ? rule.severity : { shadow: 'in shadow, tells nobody', off: 'off' }[rule.mode])), el('b', {}, count(fired(rule)))),
    el('progress', { max: most, value: fired(rule), 'aria-label': `${rule.rule} fired` }),
    rule.errors > 0 ? el('p', { class: 'errors' }, `${count(rule.errors)} evaluations failed`) : null)));
  const select = $('alerts-rule');
  if (select.options.length !== rules.length + 1) {
    const chosen = select.value;
    select.replaceChildren(el('option', { value: '' }, 'All rules'), ...rules.map((rule) => rule.rule).sort().map((name) => el('option', { value: name }, name)));
    select.value = chosen;
  }
}

const STATES = { ready: ['fine', 'Ready'], starting: ['wait', 'Starting'], joining: ['wait', 'Joining'], restoring: ['wait', 'Restoring'], blocked: ['bad', 'Waiting'], stopping: ['wait', 'Stopping'] };
function pill(id, kind, text) {
  $(id).dataset.kind = kind;
  if ($(`${id}-text`).textContent !== text) $(`${id}-text`).textContent = text;
}

function show(tick) {
  const [kind, word] = STATES[tick.state] || ['wait', tick.state];
  pill('ready', kind, tick.state === 'restoring' && tick.tasks ? `${word} ${tick.tasks_ready}/${tick.tasks}` : word);
  $('ready').title = tick.reason || '';
  $('app').textContent = tick.app || '';
  $('instance').textContent = tick.instance ? `${tick.instance}, ${tick.tasks} of ${tick.partitions} partitions${tick.group_state ? `, group ${tick.group_state.toLowerCase()}` : ''}` : tick.reason;
  $('plan').textContent = tick.plan_version ? `plan ${tick.plan_version}, started ${when(tick.started_at)}` : '';
  document.title = `${tick.lag_seconds > 30 ? `${lengthText(tick.lag_seconds)} behind · ` : ''}ringfold ${tick.app || ''}`;
  showTiles();
  showPartitions(tick);
  showRestore(tick);
  showRules(tick);
  showCharts();
}

/* ---- alerts and dead letters ---- */

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const precise = new Intl.NumberFormat('en', { maximumSignificantDigits: 6, useGrouping: false });
const valueText = (value) => (value === null ? 'none' : typeof value === 'number' && !Number.isInteger(value) ? precise.format(value) : typeof value === 'object' ? JSON.stringify(value) : INSTANT.test(value) ? when(value) : String(value));
const chips = (reasons) => (reasons || []).length ? el('div', { class: 'chips' }, reasons.map((one) => el('span', { class: 'chip' }, `${one.name} `, el('b', {}, valueText(one.value))))) : null;

function alertNode(one, isNew) {
  const event = one.event;
  const status = event.status && event.status !== 'RAISED' ? ` ${event.status.toLowerCase()}` : '';
  return el('li', { class: `alert ${['low', 'medium', 'high', 'critical'].includes(event.severity) ? event.severity : ''}${isNew ? ' new' : ''}` },
    el('div', { class: 'line' }, el('span', { class: 'rule' }, event.rule || 'event', status), el('span', { class: 'severity' }, event.severity || ''),
      el('button', { type: 'button', class: 'link', 'aria-label': `Look up customer ${valueText(event.customer)}`, onclick: () => lookUp(String(event.customer), true) }, valueText(event.customer)),
      el('time', { datetime: one.committed_at, title: `event time ${when(event.occurred_at)}` }, clock(one.committed_at))),
    event.because ? el('p', { class: 'why' }, event.because) : null, chips(event.reasons));
}

/* What stays in a list is left where it is, so that it keeps the focus and stays open. */
function showList(list, wanted, makeNode) {
  const keys = new Set(wanted.map((one) => String(one.key)));
  for (const node of [...list.children]) if (!keys.has(node.dataset.key)) node.remove();
  const there = new Map([...list.children].map((node) => [node.dataset.key, node]));
  let at = list.firstElementChild;
  for (const one of wanted) {
    const node = there.get(String(one.key)) || makeNode(one);
    node.dataset.key = one.key;
    if (node === at) at = at.nextElementSibling;
    else list.insertBefore(node, at);
  }
}

function showAlerts(fresh) {
  const rule = $('alerts-rule').value;
  const wanted = alerts.filter((one) => !rule || one.event.rule === rule).slice(0, ALERTS_SHOWN);
  showList($('alerts'), wanted, (one) => alertNode(one, fresh && fresh.has(one.key)));
  $('alerts-empty').hidden = wanted.length > 0;
  $('alerts-pause').textContent = paused ? `Go on${held.length ? ` (${held.length} new)` : ''}` : 'Pause';
}

let arriving = [];
function takeAlert(one) {
  if (!arriving.length) setTimeout(flushAlerts, 100); /* many at once are drawn once */
  arriving.push(one);
}
function flushAlerts() {
  const fresh = arriving.filter((one) => !alerts.some((other) => other.key === one.key)).reverse();
  arriving = [];
  if (paused) held = [...fresh, ...held].slice(0, ALERTS_KEPT);
  else {
    alerts = [...fresh, ...alerts].slice(0, ALERTS_KEPT);
    if (fresh.length && heard) $('announce').textContent = fresh.length === 1 ? `New alert: ${fresh[0].event.rule}` : `${fresh.length} new alerts`;
  }
  showAlerts(new Set(fresh.map((one) => one.key)));
}

function takeLetter(one) {
  if (letters.some((other) => other.key === one.key)) return;
  letters = [one, ...letters].slice(0, LETTERS_KEPT);
  showList($('letters'), letters, ({ committed_at, event }) => el('li', {},
    el('details', {},
      el('summary', {}, el('b', {}, event.class || 'unknown'), ` ${event.topic} ${event.partition}, offset ${event.offset}`, el('time', { datetime: committed_at }, clock(committed_at))),
      el('div', { class: 'inside' }, el('p', {}, event.message || ''), el('p', { class: 'aside' }, `message of ${when(event.time)}; with its payload:`),
        el('code', {}, `ringfold dlq list -c FILE --topic ${event.topic} --class ${event.class}`)))));
  $('letters-empty').hidden = true;
  $('letters-aside').textContent = letters.length > 1 ? `the last ${letters.length}` : '';
}

/* ---- a customer ---- */

/* Whatever the value is, on one line. */
function lineText(value) {
  if (Array.isArray(value)) return value.map(lineText).join('; ') || 'none';
  if (value === null || typeof value !== 'object') return valueText(value);
  return Object.entries(value).map(([key, inner]) => `${key.replace(/_/g, ' ')} ${lineText(inner)}`).join(', ') || 'none';
}

function pairs(object) {
  const list = el('dl', { class: 'pairs' });
  for (const [name, value] of Object.entries(object)) {
    const text = lineText(value);
    list.append(el('dt', {}, name), el('dd', { class: text === 'none' ? 'none' : null }, text));
  }
  return list;
}

function ageText(as_of) {
  if (as_of.restoring) return `An older state: its store is being brought up to date${as_of.restore_eta_seconds === null ? '' : `, which takes ${lengthText(as_of.restore_eta_seconds)} more`}.`;
  if (as_of.age_seconds === null) return 'How old it is is not known yet.';
  if (as_of.lag_records > 0) return `Up to ${lengthText(as_of.age_seconds)} old: ${count(as_of.lag_records)} records of its partition wait.`;
  return 'Current: nothing of its partition waits to be folded.';
}

const STANDINGS = { ready: 'fires at the next event', condition: 'its condition does not hold', raised: 'its alert is open', for: 'has to hold for longer', told: 'has told, and still holds', cooldown: 'is silent', pattern: 'waits for its pattern', off: 'is off' };

/* A condition by its parts: what holds, for which values, and how far the rest is from holding. */
function conditionNode(condition) {
  const joint = ['all', 'any', 'not', 'choice'].find((name) => condition[name]);
  const mark = condition.holds === null || condition.holds === undefined ? '?' : condition.holds ? '✓' : '✗';
  const reads = Object.entries(condition.reads || {}).map(([name, value]) => `${name} is ${valueText(value)}`).join(', ');
  const note = condition.error ? condition.error : joint ? '' : `${reads}${!condition.holds && condition.gap ? `, ${plain.format(Math.abs(condition.gap))} ${condition.gap > 0 ? 'short' : 'over'}` : ''}`;
  return el('li', {}, el('span', { class: `mark ${condition.holds ? 'yes' : 'no'}`, title: condition.holds ? 'holds' : 'does not hold' }, mark), ' ', el('span', { class: 'test' }, joint && condition[joint].length > 1 ? `${joint} of` : condition.text),
    note ? el('span', { class: 'facts' }, ` ${note}`) : null, joint ? el('ul', {}, condition[joint].map(conditionNode)) : null);
}

function explainNode([name, rule]) {
  const mode = rule.mode === 'shadow' ? ' in shadow:' : '';
  const until = rule.until ? ` until ${when(rule.until)}` : rule.since ? ` since ${when(rule.since)}` : '';
  return el('details', { class: 'why-not' }, el('summary', {}, el('b', {}, name), mode, ` ${STANDINGS[rule.standing] || rule.standing}${until}`,
    rule.fired ? el('span', { class: 'facts' }, ` fired ${rule.fired === 1 ? 'once' : `${rule.fired} times`}, last ${when(rule.last_fired)}`) : null),
  rule.when ? el('ul', { class: 'condition' }, conditionNode(rule.when)) : null, rule.due ? el('p', { class: 'facts' }, `If nothing happens: ${when(rule.due)}`) : null);
}

function showCustomer(answer) {
  const { customer, features, rules, now, first_seen, as_of, events, explain, ...rest } = answer.record;
  const parts = [el('div', { class: 'who' }, el('h3', {}, valueText(customer)), el('span', { class: 'facts' }, `partition ${answer.partition}, ${answer.instance}`)),
    el('p', { class: 'facts' }, `${count(events || 0)} events, ${when(first_seen)} to ${when(as_of)}. ${ageText(answer.as_of)}`)];
  const told = alerts.filter((one) => one.event.customer === customer).slice(0, 5);
  if (told.length) parts.push(el('h4', { class: 'part' }, 'Why it alerted'), el('ol', {}, told.map((one) => alertNode(one, false))));
  if (explain && Object.keys(explain.rules).length) parts.push(el('h4', { class: 'part' }, 'Where its rules stand'), ...Object.entries(explain.rules).map(explainNode));
  else if (Object.keys(rules || {}).length) parts.push(el('h4', { class: 'part' }, 'Rules that fired'), pairs(rules));
  if (Object.keys(features || {}).length) parts.push(el('h4', { class: 'part' }, `Features at ${when(now)}`), pairs(features));
  if (Object.keys(rest).length) parts.push(el('h4', { class: 'part' }, 'And'), pairs(rest));
  $('customer').replaceChildren(...parts);
}

let asking = 0; /* only the newest question's answer is shown */
async function lookUp(id, jump) {
  const mine = ++asking;
  const say = (kind, ...text) => { if (mine === asking) $('customer').replaceChildren(el('p', { class: 'message', 'data-kind': kind }, ...text)); };
  $('lookup-id').value = id;
  if (jump) { $('lookup-id').focus({ preventScroll: true }); $('lookup-title').scrollIntoView({ block: 'nearest', behavior: 'auto' }); }
  say('wait', 'Asking…');
  try {
    const response = await fetch(`/customers/${encodeURIComponent(id)}?redirect=no`, { cache: 'no-store' });
    const answer = await response.json();
    if (mine !== asking) return;
    if (response.ok) showCustomer(answer);
    else if (response.status === 421 && answer.location) {
      const place = new URL(answer.location);
      say('wait', `Instance ${answer.instance} keeps this customer, or may: `, el('a', { href: `${place.origin}/#customer=${encodeURIComponent(id)}` }, 'look there'), '.');
    } else say(response.status === 404 ? 'wait' : 'warn', answer.detail || `status ${response.status}`);
  } catch (error) {
    say('bad', 'No answer: the instance cannot be reached.');
  }
}

function lookUpFromAddress() {
  const found = /^#customer=(.+)$/.exec(location.hash);
  if (!found) return;
  try { lookUp(decodeURIComponent(found[1]), true); } catch (error) { /* not percent-encoded: nobody's */ }
}

/* ---- the stream ---- */

let heard = 0;
function listen() {
  const stream = new EventSource('/events');
  stream.addEventListener('tick', (message) => {
    const tick = JSON.parse(message.data);
    heard = Date.now();
    pill('live', 'fine', 'Live');
    take(tick, Date.now());
    show(tick);
  });
  stream.addEventListener('past', (message) => {
    const { age, tick } = JSON.parse(message.data);
    const at = Date.now() - age * 1000;
    if (tick.lags && !(history.t[history.t.length - 1] >= at)) take(tick, at);
  });
  stream.addEventListener('derived', (message) => takeAlert({ key: message.lastEventId, ...JSON.parse(message.data) }));
  stream.addEventListener('dead-letter', (message) => takeLetter({ key: message.lastEventId, ...JSON.parse(message.data) }));
  stream.addEventListener('error', () => {
    pill('live', 'bad', 'Reconnecting');
    if (stream.readyState !== EventSource.CLOSED) return; /* it tries again by itself */
    setTimeout(listen, 5000);
  });
}

for (const box of document.querySelectorAll('.chart')) {
  box.addEventListener('pointermove', (event) => point(box, event.clientX - box.getBoundingClientRect().left));
  box.addEventListener('pointerleave', () => point(box, undefined));
}
for (const radio of document.querySelectorAll('input[name=unit]')) radio.addEventListener('change', () => { unit = radio.value; showCharts(); });
$('lookup').addEventListener('submit', (event) => { event.preventDefault(); lookUp($('lookup-id').value.trim(), false); });
$('alerts-rule').addEventListener('change', () => showAlerts());
$('alerts-pause').addEventListener('click', () => {
  paused = !paused;
  $('alerts-pause').setAttribute('aria-pressed', String(paused));
  if (!paused) { alerts = [...held, ...alerts].slice(0, ALERTS_KEPT); held = []; }
  showAlerts();
});
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  event.preventDefault();
  $('lookup-id').focus();
});
window.addEventListener('hashchange', lookUpFromAddress);
window.addEventListener('resize', showCharts);
setInterval(() => { if (heard && Date.now() - heard > 4000) pill('live', 'bad', 'Reconnecting'); }, 1000);
showCharts();
listen();
lookUpFromAddress();
