// The dashboard. Lists come from the server, a page at a time. Events patch the rows that are shown,
// and when they change which rows belong here, the page is asked for again, once a second at most.

const outcomes = ['completed', 'failed', 'timed_out', 'cancelled'];
const words = {
	pending: 'Pending', running: 'Running', cancelling: 'Cancelling', timing_out: 'Timing out',
	completed: 'Completed', failed: 'Failed', timed_out: 'Timed out', cancelled: 'Cancelled',
};
const pageSize = 25;
const runningRead = 1000, runningShown = 50, pendingShown = 10, failuresShown = 6; // on the overview
const stuckAfter = 10; // seconds past its timeout, or since it was asked to end
const reloadEvery = 1000, pollEvery = 5000, quietLimit = 30000, announceEvery = 5000, lingerFor = 4000; // milliseconds

const readOnly = document.body.hasAttribute('data-read-only');
const title = document.title;
const $ = (id) => document.getElementById(id);
const find = (selector, within = document) => within.querySelector(selector);

// ---- Elements. Text of tasks only ever becomes text nodes and attribute values.

function el(tag, props, ...children) {
	const e = document.createElement(tag);
	for (const [name, value] of Object.entries(props)) {
		if (name in e) e[name] = value;
		else e.setAttribute(name, value);
	}
	e.append(...children.filter((child) => child != null));
	return e;
}

function svg(tag, attributes, ...children) {
	const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
	for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
	e.append(...children);
	return e;
}

const text = (className, ...children) => el('span', { className }, ...children);
const icon = (name) => svg('svg', { class: 'icon', 'aria-hidden': 'true' }, svg('use', { href: '#i-' + name }));

function setText(e, text) {
	if (e.textContent !== text) e.textContent = text;
}

// show sets the text, and hides what has none.
function show(e, text) {
	setText(e, text);
	e.hidden = text === '';
}

const drawn = new WeakMap();

// redraw fills box anew only if what it shows has changed: focus in it survives.
function redraw(box, shown, make) {
	const signature = JSON.stringify(shown);
	if (drawn.get(box) === signature) return;
	drawn.set(box, signature);
	box.replaceChildren(...make().filter((child) => child != null));
}

// ---- Time. The server's clock counts; it stands still while nothing is heard from the server.

let clockOffset = 0, frozenAt = 0; // 0: it runs
const now = () => (frozenAt || Date.now()) + clockOffset;

const format = (options) => new Intl.DateTimeFormat(undefined, { hourCycle: 'h23', hour: '2-digit', minute: '2-digit', ...options });
const minutes = format({}), seconds = format({ second: '2-digit' }), withDay = format({ second: '2-digit', month: 'short', day: 'numeric' });
const number = (n) => n.toLocaleString();
const plural = (n, noun) => `${number(n)} ${noun}${n === 1 ? '' : 's'}`;

function clock(at) {
	const time = new Date(at);
	return (time.toDateString() === new Date().toDateString() ? seconds : withDay).format(time);
}

function span(seconds, exact) {
	const s = Math.max(0, seconds);
	if (exact && s < 1) return s < 0.001 ? '< 1 ms' : `${Math.round(s * 1000)} ms`;
	if (exact && s < 60) return `${s.toFixed(1)} s`;
	const part = (length, wrap = Infinity) => Math.floor(s / length) % wrap;
	if (s < 60) return `${part(1)} s`;
	if (s < 3600) return `${part(60)} m ${part(1, 60)} s`;
	if (s < 86400) return `${part(3600)} h ${part(60, 60)} m`;
	return `${part(86400)} d ${part(3600, 24)} h`;
}

const secondsSince = (at) => (now() - Date.parse(at)) / 1000;

// ---- Tasks

// An ID may be used again: the time tells them apart.
const keyOf = (task) => `${task.created_at} ${task.id}`;

// later gives the newer of two states of one task: answers and events may overtake each other.
function later(a, b) {
	if (!a || !b) return a ?? b;
	const rank = (task) => (4 * task.done + 2 * !!task.cancel + !!task.started_at) * 1e14 + Date.parse(task.progress?.updated_at ?? 0);
	return rank(a) > rank(b) ? a : b;
}

function stateOf(task) {
	if (task.status !== 'running' || !task.cancel) return task.status;
	return task.deadline_at && Date.parse(task.cancel.requested_at) >= Date.parse(task.deadline_at) ? 'timing_out' : 'cancelling';
}

function isStuck(task) {
	if (task.status !== 'running') return false;
	return [task.deadline_at, task.cancel?.requested_at].some((at) => at && secondsSince(at) > stuckAfter);
}

function statusOf(state) {
	return text('status', icon(state === 'timing_out' ? 'cancelling' : state), words[state]);
}

const stuckBadge = () => text('badge stuck', icon('warning'), 'possibly stuck');

const canCancel = (task) => !readOnly && !task.done && !task.cancel;

function shortID(id) {
	return /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(id) ? '…' + id.slice(-8) : id;
}

// eta gives the seconds that are left if the task goes on as it did until now.
function eta({ progress: p, started_at }) {
	const reported = Date.parse(p.updated_at);
	const perUnit = (reported - Date.parse(started_at)) / p.current;
	return (perUnit * (p.total - p.current) - (now() - reported)) / 1000;
}

function progressText(task) {
	const p = task.progress;
	if (!p || task.error) return '';
	const known = p.percent != null, parts = [];
	if (known && !task.done) parts.push(`${Math.floor(p.percent)} %`);
	if (known || p.current) parts.push(`${number(p.current)}${known ? ' of ' + number(p.total) : ''} ${p.unit ?? ''}`);
	if (known && !task.done && !task.cancel && p.current > 0 && p.current < p.total) {
		const left = eta(task);
		parts.push(left < 1 ? 'nearly done' : `about ${span(left)} left`);
	}
	return parts.join(' · ');
}

// message is the one line that says what goes on, or why it went wrong.
function message(task) {
	const asked = task.cancel && !task.done;
	const said = asked ? task.cancel.reason : (task.error ?? task.progress)?.message ?? '';
	return (asked ? 'asked to end: ' : '') + said.replace('fxtasks: ', '');
}

function times(task) {
	if (task.status === 'pending') return ['waiting ' + span(secondsSince(task.created_at)), 'since ' + clock(task.created_at)];
	if (!task.done) return [span(secondsSince(task.started_at)), 'since ' + clock(task.started_at)];
	const ran = task.run_seconds == null ? 'never started' : 'ran ' + span(task.run_seconds, true);
	return [ran, 'ended ' + clock(task.finished_at)];
}

// ---- The view: what the URL says is shown

let view;

function readView() {
	const query = new URLSearchParams(location.search);
	const status = query.get('status');
	const q = (query.get('q') ?? '').trim();
	const equals = q.indexOf('=');
	const v = {
		status: ['pending', 'running', ...outcomes].includes(status) ? status : '',
		q, group: query.get('group') ?? '', page: query.get('page_token') ?? '', task: query.get('task') ?? '',
		metadata: equals > 0 ? [q.slice(0, equals), q.slice(equals + 1)] : null,
	};
	v.filtered = !!(v.status || v.q || v.group);
	v.showsActive = !outcomes.includes(v.status);
	v.showsFinished = v.status === '' || !v.showsActive;
	return v;
}

// urlOf gives the URL of the present view with some of it changed.
function urlOf(changes) {
	const { status, q, group, page, task } = { ...view, page: '', task: '', ...changes };
	return '?' + new URLSearchParams(Object.entries({ status, q, group, page_token: page, task }).filter(([, value]) => value));
}

function go(url, state = {}) {
	history[new URL(url, location).href === location.href ? 'replaceState' : 'pushState'](state, '', url);
	route();
}

function matches(task) {
	return (!view.status || task.status === view.status) && (!view.group || task.group === view.group) &&
		(!view.q || (view.metadata ? task.metadata?.[view.metadata[0]] === view.metadata[1] : task.name === view.q || task.id === view.q));
}

function route() {
	view = readView();
	$('q').value = view.q;
	fillGroups();
	$('clear').hidden = !view.filtered;
	for (const link of $('tiles').children) {
		link.href = urlOf({ status: link.dataset.status });
		link.ariaCurrent = link.dataset.status === view.status ? 'page' : null;
	}
	$('columns').classList.toggle('narrowed', view.filtered || !!view.page);
	active.section.hidden = !view.showsActive || (!!view.page && !view.status);
	finished.section.hidden = !view.showsFinished;
	setText(active.heading, view.status ? words[view.status] : 'In progress');
	setText(finished.heading, view.status ? words[view.status] : 'Finished');
	showPanel();
	reload.now();
}

// ---- Asking the server

class Refusal extends Error {}

async function ask(path, options) {
	const response = await fetch(path, { signal: AbortSignal.timeout(15000), ...options }).catch(() => ({}));
	const body = await response.json?.().catch(() => {});
	if (!response.ok || !body) throw Object.assign(new Refusal(body?.detail || body?.title || 'no answer'), { status: response.status });
	const offset = Date.parse(response.headers.get('Date')) + 500 - Date.now(); // the header has whole seconds
	clockOffset = Math.abs(offset) > 2000 ? offset : 0;
	return body;
}

const taskURL = (id) => 'tasks/' + encodeURIComponent(id);

// askTask gives null for a task that is not there. "." and ".." would be paths.
async function askTask(id) {
	return /^\.\.?$/.test(id) ? null : ask(taskURL(id)).catch((err) => {
		if (err.status !== 404) throw err;
		return null;
	});
}

function askList(v, statuses, size, page = '') {
	const query = new URLSearchParams(statuses.map((status) => ['status', status]));
	if (v.metadata) query.append('metadata.' + v.metadata[0], v.metadata[1]);
	else if (v.q) query.append('name', v.q);
	if (v.group) query.append('group', v.group);
	query.append('page_size', size);
	if (page) query.append('page_token', page);
	return ask('tasks?' + query);
}

// paced gives a function that has work done soon, never twice at once, nor too often.
function paced(every, work) {
	let timer, busy = false, again = false, last = -Infinity;
	const run = async () => {
		timer = undefined;
		last = performance.now();
		busy = true;
		await work().finally(() => { busy = false; });
		if (again) request();
		again = false;
	};
	const request = () => {
		if (busy) again = true;
		else timer ??= setTimeout(run, Math.max(0, last + every - performance.now()));
	};
	request.drop = () => {
		clearTimeout(timer);
		timer = again = undefined;
	};
	request.now = () => {
		request.drop();
		last = -Infinity;
		request();
	};
	return request;
}

let overlay = null; // what events have told of tasks while a list was on its way

const reload = paced(reloadEvery, async () => {
	const v = view, wasPaused = paused;
	const during = overlay = new Map();
	const none = { tasks: [], total_size: 0, next_page_token: '' };
	try {
		const list = (status, size, shown) => shown ? askList(v, [status].flat(), v.status ? pageSize : size, v.page) : none;
		let [running, pending, ended] = await Promise.all([
			list('running', runningRead, !active.section.hidden && v.status !== 'pending'),
			list('pending', pendingShown, !active.section.hidden && v.status !== 'running'),
			list(v.status || outcomes, pageSize, v.showsFinished),
		]);
		if (v.q && !v.metadata && !v.page && !running.total_size && !pending.total_size && !ended.total_size) {
			const task = await askTask(v.q); // after names, since a browser's log tells of each miss
			const one = { ...none, tasks: [task], total_size: 1 };
			if (task && v === view && matches(task)) [running, ended] = task.done ? [none, one] : [one, none];
		}
		if (v === view && wasPaused === paused) {
			for (const some of [running, pending, ended]) some.tasks = some.tasks.map((task) => later(task, during.get(keyOf(task))));
			if (!v.status) running.tasks.reverse();
			showActive(v, running, pending);
			showFinished(v, ended);
			if (v.task) await refreshPanel();
		}
		contact();
	} catch (err) {
		trouble(err);
	}
	overlay = null;
});

const loadStats = paced(reloadEvery, async () => {
	try {
		showStats(await ask('stats'));
		contact();
	} catch (err) {
		trouble(err);
	}
});

function refresh() {
	reload();
	loadStats();
}

// ---- Tables

class Row {
	constructor(task, selectable) {
		const { id, name, group, metadata } = task; // these never change
		const ariaLabel = `${name} ${shortID(id)}`;
		this.shownAt = performance.now();
		this.check = el('input', { type: 'checkbox', ariaLabel: 'Select ' + ariaLabel });
		this.name = el('a', { className: 'name', 'data-view': '' }, name);
		this.status = text('');
		this.stuck = stuckBadge();
		this.bar = el('progress', { max: 100, ariaLabel: 'Progress of ' + ariaLabel });
		this.figures = text('figures');
		this.message = text('message');
		this.time = text('time');
		this.since = text('since');
		this.cancel = el('button', { ariaLabel: 'Cancel ' + ariaLabel }, 'Cancel…');
		const cell = (className, ...children) => el('td', { className }, ...children);
		this.tr = el('tr', {},
			selectable ? cell('check', this.check) : null,
			cell('task', this.name, text('about',
				el('span', { className: 'id', title: id }, shortID(id)),
				group ? el('span', { className: 'group', title: 'group' }, group) : null,
				...Object.entries(metadata ?? {}).slice(0, 3).map(([key, value]) => el('span', { title: `${key}=${value}` }, key + '=' + value)))),
			cell('state', this.status, this.stuck),
			cell('details', this.bar, this.figures, this.message),
			cell('times', this.time, this.since),
			selectable ? cell('action', this.cancel) : null);
		this.check.addEventListener('change', () => select(this.task, this.check.checked));
		this.cancel.addEventListener('click', () => confirmCancel([this.task]));
		this.set(task);
	}

	set(task) {
		task = later(this.task, task);
		if (task.done && this.task && !this.task.done) this.endedAt = performance.now();
		this.task = task;
		const state = stateOf(task);
		if (this.tr.dataset.status !== state) {
			this.tr.dataset.status = state;
			this.status.replaceChildren(statusOf(state));
		}
		this.bar.hidden = task.status !== 'running';
		const percent = task.progress?.percent;
		if (percent == null) this.bar.removeAttribute('value');
		else this.bar.value = percent;
		show(this.message, message(task));
		const cancellable = canCancel(task);
		this.cancel.hidden = !cancellable;
		this.check.disabled = !cancellable;
		if (!cancellable) select(task, false);
		this.check.checked = selected.has(keyOf(task));
		this.tick();
	}

	tick() {
		const [time, since] = times(this.task);
		setText(this.time, time);
		setText(this.since, since);
		show(this.figures, progressText(this.task));
		this.stuck.hidden = !isStuck(this.task);
	}

	// held says that the row stays a while: somebody is in it, or has to see how the task ended.
	held() {
		const selection = getSelection();
		return this.tr.contains(document.activeElement) ||
			(!selection.isCollapsed && this.tr.contains(selection.anchorNode)) ||
			(this.endedAt - this.shownAt > reloadEvery && performance.now() - this.endedAt < lingerFor);
	}
}

class TaskTable {
	constructor(id) {
		this.section = $(id);
		const part = (selector) => find(selector, this.section);
		this.heading = part('h2');
		this.note = part('.note');
		this.table = part('table');
		this.body = part('tbody');
		this.empty = part('.empty');
		this.pager = part('.pager');
		this.selectable = id === 'active';
		this.rows = new Map();
	}

	show(tasks, emptyText) {
		const focused = document.activeElement;
		const wanted = new Set(tasks.map(keyOf));
		for (const [key, row] of this.rows) {
			row.leaves = !wanted.has(key);
			if (row.leaves && !row.held()) this.remove(key, row);
		}
		const staying = new Set([...this.rows.values()].map((row) => row.leaves && row.tr));
		let at = this.body.firstElementChild;
		for (const task of tasks) {
			const key = keyOf(task);
			let row = this.rows.get(key);
			if (row) row.set(task);
			else this.rows.set(key, row = new Row(task, this.selectable));
			row.name.href = urlOf({ page: view.page, task: task.id });
			while (staying.has(at)) at = at.nextElementSibling;
			if (row.tr === at) at = at.nextElementSibling;
			else this.body.insertBefore(row.tr, at);
		}
		if (this.body.contains(focused)) focused.focus({ preventScroll: true }); // its row may have been moved
		this.table.hidden = this.rows.size === 0;
		show(this.empty, this.rows.size === 0 ? emptyText : '');
	}

	remove(key, row) {
		row.tr.remove();
		this.rows.delete(key);
		select(row.task, false);
	}

	tick() {
		for (const [key, row] of this.rows) {
			if (row.leaves && !row.held()) this.remove(key, row);
			else row.tick();
		}
	}
}

const selected = new Map(); // key to task
const active = new TaskTable('active');
const finished = new TaskTable('finished');

function emptyText(which, otherwise) {
	const filters = [words[view.status]?.toLowerCase(), view.group && `group “${view.group}”`, view.q && `“${view.q}”`].filter(Boolean);
	return filters.length ? `Nothing ${which} matches ${filters.join(', ')}.` : otherwise;
}

function showActive(v, running, pending) {
	active.show(v.status ? [...running.tasks, ...pending.tasks] : [...running.tasks.slice(0, runningShown), ...pending.tasks], emptyText('in progress', stats?.submitted === 0 ? 'No tasks yet. They appear here once the application submits one.' : 'Nothing is running, and nothing waits.'));
	const stuck = running.tasks.filter(isStuck).length;
	setText(active.note, stuck ? `${number(stuck)} possibly stuck` : '');
	if (v.status) {
		page(active, v, running.total_size + pending.total_size, running.next_page_token || pending.next_page_token);
		return;
	}
	const more = [['running', running, runningShown], ['pending', pending, pendingShown]].filter(([, list, shown]) => list.total_size > shown);
	active.pager.hidden = more.length === 0;
	redraw(active.pager, [location.search, more.map(([, list]) => list.total_size)], () => more.map(([status, list, shown]) =>
		text('', `${number(shown)} of ${number(list.total_size)} ${status} are shown. `, el('a', { href: urlOf({ status }), 'data-view': '' }, `All ${status}`))));
}

function showFinished(v, list) {
	finished.show(list.tasks, emptyText('finished', stats?.submitted > stats?.running + stats?.pending ? 'No finished tasks are kept any more.' : 'Nothing has finished yet.'));
	setText(finished.note, list.total_size ? `${number(list.total_size)} kept` : '');
	page(finished, v, list.total_size, list.next_page_token);
}

// page shows where in a list we are. The way forward comes from the server, the way back is kept in
// the browser's history.
function page(table, v, total, next) {
	const trail = history.state?.trail ?? [];
	const first = trail.length * pageSize;
	const link = (text, token, trail) => el('a', { className: 'button', href: urlOf({ page: token }), 'data-view': JSON.stringify(trail) }, text);
	table.pager.hidden = !v.page && !next;
	redraw(table.pager, [location.search, trail, total, next], () => [
		text('', (v.page && !first ? '' : `${number(first + 1)}–${number(Math.min(total, first + pageSize))} `) + `of ${number(total)}`),
		v.page ? link('First', '', []) : null,
		trail.length > 1 ? link('Previous', trail.at(-1), trail.slice(0, -1)) : null,
		next ? link('Next', next, [...trail, v.page]) : null,
	]);
}

// ---- Selecting and cancelling

function select(task, on) {
	const key = keyOf(task);
	if (on) selected.set(key, task);
	else if (!selected.delete(key)) return;
	showSelection();
}

function showSelection() {
	find('.selection').hidden = selected.size === 0;
	setText(find('.selection span'), `${number(selected.size)} selected`);
	setText(find('.selection .danger'), `Cancel ${plural(selected.size, 'task')}…`);
	find('#active th input').checked = selected.size > 0 && [...active.rows.values()].every((row) => row.check.checked || row.check.disabled);
}

function selectAll(on) {
	for (const row of active.rows.values()) {
		row.check.checked = on && !row.check.disabled;
		select(row.task, row.check.checked);
	}
	showSelection();
}

let cancelNext = []; // what the open dialog asks about

function confirmCancel(tasks) {
	cancelNext = tasks;
	const [{ name, id }, many] = tasks, count = plural(tasks.length, 'task');
	const byName = new Map();
	for (const { name } of tasks) byName.set(name, 1 + (byName.get(name) ?? 0));
	setText($('confirm-heading'), many ? `Cancel ${count}?` : `Cancel “${name}”?`);
	$('confirm-list').replaceChildren(...(many ? [...byName].map(([name, n]) => el('li', {}, `${number(n)} × ${name}`)) : [el('li', { className: 'id' }, id)]));
	setText(find('#confirm .danger'), many ? `Cancel ${count}` : 'Cancel task');
	$('confirm').returnValue = $('reason').value = '';
	$('confirm').showModal();
}

async function cancelAll(tasks, reason) {
	const queue = [...tasks], problems = [];
	let asked = 0, ended = 0;
	const worker = async () => {
		for (let task; (task = queue.shift());) {
			try {
				const answer = await ask(taskURL(task.id), { method: 'DELETE', body: JSON.stringify({ reason }) });
				if (answer.cancel) asked++;
				else ended++;
				patch(answer);
			} catch (err) {
				problems.push(`“${task.name}”: ${err.message}`);
			}
		}
	};
	await Promise.all([worker(), worker(), worker(), worker()]);
	const what = (n) => tasks[1] ? plural(n, 'task') : `“${tasks[0].name}”`;
	notify([
		asked && `Asked ${what(asked)} to end.`,
		ended && `${what(ended)} had ended already.`,
		problems.length && `Could not cancel ${what(problems.length)}: ${problems[0]}.`,
	].filter(Boolean).join(' '), problems.length > 0);
	selectAll(false);
}

// ---- Notices

let noticeTimer;

function notify(text, stays) {
	clearTimeout(noticeTimer);
	setText($('notice').firstElementChild, text);
	$('notice').hidden = false;
	if (!stays) noticeTimer = setTimeout(() => { $('notice').hidden = true; }, 8000);
	announce('notice', text);
}

const announcements = new Map(); // by kind: the last of each
let announceTimer, announcedAt = -Infinity;

// announce tells screen readers, at most every 5 s.
function announce(kind, text) {
	announcements.set(kind, text);
	announceTimer ??= setTimeout(() => {
		announceTimer = undefined;
		announcedAt = performance.now();
		$('announcement').textContent = [...announcements.values()].join(' ');
		announcements.clear();
	}, Math.max(0, announcedAt + announceEvery - performance.now()));
}

// ---- Counts, use and state

let stats = null;

function showStats(s) {
	countEnded(s);
	const before = stats;
	stats = s;
	const counts = { '': s.submitted, ...s };
	for (const link of $('tiles').children) setText(link.firstElementChild, number(counts[link.dataset.status]));
	const use = (status, limit, none) => {
		const meter = $('meter-' + status);
		meter.hidden = limit <= 0;
		meter.max = Math.max(1, limit);
		meter.value = s[status];
		setText($('use-' + status), `${number(s[status])}${limit > 0 ? ' of ' + number(limit) : ', ' + none}`);
	};
	use('running', s.max_running, 'no limit');
	use('pending', s.max_pending, s.max_pending < 0 ? 'none may wait' : 'no limit');
	setText($('use-oldest'), s.pending ? span(s.oldest_pending_seconds) : 'none');
	$('rejected').hidden = s.rejected === 0;
	setText($('use-rejected'), number(s.rejected));
	show($('draining'), s.state === 'open' ? '' : s.state === 'draining'
		? `Draining: the application is shutting down. No new tasks are taken; ${number(s.running + s.pending)} still to end.`
		: `Stopped: no tasks are taken any more. ${number(s.running)} did not end.`);
	document.title = (s.running ? `${number(s.running)} running · ` : '') + title;
	fillOptions($('names'), Object.keys(s.by_name).sort().slice(0, 200));
	fillGroups();
	if (!before || before.failed !== s.failed || before.timed_out !== s.timed_out || before.state !== s.state) {
		announce('counts', `${number(s.running)} running, ${number(s.pending)} pending, ${number(s.failed)} failed, ${number(s.timed_out)} timed out${s.state === 'open' ? '' : ', ' + s.state}.`);
	}
	if (before && !before.submitted !== !s.submitted) reload(); // other words for an empty page
}

function fillOptions(list, values, first = []) {
	redraw(list, [values, view.group], () => [...first, ...values.map((value) => el('option', { value }, value))]);
}

function fillGroups() {
	const groups = Object.keys({ ...stats?.by_group, ...(view.group && { [view.group]: 0 }) });
	$('group').hidden = groups.length === 0;
	fillOptions($('group'), groups.sort(), [$('group').firstElementChild]);
	if ($('group') !== document.activeElement) $('group').value = view.group;
}

// ---- Failures

let failures = new Map(); // key to task, the latest first

function noteFailures(tasks) {
	for (const task of tasks) failures.set(keyOf(task), task);
	failures = new Map([...failures].sort(([, a], [, b]) => Date.parse(b.finished_at) - Date.parse(a.finished_at)).slice(0, failuresShown));
	paint(drawFailures);
}

function drawFailures() {
	const focused = document.activeElement;
	redraw(find('#failures ul'), [...failures.keys()], () => [...failures.values()].map((task) => el('li', { 'data-status': task.status },
		el('a', { className: 'name', href: urlOf({ task: task.id }), 'data-view': '' }, task.name),
		statusOf(task.status), text('since', clock(task.finished_at)), text('message', message(task)))));
	if (!focused.isConnected) [...document.links].find((a) => a.href === focused.href)?.focus({ preventScroll: true });
	show(find('#failures .empty'), failures.size ? '' : 'No failures are kept.');
}

// ---- Outcomes of the last hour, by 5 minutes

const binLength = 5 * 60000, bins = 12;
const hour = new Map(); // start of the 5 minutes to counts
let counted = null; // the stats up to which outcomes are in hour; null: the server has to be asked
const binOf = (at) => Math.floor(at / binLength) * binLength;

const tally = (counts) => outcomes.map((status) => `${number(counts[status])} ${words[status].toLowerCase()}`).join(', ');

function binIn(map, start) {
	if (!map.has(start)) map.set(start, Object.fromEntries(outcomes.map((status) => [status, 0])));
	return map.get(start);
}

// countEnded takes what has ended since the last stats: events may be missed.
function countEnded(s) {
	if (!counted || outcomes.some((status) => s[status] < counted[status])) return; // older ones
	const bin = binIn(hour, binOf(now()));
	for (const status of outcomes) bin[status] += s[status] - counted[status];
	counted = s;
}

// loadHour reads what the server still knows. Both this and what was counted here are lower bounds:
// the larger is nearer to the truth.
const loadHour = paced(10000, async () => {
	try {
		const [list, failed] = await Promise.all([askList({}, outcomes, 1000), askList({}, ['failed', 'timed_out'], 20)]);
		const s = await ask('stats');
		countEnded(s);
		const listed = new Map();
		for (const task of list.tasks) binIn(listed, binOf(Date.parse(task.finished_at)))[task.status]++;
		for (const [start, counts] of listed) {
			const bin = binIn(hour, start);
			for (const status of outcomes) bin[status] = Math.max(bin[status], counts[status]);
		}
		counted = s;
		failures.clear();
		noteFailures(failed.tasks);
		drawHour();
	} catch (err) {
		trouble(err);
	}
});

function drawHour() {
	const end = binOf(now());
	const starts = Array.from({ length: bins }, (_, i) => end - (bins - 1 - i) * binLength);
	for (const start of hour.keys()) if (start < starts[0]) hour.delete(start);
	const rows = starts.map((start) => ({ start, ...binIn(hour, start) }));

	// A few failures must show among many completed: each side has its own scale.
	const bad = outcomes.slice(1);
	const badOf = (row) => bad.reduce((sum, status) => sum + row[status], 0);
	const top = Math.max(...rows.map((row) => row.completed)), bottom = Math.max(...rows.map(badOf));
	const axis = 80, width = 25;
	const label = (x, y, anchor, content) => svg('text', { x, y, 'text-anchor': anchor }, content);
	const column = (row, i) => {
		const bar = (status, y, height) => svg('rect', { 'data-status': status, x: i * width + 3, width: width - 6, y, height });
		const group = svg('g', {}, svg('title', {}, `${minutes.format(row.start)}: ${tally(row)}`), svg('rect', { x: i * width, width, y: 18, height: 98 }));
		const height = row.completed && Math.max(2, (row.completed / top) * 60);
		if (height) group.append(bar('completed', axis - 1 - height, height));
		let y = axis + 1;
		for (const status of bad) {
			const height = row[status] && Math.max(2, (row[status] / bottom) * 34);
			if (height) group.append(bar(status, y, height));
			y += height;
		}
		return group;
	};
	const chart = find('#hour svg');
	redraw(chart, rows, () => [...rows.map(column), svg('path', { d: `M0 ${axis}h${bins * width}` }),
		label(0, 11, 'start', top ? `↑ completed, to ${number(top)}` : ''), label(300, 11, 'end', bottom ? `↓ not completed, to ${number(bottom)}` : ''),
		...[0, 4, 8].map((i) => label(i * width + 3, 129, 'start', minutes.format(starts[i]))), label(300, 129, 'end', 'now')]);
	const total = Object.fromEntries(outcomes.map((status) => [status, rows.reduce((sum, row) => sum + row[status], 0)]));
	chart.setAttribute('aria-label', 'Tasks that ended in the last hour: ' + tally(total));
	for (const li of $('hour').querySelectorAll('li')) setText(li.querySelector('b'), number(total[li.dataset.status]));
	redraw(find('#hour tbody'), rows, () => rows.toReversed().map((row) => el('tr', {},
		el('th', { scope: 'row' }, minutes.format(row.start)), ...outcomes.map((status) => el('td', {}, number(row[status]))))));
}

// ---- One task

const panel = $('panel');
let panelTask, opener;

function showPanel() {
	if (!view.task) {
		if (panel.open) panel.close();
		return;
	}
	if (panelTask?.id !== view.task) {
		panelTask = [...active.rows.values(), ...finished.rows.values()].find((row) => row.task.id === view.task)?.task;
		$('panel-body').replaceChildren();
		setText($('panel-name'), 'Loading…');
	}
	if (!panel.open) {
		opener = document.activeElement;
		panel.showModal();
		$('panel-name').focus();
	}
	drawPanel();
}

async function refreshPanel() {
	const id = view.task;
	if (panelTask?.done) return;
	const task = await askTask(id);
	if (view.task !== id) return;
	if (task) {
		panelTask = panelTask && keyOf(panelTask) === keyOf(task) ? later(panelTask, task) : task;
		drawPanel();
	} else if (!panelTask) {
		setText($('panel-name'), 'No such task');
		$('panel-body').replaceChildren(el('p', {}, `There is no task with the id “${id}”, or its record is no longer kept.`));
	}
}

function part(name, shown, make) {
	let box = find(`#panel [data-part=${name}]`);
	if (!box) $('panel-body').append(box = el('section', { 'data-part': name }));
	box.hidden = !shown;
	if (shown) redraw(box, shown, make);
}

function drawPanel() {
	const task = panelTask;
	if (!task) return;
	const state = stateOf(task), stuck = isStuck(task);
	setText($('panel-name'), task.name);
	panel.dataset.status = state;

	part('top', [task.id, state, stuck, canCancel(task)], () => {
		const cancel = el('button', { className: 'danger' }, 'Cancel task…');
		cancel.addEventListener('click', () => confirmCancel([panelTask]));
		return [
			el('p', {}, statusOf(state), stuck ? stuckBadge() : null, task.group ? text('badge', 'group ' + task.group) : null),
			el('p', { className: 'id' }, task.id),
			el('p', { className: 'buttons' }, canCancel(task) ? cancel : null, copyButton('Copy id', task.id),
				el('a', { className: 'button', href: taskURL(task.id), target: '_blank', rel: 'noopener' }, 'JSON')),
		];
	});
	part('progress', task.done ? null : [task.progress, times(task), progressText(task), message(task)], () => {
		const bar = el('progress', { max: 100, ariaLabel: 'Progress' });
		if (task.progress?.percent != null) bar.value = task.progress.percent;
		return [task.started_at ? bar : '', el('p', { className: 'figures' }, [...times(task), progressText(task)].filter(Boolean).join(' · ')), el('p', {}, message(task))];
	});
	part('error', task.error, () => {
		const { type, message, stack } = task.error;
		const kind = { error: 'Error', panic: 'Panic', goexit: 'Ended by runtime.Goexit', timeout: 'Timed out', cancelled: 'Cancelled' }[type];
		return [
			el('h3', {}, kind ?? type), el('pre', { tabIndex: 0 }, message),
			...(stack ? [el('div', { className: 'heading' }, el('h3', {}, 'Stack'), copyButton('Copy stack', stack)), el('pre', { tabIndex: 0, ariaLabel: 'Stack' }, stack)] : []),
		];
	});
	const waited = task.wait_seconds ?? secondsSince(task.created_at);
	const ran = task.run_seconds ?? (task.started_at && !task.done ? secondsSince(task.started_at) : 0);
	const steps = [['Submitted', task.created_at, '']];
	if (task.started_at) steps.push(['Started', task.started_at, `waited ${span(waited, true)}`]);
	if (task.cancel) steps.push([/^tim/.test(state) ? 'Timeout' : 'Asked to end', task.cancel.requested_at, task.cancel.reason]);
	else if (task.deadline_at && !task.done) steps.push(['Times out', task.deadline_at, `after ${span(task.timeout_seconds, true)}`]);
	if (task.done) steps.push([words[task.status], task.finished_at, task.started_at ? `ran ${span(ran, true)}` : 'never started'], ['Forgotten', task.expires_at, 'at the latest']);
	part('timeline', steps, () => [
		el('h3', {}, 'Timeline'), el('div', { className: 'phases', ariaHidden: 'true' }, text('', 'waited'), text('', 'ran')),
		el('ol', {}, ...steps.map(([what, at, note]) => el('li', {}, el('b', {}, what), el('time', { dateTime: at, title: at }, clock(at)), text('', note)))),
	]);
	const [wait, run] = panel.querySelectorAll('.phases span');
	wait.style.flexGrow = waited;
	run.style.flexGrow = ran;
	run.hidden = !task.started_at;
	part('metadata', task.metadata, () => [el('table', {}, el('caption', {}, 'Metadata'),
		el('tbody', {}, ...Object.entries(task.metadata).map(([key, value]) => el('tr', {}, el('th', { scope: 'row' }, key),
			el('td', {}, el('a', { href: '?' + new URLSearchParams({ q: `${key}=${value}` }), 'data-view': '' }, value))))))]);
}

function copyButton(label, text) {
	const button = el('button', {}, label);
	button.addEventListener('click', async () => {
		const done = await copy(text);
		button.textContent = done ? 'Copied' : 'Not allowed to copy';
		announce('notice', button.textContent);
		setTimeout(() => { button.textContent = label; }, 2000);
	});
	return button;
}

// copy falls back on the old way where the page was not served over HTTPS.
async function copy(text) {
	if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
	const area = el('textarea', { value: text, className: 'unseen' });
	panel.append(area);
	area.select();
	const done = document.execCommand('copy');
	area.remove();
	return done;
}

// ---- The event stream

let stream = null, live = false, refused = '', failing = false, paused = false;
let lastContact = 0, lastHeard = 0, lastPoll = 0;

function connect() {
	disconnect();
	stream = new EventSource('events');
	stream.onopen = () => {
		live = true;
		heard();
		showConnection();
		refresh();
		loadHour();
	};
	stream.onerror = () => {
		if (live || !lastPoll) poll();
		live = false;
		counted = null;
		showConnection();
	};
	const on = (kind, handle) => stream.addEventListener(kind, (event) => {
		heard();
		handle(JSON.parse(event.data));
	});
	on('task', patch);
	on('progress', patchProgress);
	on('stats', showStats);
	on('reset', () => {
		refresh();
		loadHour();
	});
}

function disconnect() {
	stream?.close();
	stream = null;
	live = false;
	counted = null;
}

function heard() {
	lastHeard = performance.now();
	contact();
}

function contact() {
	lastContact = Date.now();
	if (!failing) return;
	failing = false;
	refused = '';
	if (!paused) frozenAt = 0;
	showConnection();
}

function trouble(err) {
	if (err.status === 400 && view.page) return go(urlOf({})); // a bookmark of a page that is not there
	if (!(err instanceof Refusal)) throw err; // a mistake in this script
	failing = true;
	refused = err.status === 401 || err.status === 403 ? 'You may not view these tasks. Sign in again, or ask for access.' : '';
	frozenAt ||= lastContact || Date.now();
	showConnection();
}

function poll() {
	lastPoll = performance.now();
	refresh();
	if (!counted) loadHour();
}

function showConnection() {
	const since = lastContact ? `, showing data from ${clock(lastContact)}` : '';
	const [mode, words] = paused ? ['paused', `Paused at ${clock(frozenAt)}`]
		: failing ? ['lost', refused ? 'Not allowed' : 'Disconnected']
			: live ? ['live', 'Live']
				: lastPoll ? ['polling', `Polling every ${pollEvery / 1000} s`] : ['connecting', 'Connecting…'];
	const box = $('connection');
	if (box.dataset.mode !== mode && (mode === 'lost' || box.dataset.mode === 'lost')) announce('connection', `${words}${failing ? since : ''}.`);
	box.dataset.mode = mode;
	setText(box, words);
	show($('lost'), mode !== 'lost' ? '' : refused || `Disconnected${since}. Trying again every ${pollEvery / 1000} s.`);
	document.body.classList.toggle('stale', mode === 'lost' || paused);
}

const painters = new Set();

// paint does work with the next frame, once for all that ask for it until then.
function paint(work) {
	if (painters.size === 0) {
		requestAnimationFrame(() => {
			const all = [...painters];
			painters.clear();
			for (const work of all) work();
		});
	}
	painters.add(work);
}

const patches = new Map(); // key to task, until the next frame

function drawPatches() {
	for (const [key, task] of patches) {
		active.rows.get(key)?.set(task);
		finished.rows.get(key)?.set(task);
	}
	patches.clear();
}

// patch takes in what an event or an answer says of a task.
function patch(task) {
	const key = keyOf(task);
	overlay?.set(key, later(overlay.get(key), task));
	const row = active.rows.get(key) ?? finished.rows.get(key);
	if (row) {
		patches.set(key, later(patches.get(key), task));
		paint(drawPatches);
	}
	if (panelTask && key === keyOf(panelTask)) {
		panelTask = later(panelTask, task);
		paint(drawPanel);
	}
	if (task.status === 'failed' || task.status === 'timed_out') noteFailures([task]);
	if (row?.task.status !== task.status && (row || matches(task))) reload();
}

function patchProgress({ id, progress }) {
	for (const task of [...active.rows.values()].map((row) => row.task).concat(panelTask ?? [])) {
		if (task.id === id && task.status === 'running') patch({ ...task, progress });
	}
}

// ---- What the user does

document.addEventListener('click', (event) => {
	const link = event.target.closest('a[data-view], #tiles a');
	if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
	event.preventDefault();
	const query = new URLSearchParams(link.search);
	const opens = query.has('task');
	const trail = opens ? history.state?.trail : JSON.parse(link.dataset.view || '[]');
	go(link.href, { trail, opens });
	if (link.closest('.pager')) link.closest('section').scrollIntoView();
});

$('search').addEventListener('submit', (event) => {
	event.preventDefault();
	go(urlOf({ q: $('q').value.trim(), group: $('group').value }));
});
$('group').addEventListener('change', () => $('search').requestSubmit());
$('q').addEventListener('search', () => $('search').requestSubmit()); // also when it is emptied by its own button

$('pause').addEventListener('click', () => {
	paused = !paused;
	setText($('pause'), paused ? 'Resume' : 'Pause');
	frozenAt = paused ? Date.now() : 0;
	if (paused) {
		disconnect();
		reload.drop();
		patches.clear();
	} else connect();
	showConnection();
});

find('#active th input').addEventListener('change', (event) => selectAll(event.target.checked));
find('.selection .danger').addEventListener('click', () => confirmCancel([...selected.values()]));
find('.selection button:not(.danger)').addEventListener('click', () => selectAll(false));
find('#notice button').addEventListener('click', () => { $('notice').hidden = true; });

$('confirm').addEventListener('close', () => {
	if ($('confirm').returnValue === 'ok') cancelAll(cancelNext, $('reason').value.trim());
});

$('panel-close').addEventListener('click', () => panel.close());
panel.addEventListener('close', () => {
	panelTask = undefined;
	if (view.task && history.state?.opens) history.back();
	else if (view.task) {
		history.replaceState(history.state, '', urlOf({ page: view.page }));
		view = readView();
	}
	if (opener?.isConnected && opener !== document.body) opener.focus({ preventScroll: true });
	else (active.section.hidden ? finished : active).heading.focus({ preventScroll: true });
});

addEventListener('popstate', route);
document.addEventListener('visibilitychange', () => {
	if (document.hidden) disconnect();
	else if (!paused) connect();
});

setInterval(() => {
	if (document.hidden || paused) return;
	const time = performance.now();
	if (stream && !live && time - lastPoll > pollEvery) {
		poll();
		if (stream.readyState === EventSource.CLOSED) connect(); // the browser has given up
	}
	if (live && time - lastHeard > quietLimit) { // a stream may be dead, or held up by a proxy, without a sign
		lastHeard = time;
		refresh();
	}
	active.tick();
	finished.tick();
	drawHour();
	drawPanel();
}, 1000);

for (const link of $('tiles').children) link.lastElementChild.prepend(icon(link.dataset.status || 'all'));
if (!document.hidden) connect();
loadStats();
route();
