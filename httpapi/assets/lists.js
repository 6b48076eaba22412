// What is in progress and what has finished. Events patch the rows that are shown; when they change
// which rows belong here, the page is asked for again.

import { find, link, redraw, setText, text } from './dom.js';
import { number, secondsSince } from './time.js';
import { ask, paced } from './api.js';
import { dueAt, isStuck, keyOf, later, outcomes, ranSeconds, waitedSeconds, words } from './task.js';
import { described, here, listQuery, matches, urlOf, view } from './view.js';
import { TaskTable } from './list.js';
import { offerCancelAll } from './cancel.js';
import { openTask, panelPatch, refreshPanel } from './panel.js';
import { contact, isPaused, trouble } from './connection.js';
import { loadFailures } from './failures.js';
import { loadHistory } from './history.js';
import { loadSchedules } from './schedules.js';
import { stats } from './stats.js';

const pageSize = 25, runningShown = 25, pendingShown = 10; // rows
const manyRunning = 1000, manyPending = 100; // are read at once to find the stuck ones, and those that are due among the delayed
const stuckEvery = 10000; // milliseconds
const none = { tasks: [], total_size: 0, next_page_token: '' };

export const active = new TaskTable('active');
export const finished = new TaskTable('finished');

let stuckAt, stuckIn, stuckCount; // when the stuck ones were looked for, in which view, and how many there were
let delayed = false; // whether a pending task that is shown is not due yet
let overlay = null; // what events have told of tasks while a list was on its way

export const reload = paced(1000, async () => {
	const v = view, wasPaused = isPaused();
	const during = overlay = new Map();
	try {
		let lists = await askLists(v, false);
		if (v.metadata && lists.every((list) => !list.total_size)) lists = await askLists(v, true);
		if (v === view && wasPaused === isPaused()) {
			for (const list of lists) list.tasks = list.tasks.map((task) => later(task, during.get(keyOf(task))));
			const [running, pending, ended] = lists;
			showActive(v, running, pending);
			showFinished(ended);
			if (v.task) await refreshPanel();
		}
		contact();
	} catch (err) {
		trouble(err);
	}
	overlay = null;
});

function askLists(v, byText) {
	const list = async (wanted, statuses, order, size) => !wanted ? { ...none }
		: ask(listQuery(v, { statuses, order, size: v.status ? pageSize : size, page: v.page, byText }));
	const shown = (status) => v.active.includes(status) && !active.section.hidden;
	return Promise.all([
		list(shown('running'), ['running'], 'oldest', runningShown).then(async (list) => {
			const stuck = shown('running') && !v.page ? await stuckTasks(v, byText) : [];
			list.tasks = [...new Map([...stuck, ...list.tasks].map((task) => [keyOf(task), task])).values()];
			return list;
		}),
		list(shown('pending'), ['pending'], 'oldest', delayed ? manyPending : pendingShown),
		list(v.ended.length && !finished.section.hidden, v.ended, 'ended', pageSize),
	]);
}

// stuckTasks gives those to be shown above the others, wherever among the running they are. Once shown,
// events keep them up to date.
async function stuckTasks(v, byText) {
	const shown = [...active.rows.values()].map((row) => row.task).filter((task) => isStuck(task) && matches(task));
	if (!stats?.stuck) return [];
	const time = performance.now(), wanted = Math.min(stats.stuck, runningShown);
	if (v === stuckIn && stats.stuck === stuckCount && (shown.length === wanted || time - stuckAt < stuckEvery)) return shown;
	[stuckAt, stuckIn, stuckCount] = [time, v, stats.stuck];
	const found = [];
	for (let page = '', more = true; more && found.length < wanted; more = !!page) {
		const list = await ask(listQuery(v, { statuses: ['running'], order: 'oldest', size: manyRunning, page, byText }));
		found.push(...list.tasks.filter(isStuck));
		page = list.next_page_token;
	}
	return found;
}

export function showSections() {
	active.section.hidden = !!view.jobs || !view.active.length || (!!view.page && !view.status);
	finished.section.hidden = !!view.jobs || !view.ended.length;
	const named = (statuses, otherwise) => view.status ? statuses.map((status) => words[status]).join(', ') : otherwise;
	setText(active.heading, named(view.active, 'In progress'));
	setText(finished.heading, named(view.ended, 'Finished'));
}

function emptyText(which, otherwise) {
	return view.filtered ? `Nothing ${which} matches ${described(words)}.` : otherwise;
}

const since = (task) => Date.parse(task.started_at ?? task.created_at);

function showActive(v, running, pending) {
	running.tasks.sort((a, b) => isStuck(b) - isStuck(a) || since(a) - since(b));
	pending.tasks.sort((a, b) => Date.parse(dueAt(a)) - Date.parse(dueAt(b)));
	delayed = pending.tasks.some((task) => secondsSince(dueAt(task)) < 0);
	const shown = v.status ? [...running.tasks, ...pending.tasks] : [...running.tasks.slice(0, runningShown), ...pending.tasks.slice(0, pendingShown)];
	active.show(shown, emptyText('in progress', stats?.submitted === 0 ? 'No tasks yet.' : 'Nothing is running, and nothing waits.'));
	const total = running.total_size + pending.total_size;
	offerCancelAll(total);
	if (v.status) {
		active.page({ shown: pageSize, total, next: running.next_page_token || pending.next_page_token });
		return;
	}
	const more = [['running', running, runningShown], ['pending', pending, pendingShown]].filter(([, list, shown]) => list.total_size > shown);
	active.pager.hidden = more.length === 0;
	redraw(active.pager, [location.search, more.map(([, list]) => list.total_size)], () => more.map(([status, list, shown]) =>
		text('', `${number(shown)} of ${number(list.total_size)} ${status} are shown. `, link(urlOf({ status }), `All ${status}`))));
}

let lastEnded = none;

function showFinished(list) {
	lastEnded = list;
	finished.show(inOrder(list.tasks), emptyText('finished', stats?.submitted > stats?.running + stats?.pending ? 'No finished tasks are kept any more.' : 'Nothing has finished yet.'));
	setText(finished.note, list.total_size ? `${number(list.total_size)} kept` : '');
	finished.page({ shown: pageSize, total: list.total_size, next: list.next_page_token });
}

// Columns sort the rows that are shown. The server gives the latest ended first.
const sorts = { ended: (task) => Date.parse(task.finished_at), ran: ranSeconds, waited: waitedSeconds };
let sortedBy = 'ended', ascending = false;

function inOrder(tasks) {
	const of = sorts[sortedBy], sign = ascending ? 1 : -1;
	return tasks.toSorted((a, b) => sign * (of(a) - of(b)));
}

function showSort() {
	for (const th of finished.section.querySelectorAll('th[data-sort]')) {
		th.ariaSort = th.dataset.sort !== sortedBy ? null : ascending ? 'ascending' : 'descending';
	}
}

find('#finished thead').addEventListener('click', ({ target }) => {
	const by = target.closest('th[data-sort]')?.dataset.sort;
	if (!by) return;
	ascending = by === sortedBy && !ascending;
	sortedBy = by;
	showSort();
	showFinished(lastEnded);
});
showSort();

export function tickLists() {
	active.tick();
	finished.tick();
	setText(active.note, stats?.stuck ? `${number(stats.stuck)} possibly stuck` : '');
}

export function patch(task) {
	const key = keyOf(task);
	overlay?.set(key, later(overlay.get(key), task));
	const row = active.rows.get(key) ?? finished.rows.get(key);
	const before = row?.task.status;
	row?.set(task);
	panelPatch(task);
	if (task.status === 'failed' || task.status === 'timed_out') loadFailures();
	if (outcomes.includes(task.status)) {
		loadHistory();
		loadSchedules();
	}
	if (before !== task.status && (row || matches(task))) reload();
}

export function patchProgress({ id, progress }) {
	const known = [...active.rows.values()].map((row) => row.task).concat(openTask() ?? []);
	for (const task of known) if (task.id === id && task.status === 'running') patch({ ...task, progress });
}

export const shownTask = (id) => [...active.rows.values(), ...finished.rows.values()].find((row) => row.task.id === id)?.task;
